"""The log: one event a line, and never a token or what somebody wrote or said."""

import io
import logging

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend.logs import start_logging
from backend.workflows.connection.disconnect import disconnect
from backend.workflows.connection.doctor import diagnose
from backend.workflows.project.hints import leave_hint
from backend.workflows.work import run_pending, tick
from tests.conftest import WEBHOOK_SECRET
from tests.fake_label_studio import LEGACY_TOKEN
from tests.workbench import Workbench

PASSWORD = "a-password-nobody-may-read"
TEXT = "whiskerandomly-secret-text"
LABEL = "Very Private Label"


@pytest.fixture
def log():
    """Everything that is logged at the level DEBUG, as `start_logging` sets it up."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    levels = {
        name: logger.level for name, logger in root.manager.loggerDict.items() if hasattr(logger, "level")
    }
    root.handlers = []
    start_logging("DEBUG")
    stream = io.StringIO()
    root.handlers[0].setStream(stream)
    yield stream
    root.handlers, level = before
    root.setLevel(level)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def busy_day(log, make_context, make_app, make_settings, label_studio):
    """Connect, label, train, predict, fail, go back, diagnose, disconnect: what the log says of it all."""
    settings = make_settings(basic_auth_user="nextlabel", basic_auth_pass=PASSWORD)
    context = make_context(settings)
    app = make_app(context)
    project = label_studio.add_project(
        labels=[LABEL, "another"], texts=[f"{TEXT} number {n}" for n in range(30)]
    )
    workbench = Workbench(context, label_studio, project)
    workbench.connect()
    for turn in range(10):
        task = label_studio.serve_next(project)
        label_studio.annotate(task["id"], [LABEL, "another"][turn % 2])
    run_pending(context, workbench.workspace.id)
    label_studio.open_task(next(number for number in workbench.tasks if number not in workbench.scores))
    label_studio.before_answering.append(_lose_a_task(label_studio, workbench))
    label_studio.annotate(label_studio.serve_next(project)["id"], LABEL)
    leave_hint(workbench.workspace, "training")
    run_pending(context, workbench.workspace.id)
    client = app.test_client()
    client.post("/predict", json={"tasks": [{"data": {"text": TEXT}}], "label_config": f"<View>{LABEL}"})
    client.post("/webhook", json={"action": "X"}, headers={"X-Nextlabel-Secret": "wrong"})
    label_studio.change_project(project, label_config=f'<View><Text name="{LABEL}" value="$text"/></View>')
    leave_hint(workbench.workspace, "training")
    run_pending(context, workbench.workspace.id)
    diagnose(context, project)
    tick(context)
    disconnect(workbench.workspace)
    return log.getvalue()


def _lose_a_task(label_studio, workbench):
    lost = []

    def lose(request):
        if "import/predictions" in request.url.path and not lost:
            waiting = [number for number, task in workbench.tasks.items() if not task["is_labeled"]]
            lost.extend(waiting[:15])
            label_studio.delete_tasks(lost)

    return lose


def test_a_busy_day_leaves_its_traces(busy_day):
    assert "loop done project=1 outcome=published version=nl-000002" in busy_day
    assert "label studio took no prediction project=1 tasks=[" in busy_day
    assert "loop failed project=1 code=unsupported-config" in busy_day


def test_no_secret_and_nothing_that_people_wrote_or_said_is_logged(busy_day):
    for secret in (LEGACY_TOKEN, PASSWORD, WEBHOOK_SECRET, "Basic ", TEXT, LABEL):
        assert secret not in busy_day


def test_libraries_that_log_whole_requests_are_quiet_even_at_debug(log):
    for name in ("httpx", "httpcore.http11", "sqlalchemy.engine", "huey", "alembic.runtime"):
        assert not logging.getLogger(name).isEnabledFor(logging.INFO), name


def test_a_line_carries_time_level_and_module(log):
    logging.getLogger("backend.somewhere").info("event project=%s", 3)
    (line,) = log.getvalue().splitlines()
    assert line.endswith("INFO backend.somewhere event project=3")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\u2028", "\x0b", "\x85", "\x1b[2K"])
def test_no_name_begins_another_line_of_the_log(end, log):
    logging.getLogger("backend.somewhere").warning("project=%s", f"Cats{end}2026 ERROR backend.forged x")
    (line,) = log.getvalue().splitlines()
    assert "\x1b" not in line and line.endswith("2026 ERROR backend.forged x")


def test_a_failing_statement_does_not_print_its_values(context):
    with pytest.raises(SQLAlchemyError) as caught, context.database.session() as session:
        session.execute(text("INSERT INTO nothing VALUES (:x)"), {"x": TEXT})
    assert TEXT not in str(caught.value)
