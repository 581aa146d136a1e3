"""A damaged database and settings that are gone: every view goes on with the rest, and names them."""

import json
import sqlite3
from contextlib import closing

import pytest

from backend.workflows import work
from backend.workflows.connection.doctor import diagnose
from backend.workflows.views.dashboard.page import build_dashboard
from backend.workflows.views.metrics import refresh_metrics
from backend.workflows.views.status import project_status
from tests.workbench import DATABASE

PAGES = (
    *("/projects", "/projects/1", "/projects/1.json", "/projects/1/state.json", "/projects/1/map.json"),
    *("/projects/1/loops.json", "/projects/1/loops.csv", "/projects/1/wanted.json", "/metrics"),
)
OBJECTS = ("overrides", "tabs", "colours", "queue_settings", "settings_before", "progress")
MOMENTS = ("lease_until", "last_looked_at", "last_webhook_at", "read_whole_at")
NO_OBJECTS = ("[1, 2]", '"lost"', "{", "")
NO_MOMENTS = (9e999, -5.0, "lost")
DAMAGES = [
    *((column, value) for column in OBJECTS for value in NO_OBJECTS),
    *((column, value) for column in MOMENTS for value in NO_MOMENTS),
    *(("tabs", value) for value in ('{"novel": "first"}', "[" * 5000, "9" * 5000)),
]


def write(workbench, table, column, value):
    with closing(sqlite3.connect(workbench.context.settings.data_dir / DATABASE)) as database:
        database.execute(f"UPDATE {table} SET {column} = ?", [value])
        database.commit()


def assert_all_is_shown(workbench, client):
    for page in PAGES:
        answer = client.get(page)
        assert answer.status_code == 200, page
        if answer.is_json:
            json.loads(answer.get_data(as_text=True), parse_constant=pytest.fail)
    return {finding.check: finding for finding in diagnose(workbench.context, workbench.project_id)}


@pytest.mark.parametrize(("column", "value"), DAMAGES)
def test_a_damaged_row_is_shown_named_and_mended(column, value, trained, client, run_command):
    order, before = trained.served(), trained.project.overrides
    write(trained, "projects", column, value)
    found = assert_all_is_shown(trained, client)
    assert found["database"].verdict == "fault" and column in found["database"].message
    assert column in client.get("/projects/1").get_data(as_text=True)
    assert project_status(trained.workspace)["damaged_columns"] == [column]
    metrics = refresh_metrics(trained.context)
    assert metrics.get_sample_value("nextlabel_damaged_columns", {"project": "1"}) == 1
    assert column in run_command(trained.context, "status", "1").output
    work.tick(trained.context)
    trained.loop()
    assert project_status(trained.workspace)["damaged_columns"] == []
    assert (trained.served(), trained.project.overrides) == (order, before)


def test_settings_of_a_damaged_row_come_back_from_label_studio(workbench):
    workbench.connect(queue_window=7, audit_share=0.25)
    write(workbench, "projects", "overrides", "[]")
    workbench.loop()
    assert workbench.project.overrides == {"queue_window": 7, "audit_share": 0.25}


@pytest.mark.parametrize("version", ["../../etc", "[1, 2]", "no such version", "nl-999999", ".hidden"])
def test_a_version_that_is_no_folder_name_is_a_damaged_one(version, trained, client):
    write(trained, "projects", "active_version", version)
    assert assert_all_is_shown(trained, client)["version"].verdict == "fault"
    assert (
        f"the files of {version} are damaged; nl-000003 answers"
        in project_status(trained.workspace)["damage"]
    )
    assert trained.loop().outcome == "published"
    assert project_status(trained.workspace)["damage"] is None


TASKS = [
    *(("shown", value) for value in ("[1]", "5", "{", '{"nextlabel_flag": [1]}')),
    *(("answers", value) for value in ("{}", "[1, 2]", '"lost"', "[")),
    *(("missing_fields", value) for value in ('{"a": 1}', "[1]", "3", "nothing")),
]


@pytest.mark.parametrize(("column", "value"), TASKS)
def test_damaged_tasks_are_counted_and_read_again(column, value, trained, client):
    write(trained, "tasks", column, value)
    found = assert_all_is_shown(trained, client)["database"]
    assert found.verdict == "fault" and "40 tasks" in found.message and "connect 1" in found.cure
    trained.loop()
    trained.connect()
    assert trained.workspace.tasks.count_damaged() == 0


OTHERS = [
    *(("loops", "figures", value) for value in ("{", "[]", '{"labels": 1e999, "seconds": {"sync": NaN}}')),
    *(("loops", "figures", f'{{"labels": {10**400}, "signals": {{"macro_f1": -1e999}}}}') for _ in "1"),
    *(("loops", "started_at", value) for value in ("lost", 5, "2026-13-45")),
    *(("loops", "finished_at", value) for value in ("lost", 5, "2026-13-45")),
    *(("workers", "seen_at", value) for value in (9e999, "lost")),
]


@pytest.mark.parametrize(("table", "column", "value"), OTHERS)
def test_a_damaged_history_is_shown_as_far_as_it_can_be_read(table, column, value, trained, client):
    write(trained, table, column, value)
    assert_all_is_shown(trained, client)
    trained.label(10)
    assert trained.loop().outcome == "published"


GONE = [
    {"no_longer": 3},
    {"queue_window": 2},
    {"strategy": ["x"]},
    {"strategy": "bald-2019"},
    {"audit_share": None, "preannotate_floor": -1},
]


@pytest.mark.parametrize("gone", GONE, ids=str)
def test_a_stored_setting_that_is_gone_is_served_without_and_named(gone, trained, client):
    label_studio = {"nextlabel": gone | {"novelty_share": 0.25}}
    body = {"project": trained.project.reference, "extra_params": label_studio}
    assert client.post("/setup", json=body).json == {"model_version": "nl-000003"}
    settings, default = trained.workspace.settings, trained.context.settings
    assert settings.novelty_share == 0.25
    assert all(getattr(settings, name) == getattr(default, name) for name in gone if hasattr(default, name))
    trained.backend["extra_params"] = json.loads(json.dumps(label_studio))
    found = assert_all_is_shown(trained, client)["settings"]
    assert found.verdict == "warning" and all(name in found.message for name in gone)
    assert set(project_status(trained.workspace)["settings_passed_over"]) == set(gone)
    cards = {card["key"]: card["words"] for card in build_dashboard(trained.workspace)["waiting"]}
    assert cards["fault-settings"].removesuffix(".").lower() == found.message.lower()
    trained.connect()
    assert trained.project.overrides == {"novelty_share": 0.25}
    assert "settings" not in assert_all_is_shown(trained, client)
