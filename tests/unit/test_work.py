"""The worker: loops that are due, the clock, and the sign of life."""

import errno
import logging
import threading
import time

import httpx
import pytest
from sqlalchemy import delete, func, select, text, update

from backend.database import Hint, Loop, Project, Worker
from backend.errors import QueueUnavailable, RowGone
from backend.jobs import DEBOUNCE_S
from backend.workflows.project import lease as lease_module
from backend.workflows.project import workers as workers_module
from backend.workflows.project.hints import is_due, leave_hint
from backend.workflows.project.lease import lease, take_over
from backend.workflows.project.progress import Silent
from backend.workflows.project.workers import _beat, beat_forever, living_workers
from backend.workflows.serving.rollback import rollback
from backend.workflows.work import run_pending, tick
from demo.waiting import wait_for
from tests.topics import topic_of


def count(context, table):
    with context.database.session() as session:
        return session.scalar(select(func.count()).select_from(table))


@pytest.fixture
def quiet(connected):
    """The connected project after the loop that its own change of the project asked for."""
    run_pending(connected.context, connected.workspace.id)
    assert not is_due(connected.workspace)
    connected.context.jobs.enqueued.clear()
    return connected


@pytest.fixture
def looked_at(context):
    """looked_at(project, seconds): the last loop of the project began so long ago."""

    def set_back(project, seconds):
        with context.database.session() as session:
            session.get_one(Project, project.id).last_looked_at = time.time() - seconds

    return set_back


def work(workbench):
    run_pending(workbench.context, workbench.workspace.id)


def test_ten_labels_start_a_loop(quiet):
    quiet.label(10)
    assert quiet.context.jobs.enqueued == [quiet.project.id]
    work(quiet)
    assert quiet.version == "nl-000002"
    assert quiet.served() == quiet.window


def test_nine_labels_do_not(quiet):
    quiet.label(9)
    assert quiet.context.jobs.enqueued == []
    work(quiet)
    assert quiet.version == "nl-000001-label-names"


def test_the_button_start_training_starts_a_loop(quiet, label_studio):
    quiet.label(1)
    assert label_studio.start_training(quiet.project_id) == 201
    work(quiet)
    assert quiet.version == "nl-000002"


def test_a_project_added_in_label_studios_own_dialog_gets_its_first_loop(workbench, context):
    remote = context.label_studio()
    remote.create_ml_backend(project=workbench.project_id, url=context.settings.backend_url, title="by hand")
    assert context.jobs.enqueued == [workbench.project.id]
    work(workbench)
    assert workbench.version == workbench.remote["model_version"] == "nl-000001-label-names"
    assert len(workbench.window) == 10


def test_our_own_changes_of_the_project_do_not_go_round_in_circles(quiet):
    quiet.remote["model_version"] = ""
    leave_hint(quiet.workspace, "training")
    loops, told = count(quiet.context, Loop), len(quiet.label_studio.delivered)
    work(quiet)
    assert quiet.label_studio.delivered[told:] == [("PROJECT_UPDATED", 201)]
    assert count(quiet.context, Loop) == loops + 2
    assert count(quiet.context, Hint) == 0


def test_what_happens_while_a_loop_runs_is_answered_by_another(quiet, label_studio):
    quiet.label(10)
    late = []

    def more_labels(request):
        if "import/predictions" in request.url.path and not late:
            late.append(True)
            for task_id in quiet.served(10):
                label_studio.annotate(task_id, topic_of(quiet.tasks[task_id]["data"]["text"]))

    label_studio.before_answering.append(more_labels)
    work(quiet)
    assert quiet.version == "nl-000003"
    assert not is_due(quiet.workspace)


def test_while_a_loop_runs_its_stage_can_be_read_and_afterwards_nothing(quiet):
    quiet.label(10)
    seen = []
    quiet.label_studio.before_answering.append(
        lambda _request: seen.append(quiet.project.progress.get("stage"))
    )
    work(quiet)
    assert seen.pop() is None  # the clean-up
    while seen[-1] is None:
        seen.pop()
    assert list(dict.fromkeys(seen)) == [
        "looking at Label Studio",
        "fetching tasks",
        "publishing",
        "marking tasks",
    ]
    assert quiet.project.progress == {}


def test_a_loop_that_fails_leaves_no_progress(quiet, label_studio):
    label_studio.change_project(quiet.project_id, label_config="<View/>")
    work(quiet)
    assert quiet.project.progress == {}


def test_what_somebody_else_does_already_is_left_to_him(quiet):
    leave_hint(quiet.workspace, "training")
    loops = count(quiet.context, Loop)
    with lease(quiet.workspace):
        work(quiet)
    assert count(quiet.context, Loop) == loops
    assert is_due(quiet.workspace)


def test_a_loop_that_fails_is_logged_with_its_reason_and_not_tried_at_once(quiet, label_studio, caplog):
    label_studio.change_project(quiet.project_id, label_config="<View/>")
    work(quiet)
    assert "loop failed project=1 code=unsupported-config" in caplog.text
    assert not is_due(quiet.workspace)


def test_while_label_studio_is_away_the_hints_stay(quiet, label_studio, caplog):

    def gone(request):
        raise httpx.ConnectError("gone", request=request)

    label_studio.before_answering.append(gone)
    leave_hint(quiet.workspace, "training")
    work(quiet)
    assert "code=label-studio-unreachable" in caplog.text
    assert is_due(quiet.workspace)
    label_studio.before_answering.clear()
    work(quiet)
    assert not is_due(quiet.workspace)


def test_while_our_own_web_process_is_away_the_hints_stay(quiet, label_studio, client, settings):
    quiet.label(10)
    label_studio.serve(settings.backend_url, None)
    work(quiet)
    assert quiet.remote["model_version"] == "nl-000001-label-names"
    assert is_due(quiet.workspace)
    label_studio.serve(settings.backend_url, client)
    work(quiet)
    assert quiet.remote["model_version"] == quiet.version
    assert quiet.served() == quiet.window


def test_projects_that_are_gone_or_disconnected_are_left_alone(quiet):
    with quiet.context.database.session() as session:
        session.get_one(Project, quiet.project.id).connected = False
    leave_hint(quiet.workspace, "training")
    loops = count(quiet.context, Loop)
    work(quiet)
    run_pending(quiet.context, 12345)
    assert count(quiet.context, Loop) == loops


def test_old_predictions_are_swept_after_a_loop(quiet, label_studio, caplog):
    caplog.set_level(logging.INFO)
    for _ in range(3):
        quiet.label(10)
        work(quiet)
    versions = {row["model_version"] for row in label_studio.predictions.values()}
    assert versions == {"nl-000003", "nl-000004"}
    assert "swept project=1 predictions=10" in caplog.text


def test_the_clock_asks_for_a_loop_when_nobody_looked_for_long(quiet, looked_at):
    looked_at(quiet.project, 601)
    tick(quiet.context)
    assert quiet.context.jobs.enqueued == [quiet.project.id]
    assert is_due(quiet.workspace)


def test_the_clock_leaves_alone_what_was_looked_at_lately(quiet, looked_at):
    looked_at(quiet.project, 590)
    tick(quiet.context)
    assert quiet.context.jobs.enqueued == []


def test_the_clock_asks_again_for_a_job_that_was_lost(quiet, looked_at):
    leave_hint(quiet.workspace, "training")
    quiet.context.jobs.enqueued.clear()
    looked_at(quiet.project, 60)
    tick(quiet.context)
    assert quiet.context.jobs.enqueued == [quiet.project.id]


def test_the_clock_is_patient_after_a_failure(quiet, looked_at):
    leave_hint(quiet.workspace, "training")
    quiet.context.jobs.enqueued.clear()
    looked_at(quiet.project, 10)
    tick(quiet.context)
    assert quiet.context.jobs.enqueued == []


def test_the_clock_knows_nothing_of_disconnected_projects(quiet, looked_at):
    looked_at(quiet.project, 10_000)
    with quiet.context.database.session() as session:
        session.get_one(Project, quiet.project.id).connected = False
    tick(quiet.context)
    assert quiet.context.jobs.enqueued == []


def test_a_worker_is_alive_while_it_beats_and_gone_when_it_stops(context):
    stop = threading.Event()
    heart = threading.Thread(target=beat_forever, args=(context, stop))
    heart.start()
    wait_for(lambda: living_workers(context), "the worker shows itself", timeout_s=30)
    stop.set()
    heart.join()
    assert living_workers(context) == []


def test_a_worker_that_was_killed_is_not_alive_for_long(context):
    with context.database.session() as session:
        session.add(Worker(name="elsewhere/1", seen_at=time.time() - 31))
    assert living_workers(context) == []


def test_a_project_whose_backend_was_removed_is_left_alone_until_it_is_added_again(quiet, client):
    reference = quiet.project.reference
    del quiet.label_studio.backends[quiet.backend["id"]]
    leave_hint(quiet.workspace, "training")
    work(quiet)
    assert not quiet.project.connected

    # Label Studio's own dialog asks for /setup
    assert client.post("/setup", json={"project": reference}).status_code == 200
    assert quiet.project.connected
    assert quiet.context.jobs.enqueued[-1] == quiet.project.id


FAILURES = [
    httpx.Response(500, json={"detail": "database is locked"}),
    httpx.Response(404, json={"detail": "Not found."}),
    httpx.Response(200, json=[None]),
]
CALLS = [
    ("GET", "/api/projects/1"),
    ("GET", "/api/ml"),
    ("GET", "/api/tasks"),
    ("GET", "/api/projects/1/model-versions/"),
    ("POST", "/api/projects/1/import/predictions"),
    ("PATCH", "/api/ml/1"),
]


def failing(call, failure, *, times):
    """Some calls answer with a failure, in place of doing what they are asked to."""
    left = [times]

    def act(request):
        if (request.method, request.url.path) == call and left[0]:
            left[0] -= 1
            return httpx.Response(failure.status_code, headers=failure.headers, content=failure.content)
        return None

    return act


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("call", CALLS)
def test_whatever_call_fails_for_long_the_hints_stay_and_the_project_is_connected(
    call, failure, quiet, label_studio, caplog
):
    quiet.label(10)
    label_studio.before_answering.append(failing(call, failure, times=8 if failure.status_code != 404 else 1))
    work(quiet)
    assert quiet.project.connected
    assert is_due(quiet.workspace) or quiet.version == "nl-000002"
    label_studio.before_answering.clear()
    work(quiet)
    assert quiet.version in ("nl-000002", "nl-000003") and quiet.served() == quiet.window
    assert not is_due(quiet.workspace)
    assert "interrupted" not in (quiet.workspace.loops.newest_ended().error or "")


@pytest.mark.parametrize("call", CALLS)
def test_a_database_of_label_studio_that_is_locked_once_delays_nothing(call, quiet, label_studio):
    quiet.label(10)
    label_studio.before_answering.append(failing(call, FAILURES[0], times=1))
    work(quiet)
    assert quiet.version == quiet.remote["model_version"] == "nl-000002"
    assert len(quiet.scores) == 10


def test_a_project_that_is_gone_is_disconnected(quiet, label_studio):
    leave_hint(quiet.workspace, "training")
    label_studio.delete_project(quiet.project_id)
    work(quiet)
    assert not quiet.project.connected and not is_due(quiet.workspace)


def test_a_disk_that_is_full_is_named_and_the_hints_stay(quiet, monkeypatch, caplog):
    def full(*_arguments, **_more):
        raise OSError(28, "No space left on device", "head.safetensors")

    quiet.label(10)
    with monkeypatch.context() as patched:
        patched.setattr("model.stores.folder._write", full)
        work(quiet)
    error = quiet.workspace.loops.newest_ended().error
    assert "MODEL_STORE cannot be used (head.safetensors): No space left on device" in error
    assert "Make space there" in error
    assert "code=disk-unavailable" in caplog.text
    assert is_due(quiet.workspace)
    quiet.workspace.change(last_looked_at=time.time() - 60)
    quiet.context.jobs.enqueued.clear()
    tick(quiet.context)
    assert quiet.context.jobs.enqueued == [quiet.project.id]
    work(quiet)
    assert quiet.version == "nl-000002"


DISKS = {
    "full": OSError(errno.ENOSPC, "No space left on device"),
    "quota": OSError(errno.EDQUOT, "Disk quota exceeded"),
    "read-only": OSError(errno.EROFS, "Read-only file system", "/srv/models"),
    "not ours": PermissionError(errno.EACCES, "Permission denied", "/srv/models"),
}


@pytest.mark.parametrize("part", ["model.stores.folder._write", "model.stores.folder._sync_folder"])
@pytest.mark.parametrize("failure", DISKS.values(), ids=DISKS)
def test_a_command_on_a_disk_that_fails_says_which_and_what_helps(
    part, failure, quiet, monkeypatch, run_command
):
    quiet.label(10)

    def fail(*_arguments):
        raise failure

    with monkeypatch.context() as patched:
        patched.setattr(part, fail)
        found = run_command(quiet.context, "loop", "1")
    assert found.exit_code == 1
    assert "MODEL_STORE" in found.output and failure.strerror in found.output
    assert "To fix it: Make space there" in found.output
    assert run_command(quiet.context, "loop", "1").exit_code == 0
    assert quiet.served() == quiet.window


def remove_the_row(workbench):
    with workbench.context.database.session() as session:
        session.execute(delete(Project))


def test_a_project_whose_row_goes_in_the_middle_of_a_loop_is_named(quiet, label_studio, run_command):
    quiet.label(10)
    project_id = quiet.workspace.id

    def remove(request):
        if "import/predictions" in request.url.path:
            remove_the_row(quiet)

    label_studio.before_answering.append(remove)
    found = run_command(quiet.context, "loop", "1")
    assert found.exit_code == 1 and "gone from the database" in found.output
    run_pending(quiet.context, project_id)


@pytest.mark.parametrize(
    "act",
    [
        lambda workspace: workspace.change(title="x"),
        lambda workspace: workspace.refresh(),
        lambda workspace: leave_hint(workspace, "tasks"),
        lambda workspace: workspace.decisions.add("rollback", {}, by="x"),
        lambda workspace: workspace.loops.begin("test", interrupted=""),
        lambda workspace: workspace.loops.end(10**6, outcome="failed", version=None, error=None, figures={}),
        lambda workspace: lease(workspace).__enter__(),
        lambda workspace: rollback(workspace, "nl-000001-label-names", progress=Silent()),
    ],
)
def test_a_row_that_is_gone_between_two_calls_is_a_clear_error(act, quiet):
    workspace = quiet.workspace
    remove_the_row(quiet)
    with pytest.raises(RowGone, match="gone from the database"):
        act(workspace)


def test_a_database_that_is_full_fails_the_loop_and_the_hints_stay(quiet, database_fails):
    quiet.label(10)
    with database_fails("INSERT INTO window_tasks"):
        work(quiet)
    assert "database or disk is full" in quiet.workspace.loops.newest_ended().error
    assert is_due(quiet.workspace)
    work(quiet)
    assert quiet.version == "nl-000003" and quiet.served() == quiet.window
    assert len(quiet.scores) == 10


def test_a_heart_goes_on_after_the_database_failed_and_asks_for_a_look(quiet, database_fails, caplog):
    context = quiet.context
    with database_fails(""):
        _beat(context, "here/1")
        _beat(context, "here/1")
    assert caplog.text.count("failing, and tried again: sign of life") == 1
    assert living_workers(context) == [] and not is_due(quiet.workspace)
    _beat(context, "here/1")
    assert living_workers(context) == ["here/1"]
    assert is_due(quiet.workspace)
    _beat(context, "here/1")
    assert context.workers.count_failures() == 2


def test_a_beating_thread_ends_only_when_it_is_told_to(context, database_fails, monkeypatch):
    monkeypatch.setattr("backend.workflows.project.workers._BEAT_S", 0.001)
    stop = threading.Event()
    heart = threading.Thread(target=beat_forever, args=(context, stop))
    with database_fails(""):
        heart.start()
        wait_for(lambda: context.survived.count > 3, "it failed some times", timeout_s=30)
    wait_for(lambda: living_workers(context), "the worker shows itself", timeout_s=30)
    stop.set()
    heart.join()


def test_a_beating_thread_outlives_a_database_that_loses_its_tables(quiet, monkeypatch):
    context = quiet.context
    monkeypatch.setattr("backend.workflows.project.workers._BEAT_S", 0.001)
    with context.database.session() as session:
        session.execute(text("ALTER TABLE workers RENAME TO away"))
    stop = threading.Event()
    heart = threading.Thread(target=beat_forever, args=(context, stop))
    heart.start()
    wait_for(lambda: context.survived.count > 3, "it failed some times", timeout_s=30)
    with context.database.session() as session:
        session.execute(text("ALTER TABLE away RENAME TO workers"))
    wait_for(lambda: living_workers(context), "the worker shows itself", timeout_s=30)
    stop.set()
    heart.join()


def test_work_in_the_background_goes_on_whatever_fails_and_logs_nobodys_words(context, caplog):
    for failure in (TypeError("secret words"), RuntimeError("secret words"), RecursionError("secret words")):
        with context.survived.failures_of("something"):
            raise failure
    assert context.survived.count == 3
    assert "something message=TypeError" in caplog.text and "secret" not in caplog.text


@pytest.mark.parametrize("owner", ["elsewhere/1/1", "another-host/77/3"])
def test_the_loop_of_a_worker_on_another_machine_that_died_is_taken_over(owner, quiet):
    quiet.workspace.change(lease_owner=owner, lease_until=time.time() + 15)
    assert take_over(quiet.context) == []
    quiet.workspace.change(lease_owner=owner, lease_until=time.time() - 0.1)
    assert [workspace.id for workspace in take_over(quiet.context)] == [quiet.project.id]
    assert take_over(quiet.context) == []
    assert quiet.project.lease_owner is None


def test_a_dead_worker_is_missed_within_half_a_minute(quiet):
    assert lease_module._LEASE_S + workers_module._BEAT_S + DEBOUNCE_S < 30


def test_a_living_worker_asks_for_the_loop_of_a_dead_one(quiet):
    quiet.workspace.change(lease_owner="elsewhere/1/1", lease_until=time.time() - 0.1)
    stop = threading.Event()
    stop.set()
    beat_forever(quiet.context, stop)
    assert quiet.context.jobs.enqueued == [quiet.project.id]
    work(quiet)
    assert not is_due(quiet.workspace)


def beat_once(context):
    stop = threading.Event()
    stop.set()
    beat_forever(context, stop)


def overlook(workspace, *, seconds):
    """A hint that waits for so long, and whose job is gone."""
    workspace.hints.add("tasks")
    with workspace.context.database.session() as session:
        session.execute(update(Hint).values(created_at=time.time() - seconds))
    workspace.change(last_looked_at=time.time() - seconds - 1)


def test_a_job_that_was_lost_is_left_again_within_seconds(quiet):
    overlook(quiet.workspace, seconds=6)
    beat_once(quiet.context)
    assert quiet.context.jobs.enqueued == [quiet.project.id]


def test_while_any_job_waits_none_is_taken_for_lost(quiet):
    overlook(quiet.workspace, seconds=6)
    quiet.context.jobs.enqueued.append(77)
    beat_once(quiet.context)
    assert quiet.context.jobs.enqueued == [77]


def test_a_hint_that_has_just_come_is_not_overlooked(quiet):
    overlook(quiet.workspace, seconds=1)
    beat_once(quiet.context)
    assert quiet.context.jobs.enqueued == []


def test_hints_of_a_loop_that_failed_wait_for_the_clock(quiet):
    overlook(quiet.workspace, seconds=6)
    quiet.workspace.change(last_looked_at=time.time())
    beat_once(quiet.context)
    assert quiet.context.jobs.enqueued == []


@pytest.mark.parametrize("last_call", ["import/predictions", "/api/ml/", "model-versions"])
def test_a_worker_that_lost_its_lease_stops_before_it_writes(last_call, quiet, label_studio, caplog):
    quiet.label(10)
    later = []

    def lose(request):
        if later and request.method != "GET":
            later.append(request.url.path)
        if last_call in request.url.path and not later:
            quiet.lose_lease()
            later.append("lost")

    label_studio.before_answering.append(lose)
    work(quiet)
    assert "code=lease-lost" in caplog.text
    assert quiet.version == "nl-000001-label-names" or last_call == "/api/ml/"
    assert later == ["lost"]
    assert is_due(quiet.workspace)
    assert quiet.workspace.registry.versions(quiet.workspace.key)[1:] == [
        "nl-000002" for _saved in [last_call] if last_call != "model-versions"
    ]


def test_while_the_queue_is_away_hints_are_kept_and_the_clock_asks_again(quiet, looked_at, monkeypatch):
    def away(_project):
        raise QueueUnavailable("The queue of jobs does not answer (ConnectionError).")

    with monkeypatch.context() as patched:
        patched.setattr(quiet.context.jobs, "enqueue", away)
        quiet.label(10)
        assert {status for _action, status in quiet.label_studio.delivered} == {201}
        assert leave_hint(quiet.workspace, "training") is False
        looked_at(quiet.project, 60)
        tick(quiet.context)
    assert is_due(quiet.workspace) and quiet.context.jobs.enqueued == []
    tick(quiet.context)
    assert quiet.context.jobs.enqueued == [quiet.project.id]


def test_a_project_whose_clock_fails_does_not_stop_the_others(quiet, database_fails):
    with database_fails("FROM hints"):
        tick(quiet.context)
    assert quiet.context.survived.count <= 1


def test_the_clean_up_after_a_loop_leaves_the_buttons_free(quiet, label_studio, client, settings):
    for _ in range(2):
        quiet.label(10)
        work(quiet)
    held = []

    def look(request):
        if request.method == "DELETE":
            with lease(quiet.workspace):
                held.append(request.url.path)

    label_studio.before_answering.append(look)
    quiet.label(10)
    work(quiet)
    assert len(held) == 10


def test_after_rollbacks_the_predictions_left_are_those_of_two_versions(quiet, label_studio):
    for _ in range(2):
        quiet.label(10)
        work(quiet)
    for version in ("nl-000001-label-names", "nl-000002", "nl-000001-label-names", "nl-000003"):
        rollback(quiet.workspace, version, progress=Silent())
        work(quiet)
        assert quiet.version == version and quiet.served() == quiet.window
        assert len({row["model_version"] for row in label_studio.predictions.values()}) <= 2


def test_while_people_skip_the_predictions_left_are_bounded(quiet, label_studio):
    left = []
    for _ in range(6):
        for _turn in range(10):
            task = label_studio.serve_next(quiet.project_id)
            if task is None:
                break
            label_studio.skip(task["id"])
        work(quiet)
        left.append(len(label_studio.predictions))
    # two versions stay, each with a window and as many tasks that others may look at again
    assert max(left) <= 2 * (10 + 10)


def test_three_labels_and_seven_skips_are_no_loop_until_seven_more_labels(quiet):
    quiet.label(3)
    for _ in range(7):
        quiet.label_studio.skip(quiet.served(1)[0])
    assert quiet.context.jobs.enqueued
    work(quiet)
    assert quiet.version == "nl-000001-label-names" and not is_due(quiet.workspace)
    assert quiet.workspace.hints.count("labels") == 3
    assert len(quiet.window) >= 5
    quiet.label(6)
    work(quiet)
    assert quiet.version == "nl-000001-label-names"
    quiet.label(1)
    work(quiet)
    assert quiet.version == "nl-000002"


def test_few_labels_and_skips_are_learned_from_when_the_clock_or_a_person_asks(quiet):
    quiet.label(3)
    for _ in range(7):
        quiet.label_studio.skip(quiet.served(1)[0])
    leave_hint(quiet.workspace, "timer")
    work(quiet)
    assert quiet.version == "nl-000002" and not is_due(quiet.workspace)
