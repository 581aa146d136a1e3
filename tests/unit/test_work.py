"""The worker: loops that are due, the clock, and the sign of life."""

import logging
import threading
import time

import httpx
import pytest
from sqlalchemy import func, select

from backend.database import Hint, Loop, Project, Worker
from backend.workflows.project.hints import is_due, leave_hint
from backend.workflows.project.lease import lease
from backend.workflows.project.workers import beat_forever, living_workers
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
    quiet.label_studio.before_answering.append(lambda _request: seen.append(quiet.project.progress["stage"]))
    work(quiet)
    assert list(dict.fromkeys(seen)) == [
        "looking at Label Studio",
        "fetching tasks",
        "encoding texts",
        "publishing",
        "removing old predictions",
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


def test_while_label_studio_is_away_the_hints_stay(quiet, label_studio, monkeypatch, caplog):
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda _seconds: None)

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
