"""Who did what, in which project, and when: no act of a person without its line."""

import json
import re
from functools import partial

import pytest
import typer

from backend.cli import app as cli
from backend.commands import shell
from backend.store.decisions import ACTS
from backend.workflows.views.audit import read_acts
from backend.workflows.views.loop_records import loop_records
from tests.answers import form_token

PERSON, PASSWORD = "an-admin", "a-password"

# Every route that takes something, and what it leaves in the audit; None where no person does anything by it.
ROUTES = {
    "/login": None,
    "/logout": None,
    "/setup": None,
    "/predict": None,
    "/webhook": None,
    "/train": None,
    "/job_status": None,
    "/projects/7/search": None,
    "/projects/7/labels/preview": None,
    "/projects/7/retrain": "loop-asked",
    "/projects/7/loop": "loop-asked",
    "/projects/7/rollback": "rollback",
    "/projects/7/add-class": "group-added",
    "/projects/7/reject-group": "group-rejected",
    "/projects/7/labels/change": "classes-…",
    "/projects/7/labels/undo": "classes-un…",
    "/projects/7/skips/answer": "skips-…",
    "/projects/7/skips/reopen": "skips-reopened",
    "/projects/7/tabs": "tab-made",
    "/projects/7/ask-next": "asked-next",
    "/projects/7/ask-next/undo": "asked-no-more",
}
# The same for commands.
COMMANDS = {
    "connect": "connected",
    "disconnect": "disconnected",
    "loop": "loop-run",
    "publish": "published",
    "rollback": "rollback",
    "ask-next": "asked-next",
    "classes add": "group-added",
    "classes reject": "group-rejected",
    "classes merge": "classes-merge",
    "classes rename": "classes-rename",
    "classes split": "classes-split",
    "classes undo": "classes-un…",
    "skips answer": "skips-…",
    "skips reopen": "skips-reopened",
}
# These only tell or measure something, or are no act in a project.
READING = {
    *("audit", "status", "versions", "replay", "doctor", "start", "serve", "worker", "classes list"),
    *("backup", "restore", "skips list", "simulate labels", "simulate novelty", "simulate synthetic"),
}


def names(command, before=""):
    for name, found in command.commands.items():
        whole = f"{before}{name}"
        if isinstance(found, typer.core.TyperGroup):
            yield from names(found, f"{whole} ")
        else:
            yield whole


def test_every_route_that_takes_something_was_thought_about(app):
    rules = (rule for rule in app.url_map.iter_rules() if "POST" in rule.methods)
    assert {re.sub(r"<int:\w+>", "7", str(rule)) for rule in rules} == set(ROUTES)


def test_every_command_was_thought_about():
    assert set(names(typer.main.get_command(cli))) == set(COMMANDS) | READING


@pytest.fixture
def locked(make_settings, make_context, make_app, trained):
    """A client before the trained project that is logged in by HTTP Basic."""
    context = make_context(make_settings(basic_auth_user=PERSON, basic_auth_pass=PASSWORD))
    return make_app(context).test_client()


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("loop", {}),
        ("retrain", {}),
        ("rollback", {"version": "nl-000002"}),
        ("tabs", {"tasks": "1,2,3"}),
        ("ask-next", {"tasks": ",".join(map(str, range(1, 41)))}),
        ("ask-next/undo", {}),
    ],
)
def test_what_a_person_does_on_the_page_leaves_a_line(path, fields, locked, trained):
    before = len(read_acts(trained.context, 1000))
    login = (PERSON, PASSWORD)
    token = form_token(locked.get("/projects/1", auth=login).get_data(as_text=True))
    answer = locked.post(f"/projects/1/{path}", data={"csrf_token": token, **fields}, auth=login)
    assert answer.status_code in (200, 202, 303)
    act, *earlier = read_acts(trained.context, 1000)
    assert len(earlier) == before
    assert (act["by"], act["project"], act["kind"]) == (PERSON, 1, ROUTES[f"/projects/7/{path}"])
    assert act["at"].endswith("+00:00") and act["words"] != act["kind"]


@pytest.mark.parametrize(
    "typed", [("loop", "1"), ("publish", "1"), ("rollback", "1", "nl-000002"), ("disconnect", "1")]
)
def test_what_a_person_types_leaves_a_line(typed, trained, run_command, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "a-person")
    assert run_command(trained.context, *typed).exit_code == 0
    act = read_acts(trained.context, 1)[0]
    assert (act["by"], act["project"], act["kind"]) == ("a-person", 1, COMMANDS[typed[0]])


def test_connecting_is_told_with_the_names_of_its_settings(workbench, run_command, monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "a-person")
    hints = 'label_hints={"cats": "a hint"}'
    assert run_command(workbench.context, "connect", "1", "--set", hints).exit_code == 0
    act = read_acts(workbench.context, 1)[0]
    assert (act["by"], act["kind"], act["details"]) == (
        "a-person",
        "connected",
        {"settings": ["label_hints"]},
    )


def test_the_command_tells_them_newest_first(trained, run_command):
    run = partial(run_command, trained.context)
    for version in ("nl-000001-label-names", "nl-000002"):
        run("rollback", "1", version)
    assert run("audit", "1").stdout.index("went back to model 2") < run("audit", "1").stdout.index("model 1")
    (newest,) = json.loads(run("audit", "--json", "--last", "1").stdout)["acts"]
    assert newest["details"] == {"version": "nl-000002"}
    assert run("audit", "99").exit_code == 1


def test_before_anybody_has_done_anything_that_is_said(workbench, run_command):
    assert "Nobody has done anything yet." in run_command(workbench.context, "audit").stdout


def test_what_decides_nothing_stays_out_of_the_records_and_off_the_page(trained):
    before = loop_records(trained.workspace), len(trained.workspace.decisions.newest(100))
    for kind in ACTS:
        trained.workspace.decisions.add(kind, {"tasks": 3}, by=PERSON)
    assert (loop_records(trained.workspace), len(trained.workspace.decisions.newest(100))) == before
    assert {act["kind"] for act in read_acts(trained.context, len(ACTS))} == ACTS


def test_a_user_without_a_name_is_called_by_his_number(monkeypatch):
    def fail():
        raise KeyError("getpwuid(): uid not found: 1000")

    monkeypatch.setattr("getpass.getuser", fail)
    assert re.fullmatch(r"user \d+", shell.who())
