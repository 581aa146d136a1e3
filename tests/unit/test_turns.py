"""Many projects, one worker: who comes next, who may take long, and who is left alone for a while."""

import threading
import time
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import update

from backend.context import Encoders, Lazy
from backend.database import Hint, Loop
from backend.store.table import utc_now
from backend.workflows.project.hints import is_due, leave_hint
from backend.workflows.project.parking import parked_until, read_parked
from backend.workflows.project.turns import place, waiting
from backend.workflows.views.dashboard.faults import find_faults
from backend.workflows.views.metrics import refresh_metrics
from backend.workflows.views.status import project_status
from backend.workflows.work import run_pending, tick
from model.encoders.joined import Layout
from tests.topics import write_texts
from tests.workbench import Workbench


@pytest.fixture
def make_benches(context, app, label_studio):
    """make_benches(3): as many connected projects, of which no loop is due."""

    def make(count):
        benches = []
        for _ in range(count):
            project = label_studio.add_project(texts=write_texts(30))
            benches.append(Workbench(context, label_studio, project))
            benches[-1].connect()
        run_pending(context, benches[0].workspace.id)
        context.jobs.enqueued.clear()
        return benches

    return make


@pytest.fixture
def loops_begun(context):
    """loops_begun(): Label Studio's number of the project of each loop, in the order in which they began."""

    def read():
        numbers = {row.id: row.label_studio_id for row in context.projects.connected()}
        with context.database.session() as session:
            return [numbers[loop.project_id] for loop in session.query(Loop).order_by(Loop.id)]

    return read


def ask(bench):
    leave_hint(bench.workspace, "training")


def breaks(bench, monkeypatch):
    """Every loop of this project raises what nobody foresaw."""
    from backend.workflows import loop

    kept, number = loop.take_snapshot, bench.workspace.id

    def take(workspace, config):
        if workspace.id == number:
            raise RuntimeError("private words")
        return kept(workspace, config)

    monkeypatch.setattr("backend.workflows.loop.take_snapshot", take)


def fail(bench, times):
    """So many loops of the project fail, each when its pause is over."""
    for _ in range(times):
        leave_hint(bench.workspace, "labels")
        leave_hint(bench.workspace, "training")
        run_pending(bench.context, bench.workspace.id)


def let_pass(bench, seconds):
    """So much time goes by for the project."""
    with bench.context.database.session() as session:
        for hint in session.query(Hint).filter_by(project_id=bench.workspace.id):
            hint.created_at -= seconds
    bench.workspace.change(last_looked_at=bench.project.last_looked_at - seconds)


def test_the_one_looked_at_longest_ago_comes_first_whoever_left_the_job(make_benches, loops_begun):
    benches = make_benches(3)
    before = len(loops_begun())
    for bench in reversed(benches):
        ask(bench)
    run_pending(benches[0].context, benches[2].workspace.id)
    assert loops_begun()[before:] == [bench.project_id for bench in benches]


def test_a_project_that_is_always_due_takes_turns_with_the_others(make_benches, loops_begun, label_studio):
    busy, *others = benches = make_benches(3)
    before, asked = len(loops_begun()), []

    def ask_again(request):
        if "import/predictions" in request.url.path and len(asked) < 6:
            asked.append(request)
            ask(busy)

    label_studio.before_answering.append(ask_again)
    for bench in benches:
        bench.label(10)
    for bench in others:
        ask(bench)
    run_pending(busy.context, busy.workspace.id)
    begun = loops_begun()[before:]
    assert begun[:3] == [bench.project_id for bench in benches]
    assert begun.count(busy.project_id) > 1
    assert not any(is_due(bench.workspace) for bench in benches)


def test_a_turn_ends_so_that_the_clock_gets_its_own_and_leaves_a_job(make_benches, monkeypatch, loops_begun):
    monkeypatch.setattr("backend.workflows.work._TURN_S", 0.0)
    first, second = make_benches(2)
    run_pending(first.context, first.workspace.id)
    before = len(loops_begun())
    ask(first)
    ask(second)
    first.context.jobs.enqueued.clear()
    run_pending(first.context, first.workspace.id)
    assert len(loops_begun()) == before + 1
    assert first.context.jobs.enqueued == [second.workspace.id]


def test_a_project_that_somebody_holds_keeps_nobody_waiting(make_benches, loops_begun):
    held, free = make_benches(2)
    before = len(loops_begun())
    ask(held)
    ask(free)
    held.workspace.change(lease_owner="elsewhere/1/1", lease_until=time.time() + 100)
    run_pending(held.context, held.workspace.id)
    assert loops_begun()[before:] == [free.project_id]


def test_a_row_that_fails_keeps_nobody_waiting(make_benches, loops_begun, monkeypatch):
    broken, free = make_benches(2)
    kept, number = is_due, broken.workspace.id

    def weigh(workspace):
        if workspace.id == number:
            raise ValueError("cannot be read")
        return kept(workspace)

    monkeypatch.setattr("backend.workflows.project.turns.is_due", weigh)
    before = len(loops_begun())
    ask(broken)
    ask(free)
    run_pending(broken.context, broken.workspace.id)
    assert loops_begun()[before:] == [free.project_id]


def test_cleaning_up_gives_way_to_another_project(make_benches, label_studio, monkeypatch):
    busy, other = make_benches(2)
    for _ in range(2):
        busy.label(10)
        run_pending(busy.context, busy.workspace.id)
    busy.label(10)
    order = []

    def note(request):
        if request.method == "DELETE" and not order:
            order.append("swept")
            ask(other)
        elif order and request.url.path.startswith(f"/api/projects/{other.project_id}"):
            order.append("looked")
        elif order and request.method == "DELETE":
            order.append("swept")

    label_studio.before_answering.append(note)
    run_pending(busy.context, busy.workspace.id)
    assert order.index("looked") == 1


def set_last_loop(bench, *, seconds):
    """The project's last loop took so long."""
    with bench.context.database.session() as session:
        loop = session.query(Loop).filter_by(project_id=bench.workspace.id).order_by(Loop.id.desc()).first()
        loop.started_at, loop.finished_at = utc_now() - timedelta(seconds=seconds), utc_now()


def test_while_a_slow_loop_runs_other_slow_ones_wait_and_quick_ones_do_not(make_benches, loops_begun):
    running, slow, quick = make_benches(3)
    for bench in (running, slow):
        set_last_loop(bench, seconds=21)
    for bench in (slow, quick):
        ask(bench)
    before = len(loops_begun())
    with place(running.workspace) as is_free:
        assert is_free
        run_pending(slow.context, slow.workspace.id)
    assert loops_begun()[before:] == [quick.project_id]
    run_pending(slow.context, slow.workspace.id)
    assert loops_begun()[before:] == [quick.project_id, slow.project_id]


def test_a_loop_that_hangs_leaves_the_other_thread_to_the_others(make_benches, label_studio):
    hanging, quick = make_benches(2)
    begun, go_on = threading.Event(), threading.Event()

    def hang(request):
        if request.url.path == f"/api/projects/{hanging.project_id}" and not go_on.is_set():
            begun.set()
            go_on.wait(30)
            raise httpx.ConnectError("gone", request=request)

    label_studio.before_answering.append(hang)
    ask(hanging)
    thread = threading.Thread(target=run_pending, args=(hanging.context, hanging.workspace.id))
    thread.start()
    assert begun.wait(30)
    quick.label(10)
    version = quick.version
    run_pending(quick.context, quick.workspace.id)
    assert quick.version > version and quick.served() == quick.window
    go_on.set()
    thread.join()


def test_after_three_failures_a_project_is_parked_and_says_so(make_benches, monkeypatch, run_command):
    poisoned, well = make_benches(2)
    with monkeypatch.context() as patch:
        breaks(poisoned, patch)
        fail(poisoned, 2)
        assert read_parked(poisoned.workspace) is None
        fail(poisoned, 1)
    found = project_status(poisoned.workspace)["parked"]
    assert found["failures"] == 3 and "RuntimeError in take" in found["reason"]
    assert "private" not in str(found)
    (fault,) = [one for one in find_faults(poisoned.workspace) if one.key == "look"]
    assert "keeps failing" in fault.title and "Start training" in fault.words
    assert fault.command == f"nextlabel loop {poisoned.project_id}"
    said = run_command(poisoned.context, "status", str(poisoned.project_id)).output
    assert "3 loops failed in a row. The next try is" in " ".join(said.split())
    metrics = refresh_metrics(poisoned.context)
    values = [
        metrics.get_sample_value("nextlabel_parked", {"project": str(bench.project_id)})
        for bench in (poisoned, well)
    ]
    assert values == [1, 0]


@pytest.fixture
def parked(make_benches, monkeypatch):
    """A project whose loops would be well again, which is parked after three failures."""
    (bench,) = make_benches(1)
    bench.label(10)
    with monkeypatch.context() as patch:
        breaks(bench, patch)
        fail(bench, 3)
    assert parked_until(bench.workspace) is not None and list(waiting(bench.context)) == []
    bench.context.jobs.enqueued.clear()
    return bench


def test_a_parked_project_waits_whatever_people_label(parked, loops_begun):
    before = loops_begun()
    parked.label(5)
    tick(parked.context)
    run_pending(parked.context, parked.workspace.id)
    assert loops_begun() == before


@pytest.mark.parametrize("kind", ["tasks", "config", "training", "setup"])
def test_a_change_or_a_wish_ends_the_pause(kind, parked):
    leave_hint(parked.workspace, kind)
    assert parked.context.jobs.enqueued == [parked.workspace.id]
    run_pending(parked.context, parked.workspace.id)
    assert not is_due(parked.workspace) and parked.served() == parked.window
    assert parked.project.failures == 0 and read_parked(parked.workspace) is None


def test_a_command_ends_the_pause(parked, run_command):
    assert run_command(parked.context, "loop", str(parked.project_id)).exit_code == 0
    assert parked.project.failures == 0 and parked.served() == parked.window


def test_the_pauses_grow_to_ten_minutes_and_end_by_themselves(parked, monkeypatch):
    pauses = []
    with monkeypatch.context() as patch:
        breaks(parked, patch)
        for _ in range(5):
            pause_s = parked_until(parked.workspace) - parked.project.last_looked_at
            pauses.append(pause_s)
            let_pass(parked, pause_s - 1)
            assert list(waiting(parked.context)) == []
            let_pass(parked, 1)
            run_pending(parked.context, parked.workspace.id)
    assert pauses == [120, 240, 480, 600, 600]
    let_pass(parked, 600)
    tick(parked.context)
    assert parked.context.jobs.enqueued == [parked.workspace.id]
    run_pending(parked.context, parked.workspace.id)
    assert parked.project.failures == 0 and parked.served() == parked.window


def test_a_clock_that_was_set_back_ends_the_pause(parked):
    let_pass(parked, -86_400)
    assert [workspace.id for workspace in waiting(parked.context)] == [parked.workspace.id]


def test_a_hint_from_ahead_of_the_date_ends_no_pause(parked):
    with parked.context.database.session() as session:
        session.execute(update(Hint).values(created_at=time.time() + 86_400, kind="tasks"))
    assert list(waiting(parked.context)) == []


def test_a_loop_that_kills_its_worker_is_counted(make_benches, monkeypatch):
    (bench,) = make_benches(1)

    class Killed(BaseException):
        pass

    def kill(*_arguments):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("backend.workflows.loop.take_snapshot", kill)
        for _ in range(3):
            ask(bench)
            with pytest.raises(Killed):
                run_pending(bench.context, bench.workspace.id)
    assert "interrupted" in read_parked(bench.workspace).reason


def test_what_fails_for_all_projects_parks_none(make_benches, label_studio):
    (bench,) = make_benches(1)

    def gone(request):
        raise httpx.ConnectError("gone", request=request)

    label_studio.before_answering.append(gone)
    fail(bench, 4)
    assert bench.project.failures == 0 and read_parked(bench.workspace) is None
    label_studio.before_answering.clear()
    run_pending(bench.context, bench.workspace.id)
    assert not is_due(bench.workspace)


def test_the_clock_leaves_no_heap_of_hints_for_a_project_that_waits(make_benches):
    (bench,) = make_benches(1)
    ask(bench)
    let_pass(bench, 10_000)
    for _ in range(3):
        tick(bench.context)
    assert bench.workspace.hints.count() == 1


def test_encoders_of_many_projects_are_unloaded_again(encoder):
    loaded = []

    def load(name):
        loaded.append(name)
        return encoder

    encoders = Encoders(load, default="a")
    for name in "abcdabcd":
        encoders.named(name).get()
    assert loaded == list("abcdabcd"), "three are kept, and the one longest unused went"
    encoders.named("d").get()
    encoders.named("c").get()
    assert len(loaded) == 8


def test_an_encoder_of_pictures_keeps_none_of_texts_that_went(encoder):
    images = Lazy(lambda: encoder)
    encoders, layout = Encoders(lambda _name: encoder, default="a", images=images), Layout(True, ("image",))
    first = encoders.joined("b", layout)
    assert encoders.joined("b", layout) is first
    for name in "cde":
        encoders.named(name)
    assert encoders.joined("b", layout) is not first
