"""What a weekend brings: in each fault nothing is lost, it shows, and one loop after its end all is well.

docs/faults.md is the table of these tests. Instants are calls to Label Studio, or writes to the disk.
"""

import errno
import sqlite3
import threading
import time
from contextlib import closing, contextmanager

import httpx
import numpy as np
import pytest
from sqlalchemy import event

from backend.database import Task
from backend.vector_files import segment
from backend.workflows.project.hints import is_due, leave_hint
from backend.workflows.project.lease import take_over
from backend.workflows.project.silence import Silence
from backend.workflows.work import run_pending, tick
from model.encoders.halves import in_halves
from model.stores import folder
from tests.topics import topic_of, write_texts
from tests.workbench import Workbench

TASKS = 150
DAY_S = 86_400.0


@pytest.fixture
def bench(context, app, label_studio):
    """A project of enough tasks for many loops, of which none is due."""
    project = label_studio.add_project(texts=write_texts(TASKS))
    found = Workbench(context, label_studio, project)
    found.connect()
    work(found)
    return found


def work(bench):
    run_pending(bench.context, bench.workspace.id)


def say(bench, count=1):
    """People label some tasks, and ask for a loop."""
    bench.label(count)
    leave_hint(bench.workspace, "training")


def assert_converged(bench):
    """Both sides say the same: every answer was read, and a whole window serves in its order."""
    assert not is_due(bench.workspace)
    answers = sum(len(task["annotations"]) for task in bench.tasks.values())
    assert bench.workspace.tasks.count_annotations() == (len(bench.tasks), answers)
    assert bench.version == bench.remote["model_version"] == bench.backend["title"]
    assert len(bench.window) == 10 and bench.served() == bench.window
    assert bench.workspace.registry.load(bench.workspace.key, bench.version)
    sent = [
        (row["task"], row["model_version"])
        for row in bench.label_studio.predictions.values()
        if row["project"] == bench.project_id
    ]
    assert len(sent) == len(set(sent))
    assert bench.project.lease_owner is None


def assert_serves(bench, version):
    """People get what a version ordered, as far as it was not used up."""
    assert bench.remote["model_version"] == version
    left = bench.label_studio.published(bench.project_id, version)
    assert bench.served(1)[0] in left


@contextmanager
def answering(bench, act):
    bench.label_studio.before_answering.append(act)
    try:
        yield
    finally:
        bench.label_studio.before_answering.remove(act)


def count_calls(bench):
    """How many calls one loop makes that publishes a version."""
    say(bench)
    before = len(bench.label_studio.calls)
    work(bench)
    return len(bench.label_studio.calls) - before


# Label Studio


def nobody_answers(_studio, request):
    raise httpx.ConnectError("gone", request=request)


def hangs(_studio, request):
    raise httpx.ReadTimeout("too slow", request=request)


def does_it_and_its_answer_is_lost(studio, request):
    studio._dispatch(request)
    raise httpx.ReadTimeout("lost", request=request)


def answers_half(studio, request):
    whole = studio._dispatch(request).content
    return httpx.Response(200, content=whole[: len(whole) // 2], headers={"content-type": "application/json"})


def answers_500(_studio, _request):
    return httpx.Response(500, json={"detail": "database is locked"})


def answers_for_its_proxy(_studio, _request):
    return httpx.Response(502, html="<h1>Bad gateway</h1>")


OF_LABEL_STUDIO = {
    "down": (nobody_answers, "label-studio-unreachable"),
    "slow": (hangs, "label-studio-unreachable"),
    "a write accepted and its answer lost": (does_it_and_its_answer_is_lost, "label-studio-unreachable"),
    "half answering": (answers_half, "unexpected-answer"),
    "500": (answers_500, "label-studio-busy"),
    "restarted behind a proxy": (answers_for_its_proxy, "label-studio-busy"),
}


def from_call(studio, number, fault, *, times):
    """The fault from a call on, for so many calls; only what arrives at the API counts."""
    seen = [0]

    def act(request):
        seen[0] += 1
        if number < seen[0] <= number + times:
            return fault(studio, request)
        return None

    return act


@pytest.mark.parametrize("name", OF_LABEL_STUDIO)
def test_a_fault_of_label_studio_that_passes_fails_no_loop(name, bench, label_studio):
    fault, _sign = OF_LABEL_STUDIO[name]
    first = list(OF_LABEL_STUDIO).index(name) % 3
    for instant in range(first, count_calls(bench), 3):
        say(bench)
        with answering(bench, from_call(label_studio, instant, fault, times=3)):
            work(bench)
        assert bench.workspace.loops.newest_ended().outcome == "published", instant
        assert_converged(bench)


@pytest.mark.parametrize("name", OF_LABEL_STUDIO)
def test_a_fault_of_label_studio_that_lasts_ends_with_one_loop(name, bench, label_studio, caplog):
    fault, sign = OF_LABEL_STUDIO[name]
    first, failures = list(OF_LABEL_STUDIO).index(name) % 4, 0
    for instant in range(first, count_calls(bench), 4):
        version = bench.version
        say(bench)
        caplog.clear()
        with answering(bench, from_call(label_studio, instant, fault, times=10_000)):
            work(bench)
            failed = bench.workspace.loops.newest_ended().outcome == "failed"
        failures += failed
        if failed:
            assert f"code={sign}" in caplog.text and is_due(bench.workspace)
        assert_serves(bench, bench.remote["model_version"])
        assert bench.remote["model_version"] in (version, bench.version)
        leave_hint(bench.workspace, "training")
        work(bench)
        assert_converged(bench)
    assert failures


def restore_yesterday(bench, memory):
    """Label Studio's database as it was, while its clock goes on."""
    now = bench.label_studio._now
    bench.label_studio.restore(memory)
    bench.label_studio._now = now


def test_a_database_of_label_studio_that_is_restored_is_what_counts(bench, label_studio):
    say(bench, 10)
    work(bench)
    yesterday = label_studio.remember()
    say(bench, 10)
    work(bench)
    restore_yesterday(bench, yesterday)
    leave_hint(bench.workspace, "timer")
    work(bench)
    assert bench.workspace.tasks.count_annotations()[1] == 10
    assert_converged(bench)


def test_restored_answers_that_keep_every_count_are_read_too(bench, label_studio):
    say(bench, 10)
    work(bench)
    yesterday = label_studio.remember()
    task = next(task for task in bench.tasks.values() if task["annotations"])
    right = topic_of(task["data"]["text"])
    wrong = next(label for label in ("cats", "dogs") if label != right)
    label_studio.change_annotation(task["annotations"][0]["id"], wrong)
    leave_hint(bench.workspace, "training")
    work(bench)
    restore_yesterday(bench, yesterday)
    leave_hint(bench.workspace, "timer")
    work(bench)
    with bench.context.database.session() as session:
        row = session.get_one(Task, (bench.workspace.id, task["id"]))
    assert row.label == right
    assert_converged(bench)


def test_a_version_of_which_label_studio_lost_everything_is_filled_before_it_serves(
    context, app, label_studio
):
    bench = Workbench(context, label_studio, label_studio.add_project(texts=write_texts(60)))
    # nothing of ours is in Label Studio that names the version
    bench.connect(pull=True)
    label_studio.predictions.clear()
    bench.remote["model_version"] = ""
    leave_hint(bench.workspace, "timer")
    work(bench)
    assert not is_due(bench.workspace)
    assert bench.remote["model_version"] == bench.version
    assert bench.served() == bench.window and len(bench.window) == 10


# The disk and the database


class Disk:
    """Counts the writes of a process, and refuses some: statements of the database, files and folders."""

    def __init__(self, context, monkeypatch):
        self.writes, self.full = 0, range(0)
        event.listen(context.database.engine, "before_cursor_execute", self._before_statement)
        for name in ("_write", "_sync_folder", "_rename_new"):
            self._watch(monkeypatch, folder, name)
        self._watch(monkeypatch, segment, "_write")

    def _watch(self, monkeypatch, module, name):
        kept = getattr(module, name)

        def act(*arguments, **more):
            if self._count():
                raise OSError(errno.ENOSPC, "No space left on device", str(arguments[0]))
            return kept(*arguments, **more)

        monkeypatch.setattr(module, name, act)

    def _before_statement(self, _connection, _cursor, statement, *_more):
        if statement.split()[0] in ("INSERT", "UPDATE", "DELETE") and self._count():
            raise sqlite3.OperationalError("database or disk is full")

    def _count(self):
        self.writes += 1
        return self.writes - 1 in self.full

    def fill(self, first, count):
        """From the n-th write on, so many are refused."""
        self.writes, self.full = 0, range(first, first + count)


@pytest.fixture
def disk(bench, context, monkeypatch):
    return Disk(context, monkeypatch)


def let_the_lease_end(bench):
    """Half a minute goes by: who holds a project and does not say so loses it."""
    if bench.project.lease_owner is not None:
        bench.workspace.change(lease_until=time.time() - 1)
    for workspace in take_over(bench.context):
        leave_hint(workspace, "timer")


@pytest.mark.parametrize("third", range(3))
@pytest.mark.parametrize("refused", [1, 10_000], ids=["one-write", "all-from-there"])
def test_a_disk_that_is_full_at_any_write(third, refused, bench, disk, caplog):
    say(bench)
    disk.fill(0, 0)
    work(bench)
    total, failures = disk.writes + 3, 0
    assert total > 20
    for number in range(third, total, 3):
        bench.label_studio.add_tasks(bench.project_id, [{"text": f"paw purr about cats extra{number}"}])
        say(bench)
        caplog.clear()
        disk.fill(number, refused)
        work(bench)
        disk.fill(0, 0)
        # the history cannot be written either; the log can
        if is_due(bench.workspace):
            failures += 1
            assert any(words in caplog.text for words in ("disk is full", "No space left"))
        assert_serves(bench, bench.remote["model_version"])
        let_the_lease_end(bench)
        leave_hint(bench.workspace, "timer")
        work(bench)
        assert_converged(bench)
        assert bench.project.failures == 0
    assert failures > 3


@pytest.fixture
def lock(context):
    """with lock(): somebody else writes to the database and does not come to an end."""

    def be_impatient(connection, *_more):
        connection.execute("PRAGMA busy_timeout=20")

    engines = (context.database.engine, context.database._durable)
    for engine in engines:
        event.listen(engine, "checkout", be_impatient)

    @contextmanager
    def hold():
        with closing(sqlite3.connect(context.settings.data_dir / "nextlabel.db", timeout=5)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.rollback()

    yield hold
    for engine in engines:
        event.remove(engine, "checkout", be_impatient)


def test_a_database_that_is_locked_for_a_minute_at_any_instant(
    bench, lock, label_studio, client, context, caplog
):
    for instant in range(0, count_calls(bench), 3):
        say(bench)
        locked = lock()
        entered = []

        def enter(_studio, _request, locked=locked, entered=entered):
            locked.__enter__()
            entered.append(True)

        caplog.clear()
        with answering(bench, from_call(label_studio, instant, enter, times=1)):
            work(bench)
        # nobody could write an event down: its sender is told
        answer = client.post(
            bench.webhooks[0]["url"].removeprefix(context.settings.backend_url),
            json={"action": "ANNOTATION_CREATED"},
            headers=bench.webhooks[0]["headers"],
        )
        assert entered and answer.status_code == 503
        locked.__exit__(None, None, None)
        assert "database is locked" in caplog.text
        assert_serves(bench, bench.remote["model_version"])
        let_the_lease_end(bench)
        leave_hint(bench.workspace, "timer")
        work(bench)
        assert_converged(bench)


# Clocks


def test_a_clock_that_was_set_back_stops_no_look(bench):
    ahead = time.time() + 30 * DAY_S
    bench.workspace.change(last_looked_at=ahead, read_whole_at=ahead)
    task = bench.served(1)[0]
    # said in a way that moves neither a count nor a date, and that no webhook tells
    bench.label_studio.set_field([task], "text", "cats cats cats")
    tick(bench.context)
    tick(bench.context)
    assert bench.context.jobs.enqueued[-1] == bench.workspace.id
    work(bench)
    assert bench.workspace.tasks.read_texts([task])[task] == "cats cats cats"
    assert_converged(bench)


def test_a_dead_holder_whose_clock_was_ahead_is_noticed_by_its_silence(bench, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("backend.workflows.project.silence.time.monotonic", lambda: now[0])
    bench.workspace.change(lease_owner="elsewhere/1/1", lease_until=time.time() + DAY_S)
    silence = Silence()
    assert silence.take_over(bench.context) == []
    now[0] = 15.0
    bench.workspace.change(lease_until=time.time() + DAY_S)
    assert silence.take_over(bench.context) == []
    now[0] = 30.0
    assert silence.take_over(bench.context) == [], "it was renewed 15 s ago"
    now[0] = 36.0
    assert [workspace.id for workspace in silence.take_over(bench.context)] == [bench.workspace.id]
    leave_hint(bench.workspace, "timer")
    work(bench)
    assert_converged(bench)


# Memory


@pytest.mark.parametrize("fits", [1, 3, 64])
@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_a_batch_that_is_too_large_for_the_memory_is_halved(fits, error):
    asked = []

    def embed(items):
        asked.append(len(items))
        if len(items) > fits:
            raise error
        return np.array([[float(item)] for item in items])

    assert in_halves(embed, list(range(50))).tolist() == [[float(item)] for item in range(50)]
    assert max(asked) == 50 and min(asked) <= fits


def test_a_single_text_that_is_too_large_for_the_memory_is_told():
    def embed(_items):
        raise MemoryError

    with pytest.raises(MemoryError):
        in_halves(embed, [1, 2, 3])


def test_the_text_encoder_gives_the_same_bits_in_halves(text_encoder, monkeypatch):
    texts = write_texts(40)
    whole, kept = text_encoder.encode(texts), text_encoder._embed

    def embed(tokens):
        if len(tokens) > 2:
            raise RuntimeError("CUDA out of memory")
        return kept(tokens)

    monkeypatch.setattr(text_encoder, "_embed", embed)
    assert text_encoder.encode(texts).tobytes() == whole.tobytes()


# Versions


def without(name):
    return lambda folder: (folder / name).unlink()


def cut(name):
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-20])


HALF = {
    "no manifest": without("manifest.json"),
    "no head": without("head.safetensors"),
    "half a head": cut("head.safetensors"),
}


@pytest.mark.parametrize("damage", HALF.values(), ids=HALF)
def test_a_version_folder_that_was_copied_by_half_is_made_anew(damage, bench, settings):
    say(bench, 10)
    work(bench)
    damage(settings.model_folder / bench.project.key / bench.version)
    before = bench.version
    leave_hint(bench.workspace, "timer")
    work(bench)
    assert bench.version > before
    assert_converged(bench)


# Workers


def test_two_workers_on_one_project_run_one_loop(bench):
    say(bench, 10)
    loops = bench.workspace.loops.count_to(10**9)
    threads = [threading.Thread(target=work, args=(bench,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    work(bench)
    assert bench.workspace.loops.count_to(10**9) - loops <= 2
    assert_converged(bench)


def test_a_worker_that_was_frozen_past_its_lease_and_woken_at_any_instant(bench, label_studio, caplog):
    lost = 0
    for instant in range(0, count_calls(bench), 2):
        say(bench, 2)
        caplog.clear()

        def freeze(_studio, _request):
            let_the_lease_end(bench)
            label_studio.before_answering.clear()
            bench.label(1)
            other = threading.Thread(target=work, args=(bench,))
            other.start()
            other.join()

        label_studio.before_answering.append(from_call(label_studio, instant, freeze, times=1))
        work(bench)
        label_studio.before_answering.clear()
        lost += "code=lease-lost" in caplog.text
        leave_hint(bench.workspace, "timer")
        work(bench)
        assert_converged(bench)
    assert lost
