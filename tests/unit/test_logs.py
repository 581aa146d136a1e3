"""The log: one event a line, and never a token or what somebody wrote or said."""

import io
import json
import logging
import re
import threading

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from backend.log_fields import log_scope
from backend.logs import start_logging
from backend.routes.access import HEADER
from backend.start import Stream
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
def style():
    """The format of the log, as LOG_FORMAT names it."""
    return "text"


@pytest.fixture
def log(style):
    """Everything that is logged at the level DEBUG, as `start_logging` sets it up."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    levels = {
        name: logger.level for name, logger in root.manager.loggerDict.items() if hasattr(logger, "level")
    }
    root.handlers = []
    start_logging("DEBUG", style)
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


@pytest.mark.parametrize("style", ["text", "json"])
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


# Numbers and fields


def objects(log):
    return [json.loads(line) for line in log.splitlines()]


@pytest.mark.parametrize("style", ["json"])
def test_every_line_of_a_busy_day_is_an_object_with_its_request_or_loop(busy_day):
    lines = objects(busy_day)
    assert all({"time", "level", "module", "event"} <= set(line) for line in lines)
    loops = [line for line in lines if line["event"].startswith(("loop done", "loop failed"))]
    assert len(loops) >= 3 and all(line["project"] == 1 and line["loop"] > 0 for line in loops)
    assert len({line["loop"] for line in loops}) == len(loops)
    requests = [line for line in lines if line["event"].startswith("request done")]
    assert {line["rule"] for line in requests} >= {"/predict", "/webhook", "/health"}
    assert all(line["request"] and line["seconds"] >= 0.0 for line in requests)
    told = [line for line in lines if line["module"].startswith("backend.workflows")]
    assert told and all("project" in line for line in told)


@pytest.mark.parametrize("style", ["json"])
def test_fields_of_an_event_stand_beside_it_and_never_in_place_of_its_time(log):
    logging.getLogger("backend.x").warning("a %s level=%s time=%s n=%d f=%.2f", "b", "low", "now", 3, 0.5)
    (line,) = objects(log.getvalue())
    assert line["event"] == "a b level=low time=now n=3 f=0.50"
    assert (line["level"], line["n"], line["f"]) == ("WARNING", 3, 0.5) and line["time"].startswith("20")


@pytest.mark.parametrize("style", ["json"])
@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "\u2028", "\udc80", "\x1b[2K\n", object(), None]
)
def test_any_value_is_one_line_of_json(value, log):
    root = logging.getLogger()
    for handler in root.handlers[1:]:  # pytest's own, which hand on what UTF-8 has no bytes for
        root.removeHandler(handler)
    logging.getLogger("backend.x").warning("event field=%s", value)
    (line,) = log.getvalue().splitlines()
    assert line.isascii() and "field" in json.loads(line)


def test_a_text_line_ends_with_the_number_of_its_request_and_says_nothing_twice(log):
    with log_scope(request="abc", project=3):
        logging.getLogger("backend.x").warning("event project=%s", 3)
    (line,) = log.getvalue().splitlines()
    assert line.endswith("event project=3 request=abc")


@pytest.mark.parametrize("given", ["abc-1.2_3", "7f" * 20])
def test_a_harmless_number_of_a_request_is_kept_and_answered(given, log, client):
    answer = client.get("/versions", headers={HEADER: given})
    assert answer.headers[HEADER] == given
    assert f"request={given}" in log.getvalue()


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "../x", "-rf", "é", "a=b", "<script>", '"'])
def test_any_other_is_replaced_by_one_of_ours(given, log, client):
    answer = client.get("/versions", headers={HEADER: given})
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers[HEADER])
    assert answer.headers[HEADER] in log.getvalue() and (not given or given not in log.getvalue())


def test_two_requests_have_two_numbers_and_what_comes_after_them_has_none(log, client):
    numbers = {client.get("/versions").headers[HEADER] for _ in range(2)}
    logging.getLogger("backend.x").warning("afterwards")
    assert len(numbers) == 2 and log.getvalue().splitlines()[-1].endswith("afterwards")


def test_an_address_is_logged_by_its_rule_alone(log, client):
    client.get(f"/projects/1.json?q={TEXT}")
    client.get(f"/{TEXT}")
    client.open("/versions", method="WHISKER")
    said = log.getvalue()
    assert TEXT not in said and "WHISKER" not in said
    assert "rule=/projects/<int:project_id>.json status=404" in said and "rule=unknown status=404" in said
    assert "method=other" in said and "project=1" in said


def test_whoever_watches_fills_no_log(log, client):
    client.get("/health")
    assert " DEBUG backend.routes.access request done method=GET rule=/health status=200" in log.getvalue()


def test_fields_of_one_thread_are_not_those_of_another(log):
    with log_scope(request="abc"):
        thread = threading.Thread(target=logging.getLogger("backend.x").warning, args=["from elsewhere"])
        thread.start()
        thread.join()
    assert "abc" not in log.getvalue()


def test_start_passes_objects_on_and_makes_objects_of_all_else(capsys):
    stream = Stream("json")
    stream.say('{"event": "one"}', name="web")
    stream.say("two", name="worker")
    first, second = objects(capsys.readouterr().out)
    assert first == {"event": "one"}
    assert second.pop("time")
    assert second == {"level": "INFO", "module": "worker", "event": "two"}
