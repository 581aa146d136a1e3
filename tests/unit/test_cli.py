"""The command line: help that teaches, errors in two lines, one JSON object on demand."""

import csv
import json
import socket
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC
from functools import partial
from zoneinfo import ZoneInfo

import httpx
import pytest
import typer
from typer.testing import CliRunner

from backend import __version__
from backend.cli import app
from backend.log_fields import log_fields, log_scope
from backend.settings import ProjectSettings
from backend.workflows.project.workers import living_workers
from backend.workflows.serving.lines import MOST_LINES
from demo.child_process import find_free_port
from tests.conftest import BACKEND_URL

COMMANDS = typer.main.get_command(app).commands
# Those that take a file have their tests in test_backup.py.
OF_FILES = {"backup", "restore"}
WITH_JSON = [
    name
    for name, command in COMMANDS.items()
    if name not in OF_FILES and any("--json" in p.opts for p in command.params)
]


@pytest.fixture
def run(workbench, run_command):
    """run("status", "1"): what the command prints; the Label Studio in memory is the one it talks to."""
    return partial(run_command, workbench.context)


def assert_two_lines(result, message, cure):
    """The command failed with what happened and what to do, and nothing else."""
    assert result.exit_code == 1
    assert result.stdout == ""
    error, fix = (line for line in result.stderr.splitlines() if not line.startswith("… "))
    assert error.startswith("Error: ") and message in error
    assert fix.startswith("To fix it: ") and cure in fix


def test_without_a_command_the_help_says_where_to_start():
    result = CliRunner().invoke(app, [])
    assert "nextlabel start" in result.output and "nextlabel connect 1" in result.output
    for name in COMMANDS:
        assert name in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_teaches(name, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    result = CliRunner().invoke(app, [name, "--help"], prog_name="nextlabel")
    assert result.exit_code == 0
    assert COMMANDS[name].help.splitlines()[0] in result.stdout
    for parameter in COMMANDS[name].params:
        assert parameter.help, f"{name}: {parameter.name} is not explained"


def test_the_help_of_connect_names_the_settings_of_a_project(monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    text = " ".join(CliRunner().invoke(app, ["connect", "--help"]).stdout.split())
    assert all(name in text for name in ProjectSettings.model_fields)


def test_connect_says_what_it_found_did_and_saw(run, workbench):
    result = run("connect", "1")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "Signed in as admin@example.com (legacy token)."
    assert lines[1] == "Project 1 “A project”: 2 labels."
    assert "  + ML backend registered" in lines
    assert "A new order is published: version nl-000001-label-names, 10 tasks in the window" in result.stdout
    assert f"The order served is the order published: task {workbench.window[0]} comes next." in lines
    assert lines[-2].endswith("connect 1 --explain")
    assert lines[-1].endswith("/projects/1")


def test_connect_again_says_that_nothing_has_changed(run):
    run("connect", "1")
    result = run("connect", "1")
    assert result.exit_code == 0
    assert "Already registered; nothing to change." in result.stdout
    assert "Nothing has changed since the last loop: version nl-000001-label-names." in result.stdout


def test_connect_sets_what_is_the_projects_own(run, workbench):
    assert run("connect", "1", "--set", "queue_window=5", "--set", "strategy=margin").exit_code == 0
    assert workbench.project.overrides == {"queue_window": 5, "strategy": "margin"}
    assert len(workbench.window) == 5


@pytest.mark.parametrize(
    ("pair", "said"),
    [
        ("queue_window", "expected NAME=VALUE"),
        ("no_such=1", "expected NAME=VALUE"),
        ("port=1", "expected NAME=VALUE"),
        ("queue_window=1", "greater than or equal to 5"),
        ("queue_window=many", "valid integer"),
        ("strategy=clever", "no strategy"),
        ("strategy=[1]", "valid string"),
        ("=5", "expected NAME=VALUE"),
        ("label_hints={broken", "label_hints: is no JSON object"),
        ("quue_window=50", "Did you mean queue_window?"),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_is_done(pair, said, run, label_studio):
    result = run("connect", "1", "--set", pair)
    assert result.exit_code == 1
    assert said in result.stderr and "Traceback" not in result.output
    assert label_studio.calls == []


def test_connect_fails_when_the_order_is_not_ours(run, label_studio):
    def serve_another(request):
        if request.url.path.endswith("/next"):
            return httpx.Response(200, json={"id": 9999, "queue": "Active learning or random queue"})
        return None

    label_studio.before_answering.append(serve_another)
    result = run("connect", "1")
    assert result.exit_code == 1
    assert "NOT the order published" in result.stdout


def test_disconnect_lists_what_it_took_back(run, connected):
    result = run("disconnect", "1")
    assert result.exit_code == 0
    assert [line.strip() for line in result.stdout.splitlines()] == [
        "webhook removed",
        "ML backend removed",
        "10 predictions removed",
        "our fields removed from 10 tasks, and our tabs",
        "sampling set back to 'Sequential sampling'",
        "Project 1 is disconnected.",
    ]


def test_doctor_marks_every_check_and_names_the_cure(run, connected):
    result = run("doctor", "1")
    assert result.exit_code == 1  # no worker is alive
    assert "✗ worker: no worker is alive" in result.stdout
    assert "    Run: nextlabel start" in result.stdout
    assert "✓ sampling: Uncertainty sampling" in result.stdout


def test_loop_says_what_it_did(run, connected):
    connected.label(10)
    result = run("loop", "1")
    assert result.exit_code == 0
    assert "A new order is published: version nl-000002, 10 tasks in the window, ranked by" in result.stdout
    assert "from 10 labels and 30 unlabelled tasks." in result.stdout
    assert "Nothing has changed since the last loop" in run("loop", "1").stdout


def test_loop_names_what_label_studio_did_not_take(run, connected, label_studio):
    connected.label(10)
    label_studio.change_project(1, title="renamed")
    gone = []

    def delete(request):
        if "import/predictions" in request.url.path and not gone:
            waiting = [number for number, task in connected.tasks.items() if not task["is_labeled"]]
            gone.extend(waiting[:15])
            label_studio.delete_tasks(gone)

    label_studio.before_answering.append(delete)
    assert "Label Studio took no prediction for tasks [" in run("loop", "1").stdout


def test_publish_says_how_many_it_sent(run, connected):
    assert "30 tasks outside it were pre-annotated" in run("publish", "1", "--all").stdout
    assert "0 tasks outside it were pre-annotated" in run("publish", "1").stdout


def test_status_shows_the_project(run):
    assert "Nothing is connected yet" in run("status").stdout
    run("connect", "1")
    for arguments in (("status",), ("status", "1")):
        text = run(*arguments).stdout
        assert "Project 1 “A project”" in text
        assert "nl-000001-label-names" in text and "0 of 40 tasks" in text
        assert "the next 10 tasks are in order" in text and "No blind answer yet" in text
        assert f"{BACKEND_URL}/projects/1" in text


def test_versions_and_rollback(run, connected):
    connected.label(10)
    run("loop", "1")
    table = run("versions", "1").stdout
    assert table.index("nl-000002") < table.index("nl-000001-label-names")
    assert "2 of 30 blind answers" in table
    result = run("rollback", "1", "nl-000001-label-names")
    assert result.stdout == "nl-000001-label-names serves again, with 10 tasks in its window.\n"


@pytest.mark.parametrize("title", ["[/b] [bold]cats[/nothing]", "[red]", "a [0] b"])
def test_titles_that_look_like_markup_are_printed_as_they_are(title, run, label_studio):
    label_studio.change_project(1, title=title)
    result = run("connect", "1")
    assert result.exit_code == 0, result.output
    assert title in result.stdout
    assert title in run("status", "1").stdout


def test_errors_that_look_like_markup_are_printed_as_they_are(run):
    result = run("rollback", "1", "[/v1]")
    assert result.exit_code == 1
    run("connect", "1")
    assert_two_lines(run("rollback", "1", "[/v1]"), "has no version '[/v1]'", "nextlabel versions 1")


# Errors


@pytest.mark.parametrize(
    "arguments",
    [("disconnect",), ("loop",), ("publish",), ("status",), ("versions",), ("rollback", "nl-000001")],
)
def test_what_is_not_connected_is_named_with_the_cure(arguments, run):
    command, *rest = arguments
    assert_two_lines(run(command, "99", *rest), "Project 99 is not connected", "nextlabel connect 99")


def test_an_unknown_project_cannot_be_connected(run):
    assert_two_lines(run("connect", "99"), "no project 99", "You can see: 1.")


def test_a_backend_that_does_not_run_is_named(run, label_studio):
    label_studio.serve(BACKEND_URL, None)
    assert_two_lines(run("connect", "1"), "no good answer", "nextlabel start")


def test_a_refused_token_is_named_with_the_cure(run, label_studio):
    label_studio.legacy_tokens_enabled = False
    assert_two_lines(run("connect", "1"), "refuses the legacy token", "Use a personal access token")


def test_errors_stay_two_lines_on_a_narrow_terminal(run, set_width):
    set_width(30)
    assert_two_lines(run("status", "99"), "is not connected to this backend", "nextlabel connect 99")


def test_a_wrong_setting_in_the_environment_is_named(run, monkeypatch):
    monkeypatch.setenv("QUEUE_WINDOW", "1")
    assert_two_lines(run("status"), "QUEUE_WINDOW: Input should be greater than or equal to 5", "Settings")


@pytest.mark.parametrize("command", ["serve", "worker", "status"])
def test_a_model_store_that_nobody_knows_stops_every_command_and_makes_no_folder(
    command, run, monkeypatch, tmp_path
):
    before = set(tmp_path.rglob("*"))
    monkeypatch.setenv("MODEL_STORE", "bucket://models")
    assert_two_lines(run(command), "MODEL_STORE: addresses that start with bucket://", "Settings")
    assert set(tmp_path.rglob("*")) == before


def test_ctrl_c_stops_without_a_traceback(run, monkeypatch):
    def interrupt(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("backend.workflows.views.status.all_statuses", interrupt)
    result = run("status")
    assert (result.exit_code, result.stderr.strip()) == (130, "Stopped.")


@pytest.mark.parametrize(
    "arguments", [("loop",), ("loop", "one"), ("rollback", "1"), ("nothing",), ("loop", "--x")]
)
def test_a_command_that_is_misused_says_how_it_is_used(arguments, run):
    result = run(*arguments)
    assert result.exit_code == 2
    assert "Usage: nextlabel" in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ["serve", "start"])
def test_a_port_that_is_taken_or_does_not_exist_is_named(command, run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert_two_lines(run(command, "--port", port), f"Port {port} of 127.0.0.1 is taken", "BACKEND_URL")
    assert_two_lines(run(command, "--port", "99999"), "There is no port 99999", "--port")
    assert_two_lines(run(command, "--port", "0"), "There is no port 0", "--port")
    assert_two_lines(run(command, "--host", "no.such.host.invalid"), "no address of this machine", "--host")


def test_a_token_that_was_cut_is_named_before_label_studio_is_asked(
    run_command, make_context, make_settings, label_studio
):
    token = "eyJhbGciOiJIUzI1NiJ9.eyJhIjox"
    result = run_command(make_context(make_settings(label_studio_api_key=token)), "connect", "1")
    assert_two_lines(result, "some are missing", "Account & Settings")
    assert token not in result.output and label_studio.calls == []


def test_the_version_is_told(run):
    assert run("--version").stdout == f"nextlabel {__version__}\n"


def test_versions_never_cut_the_name_that_rollback_needs(run, connected, set_width):
    for columns in (40, 80, 200):
        set_width(columns)
        told = run("versions", "1").stdout
        assert "nl-000001-label-names" in told and "no blind answers yet" in told and "…" not in told


def test_times_are_those_of_the_reader(run, connected, monkeypatch, request):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    request.addfinalizer(time.tzset)
    request.addfinalizer(lambda: monkeypatch.undo())
    moment = connected.workspace.loops.newest().started_at.replace(tzinfo=UTC)
    told = moment.astimezone(ZoneInfo("Asia/Tokyo")).strftime("%Y-%m-%d %H:%M JST")
    assert f"1: published {told}" in run("status", "1").stdout
    assert one_object(run("status", "1", "--json"))["last_loop"]["started_at"].endswith("Z")


def test_a_loop_has_a_number_within_its_project_which_replay_takes(run, label_studio, workbench):
    other = label_studio.add_project(texts=["a text about cats"] * 12)
    run("connect", "1")
    assert run("connect", str(other)).exit_code == 0
    data = one_object(run("status", str(other), "--json"))
    assert (data["last_loop"]["loop"], data["last_loop"]["number"]) == (2, 1)
    assert [(record["loop"], record["number"]) for record in data["loops"]] == [(2, 1)]
    assert run("replay", str(other), "1").stdout.startswith("Loop 1, version nl-000001")
    assert_two_lines(run("replay", str(other), "2"), "has no loop 2", "take one from 1 to 1")
    with log_scope():
        run("loop", str(other))
        assert log_fields()["loop"] == 2, "the log gives the number that commands take"
    message = f"Project {other} has no loop 2 that published a version"
    assert_two_lines(run("replay", str(other), "2"), message, "status")


# JSON


def one_object(result):
    """What a machine reads: standard output is one JSON object and nothing else."""
    (line,) = result.stdout.splitlines()
    data = json.loads(line)
    assert isinstance(data, dict)
    return data


# What a command needs beside the project.
MORE = {"replay": ("1",)}


def test_these_commands_speak_json():
    assert set(WITH_JSON) >= {"connect", "doctor", "loop", "status", "versions"}


@pytest.mark.parametrize("name", WITH_JSON)
def test_json_is_one_object(name, run, connected):
    result = run(name, "1", *MORE.get(name, ()), "--json")
    assert one_object(result)
    assert result.exit_code == (1 if name == "doctor" else 0)


@pytest.mark.parametrize("name", [name for name in WITH_JSON if name != "doctor"])
def test_errors_are_json_too(name, run):
    result = run(name, "99", *MORE.get(name, ()), "--json")
    assert result.exit_code == 1
    error = one_object(result)["error"]
    assert set(error) == {"code", "message", "hint"} and error["code"] == "not-found"
    assert "Error:" not in result.output


def test_connect_as_json(run, workbench):
    data = one_object(run("connect", "1", "--json"))
    assert data["in_order"] is True and data["served"] == data["expected"] == workbench.window[0]
    assert data["loop"]["outcome"] == "published"
    assert (data["project"], data["labels"], data["token"]) == (1, 2, "legacy")


def test_loop_as_json(run, connected):
    connected.label(10)
    data = one_object(run("loop", "1", "--json"))
    assert (data["outcome"], data["version"]) == ("published", "nl-000002")
    assert (
        2 <= data["figures"]["until_published"]["writes"] <= 2 + MOST_LINES
        and data["figures"]["rejected"] == []
    )


def test_status_as_json(run):
    assert one_object(run("status", "--json")) == {"projects": []}
    run("connect", "1")
    (row,) = one_object(run("status", "--json"))["projects"]
    alone = one_object(run("status", "1", "--json"))
    (record,) = alone.pop("loops")
    assert row == alone | {"workers": row["workers"]}
    assert row["window"] == {"size": 10, "left": 10}
    assert (record["version"], record["outcome"]) == (row["version"], "published")


def test_status_writes_the_record_of_every_loop_as_csv(run, trained, tmp_path):
    path = tmp_path / "loops.csv"
    assert "nl-000003" in run("status", "1", "--csv", str(path)).stdout
    with path.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["labels"] for row in rows] == ["0", "6", "12"]
    assert_two_lines(run("status", "--csv", str(path)), "--csv needs a project", "status PROJECT --csv FILE")
    assert "can not be written" in run("status", "1", "--csv", str(tmp_path)).stderr


def test_doctor_as_json_names_check_verdict_message_and_cure(run):
    findings = one_object(run("doctor", "--json"))["findings"]
    assert all(set(finding) == {"check", "verdict", "message", "cure"} for finding in findings)


def test_serve_takes_host_and_port_from_the_settings_or_the_command_line(run, monkeypatch):
    served = []
    monkeypatch.setattr("backend.server.serve_http", lambda **where: served.append(where))
    first, second = find_free_port(), find_free_port()
    monkeypatch.setenv("PORT", str(first))
    run("serve")
    run("serve", "--host", "127.0.0.2", "--port", str(second))
    assert served == [{"host": "127.0.0.1", "port": first}, {"host": "127.0.0.2", "port": second}]


@pytest.mark.parametrize("command", ["serve", "start"])
def test_where_others_could_reach_it_nothing_listens_without_a_log_in(command, run):
    result = run(command, "--host", "0.0.0.0", "--port", str(find_free_port()))
    assert result.exit_code == 1
    assert_two_lines(result, "it has no log-in", "--without-login")


def test_listening_without_a_log_in_has_to_be_said(run, monkeypatch):
    served = []
    monkeypatch.setattr("backend.server.serve_http", lambda **where: served.append(where["host"]))
    run("serve", "--host", "0.0.0.0", "--port", str(find_free_port()), "--without-login")
    monkeypatch.setenv("BASIC_AUTH_USER", "admin")
    monkeypatch.setenv("BASIC_AUTH_PASS", "a-password")
    run("serve", "--host", "0.0.0.0", "--port", str(find_free_port()))
    assert served == ["0.0.0.0"] * 2


def test_a_worker_beats_while_it_works(run_command, workbench):
    alive = []

    class Jobs:
        def consume(self, *, workers, stopping):
            alive.extend(living_workers(workbench.context))

        def enqueue(self, project):
            """Nothing waits."""

    context = replace(workbench.context, jobs=Jobs())
    assert run_command(context, "worker").exit_code == 0
    assert living_workers(workbench.context) == []


@pytest.fixture
def run_with(no_environment, tmp_path, monkeypatch):
    """run_with("serve", DATA_DIR="x"): what a command prints under these settings, nothing being faked."""
    for name in ("nextlabel.db", "jobs.db", "migrations.lock"):
        (tmp_path / f"no-{name}" / name).mkdir(parents=True)
    (tmp_path / "odd-jobs").mkdir()
    (tmp_path / "odd-jobs" / "jobs.db").write_text("no database. " * 50)
    (tmp_path / "a-file").write_text("this is no folder, and no database either. " * 30)
    monkeypatch.setattr("backend.logs.start_logging", lambda *_given: None)

    def invoke(command="status", **values):
        monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
        monkeypatch.setattr("sys.argv", ["backend", command])
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(app, [command], prog_name="nextlabel")

    return invoke


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DATA_DIR", "a-file", "A setting is wrong. DATA_DIR: a-file cannot be used: "),
        ("DATA_DIR", "a-file/below", "A setting is wrong. DATA_DIR: a-file/below cannot be used: "),
        ("DATA_DIR", "/proc/nextlabel", "A setting is wrong. DATA_DIR: /proc/nextlabel cannot be used: "),
        ("MODEL_STORE", "a-file", "A setting is wrong. MODEL_STORE: a-file cannot be used: "),
        (
            "DATABASE_URL",
            "sqlite:///a-file",
            "A setting is wrong. DATABASE_URL: the database cannot be opened: ",
        ),
        ("DATABASE_URL", "sqlite:///no/such/x.db", "The database cannot be used now: unable to open"),
        ("DATABASE_URL", "postgresql://me:sesame@127.0.0.1:1/x", "The database cannot be used now: "),
        ("DATABASE_URL", "postgresql+asyncpg://me:sesame@h/x", "A setting is wrong. DATABASE_URL: "),
        ("DATABASE_URL", "sqlite:////proc/none/x.db", "The database cannot be used now: unable to open"),
        ("DATA_DIR", "no-nextlabel.db", "The database cannot be used now: unable to open"),
        (
            "DATA_DIR",
            "no-migrations.lock",
            "A setting is wrong. DATA_DIR: /",
        ),
    ],
)
@pytest.mark.parametrize("command", ["status", "serve", "worker"])
def test_a_place_that_cannot_be_used_is_named_in_two_lines(command, name, value, said, run_with):
    found = run_with(command, **{name: value})
    assert found.exit_code == 1
    told, cure = found.output.strip().splitlines()
    assert told.startswith(f"Error: {said}")
    assert cure.startswith("To fix it: ")
    assert "sesame" not in found.output


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DATA_DIR", "no-jobs.db", "The queue of jobs cannot be opened: unable to open"),
        ("DATA_DIR", "odd-jobs", "The queue of jobs cannot be opened: file is not a database"),
        ("REDIS_URL", "redis://127.0.0.1:port/0", "The queue of jobs cannot be opened: "),
    ],
)
@pytest.mark.parametrize("command", ["serve", "worker"])
def test_a_queue_that_cannot_be_opened_is_named_in_two_lines(command, name, value, said, run_with):
    told, cure = run_with(command, **{name: value}).output.strip().splitlines()
    assert told.startswith(f"Error: {said}")
    assert cure.startswith("To fix it: ")


def test_a_database_of_a_later_release_is_left_alone(run_with, tmp_path):
    assert run_with().exit_code == 0
    with closing(sqlite3.connect(tmp_path / "data" / "nextlabel.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.commit()
    found = run_with()
    assert found.exit_code == 1 and "a later release" in found.output


@pytest.mark.parametrize("command", ["serve", "worker", "start"])
def test_a_wrong_setting_of_what_stays_is_an_object_where_the_log_is(command, run_with):
    result = run_with(command, LOG_FORMAT="json", PORT="no number")
    (line,) = (json.loads(line) for line in result.stderr.splitlines())
    assert result.exit_code == 1
    assert {"time", "level", "module", "event"} <= set(line)
    assert line["level"] == "ERROR" and "PORT" in line["event"] and "README" in line["event"]
