"""A project of an earlier release (`tests/fixtures/make_release.py`): upgraded, read, looped on, gone back.

Whether its loops can be replayed bit for bit is not asked: another processor may round otherwise.
"""

import json
import shutil
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from backend.database import Base
from backend.workflows import work
from backend.workflows.intake.published import window_for
from backend.workflows.intake.snapshot import ALGORITHM
from backend.workflows.project.machine import this_machine
from backend.workflows.views.wording import model_name
from tests.fake_label_studio import SOMEBODY_ELSE
from tests.fixtures.make_release import MADE_WITH, MODELS, REMOTE, make_release
from tests.workbench import DATABASE, Workbench

RELEASE = Path(__file__).parents[1] / "fixtures" / "release_0_1"
OLDEST, *_, NEWEST = VERSIONS = ["nl-000001-label-names", "nl-000002", "nl-000003", "nl-000004"]
PROJECT, TASKS = 1, 97
MOST_BYTES = 1_300_000  # of a project that is kept in the repository for ever


@pytest.fixture
def old(settings, make_context, make_app, label_studio):
    """The project of then under the code of now."""
    shutil.copytree(RELEASE / MODELS, settings.model_folder)
    shutil.copy(RELEASE / DATABASE, settings.data_dir)
    label_studio.from_json(json.loads((RELEASE / REMOTE).read_text()))
    context = make_context(settings)
    make_app(context)
    return Workbench(context, label_studio, PROJECT)


@pytest.fixture
def run(old, run_command):
    """run("status", "1"): what a command says about it."""
    return partial(run_command, old.context)


@pytest.fixture
def page(old, make_app):
    """page("/projects/1"): what the backend answers to a browser."""
    client = make_app(old.context).test_client()

    def get(address):
        answer = client.get(address)
        assert answer.status_code == 200
        return answer.text

    return get


def rows(path, table):
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = sqlite3.Row
        return [dict(row) for row in database.execute(f"SELECT * FROM {table}")]


def tables(path):
    names = (row["name"] for row in rows(path, "sqlite_master WHERE type = 'table'"))
    return sorted(set(names) - {"alembic_version"})


def parse(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def published_loops():
    return [row for row in rows(RELEASE / DATABASE, "loops") if row["outcome"] == "published"]


def labels_in(bench):
    """Label by task, as Label Studio has them of people."""
    return {
        number: said["result"][0]["value"]["choices"][0]
        for number, task in bench.tasks.items()
        for said in task["annotations"]
        if said["result"]
    }


def labels_here(bench):
    """The same as the backend has them."""
    found = rows(bench.context.settings.data_dir / DATABASE, "tasks")
    return {row["task_id"]: row["label"] for row in found if row["label"]}


def assert_all_versions_load(bench):
    for version in VERSIONS:
        head, manifest = bench.context.registry.load(bench.project.key, version)
        assert manifest.version == version and head.space.names == manifest.classes == ("cats", "dogs")


def test_its_database_gets_the_tables_of_today(old):
    with old.context.database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


@pytest.mark.parametrize("table", tables(RELEASE / DATABASE))
def test_no_row_is_lost_or_changed_by_the_upgrade(table, old):
    before = rows(RELEASE / DATABASE, table)
    after = rows(old.context.settings.data_dir / DATABASE, table)
    assert len(before) == len(after)
    assert [{name: new[name] for name in was} for was, new in zip(before, after, strict=True)] == before


def test_what_the_upgrade_adds_to_tasks_follows_from_their_answers_and_fields(old):
    tasks = rows(old.context.settings.data_dir / DATABASE, "tasks")
    moments = [max((said["at"] for said in json.loads(row["answers"])), default=None) for row in tasks]
    assert any(moments) and [row["answered_at"] for row in tasks] == moments
    flags = [json.loads(row["shown"]).get("nextlabel_flag", "") for row in tasks]
    assert [row["flag"] for row in tasks] == flags


def test_every_kind_of_row_was_kept():
    filled = {table for table in tables(RELEASE / DATABASE) if rows(RELEASE / DATABASE, table)}
    assert set(tables(RELEASE / DATABASE)) - filled == {"hints", "workers"}


def test_its_versions_are_listed_and_every_one_can_be_read(old, run):
    listed = parse(run("versions", "1", "--json"))["versions"]
    assert [row["version"] for row in listed] == VERSIONS[::-1]
    assert [row["representation"] for row in listed] == ["joined", "tfidf", "encoder", "encoder"]
    assert [row["version"] for row in listed if row["active"]] == [NEWEST]
    assert_all_versions_load(old)


def test_its_status_is_told(run):
    status = parse(run("status", "1", "--json"))
    assert (status["title"], status["version"], status["connected"]) == ("Animals", NEWEST, True)


def test_every_figure_of_its_history_is_still_told(old, run, page):
    kept = {row["id"]: json.loads(row["figures"]) for row in published_loops()}
    told = parse(run("status", "1", "--json"))["loops"]
    assert [record["version"] for record in told] == VERSIONS
    assert {r["loop"]: {name: r[name] for name in kept[r["loop"]]} for r in told} == kept
    assert json.loads(page("/projects/1/loops.json"))["loops"] == told
    assert [one["kind"] for record in told for one in record["decisions"]] == ["group-rejected"]


def test_its_history_is_a_table(run, tmp_path):
    table = tmp_path / "loops.csv"
    run("status", "1", "--csv", str(table))
    heading, *lines = table.read_text().splitlines()
    assert len(lines) == len(VERSIONS) and "metric_audit_accuracy" in heading.split(",")


def test_its_dashboard_is_shown(page):
    text = page("/projects/1")
    assert "<h1>Animals</h1>" in text
    assert all(model_name(version) in text for version in VERSIONS)
    assert len(json.loads(page("/projects/1/map.json"))["points"]["task"]) == TASKS
    assert json.loads(page("/projects/1/state.json"))["version"] == NEWEST
    assert page("/projects/1/wanted.csv").count("\n") > 1


def test_its_records_can_be_read(run):
    for row in published_loops():
        found = json.loads(run("replay", "1", str(row["id"]), "--json").stdout)
        assert (found["version"], found["labels"]) == (row["version"], json.loads(row["figures"])["labels"])


def test_the_first_loop_finds_nothing_new_unless_the_algorithm_is_another(old):
    window, scores = old.window, old.scores
    report = old.loop()
    if json.loads((RELEASE / MADE_WITH).read_text())["algorithm"] == ALGORITHM:
        assert (report.outcome, report.version) == ("unchanged", NEWEST)
        assert (old.window, old.scores) == (window, scores)
    else:
        assert (report.outcome, report.version) == ("published", "nl-000005")


def test_every_task_is_read_once_more_by_the_reader_of_today(old):
    assert old.loop().figures["tasks_read"] == TASKS
    assert old.loop().figures["tasks_read"] < TASKS


def test_the_first_loop_loses_nothing(old):
    old.loop()
    assert labels_here(old) == labels_in(old) and len(labels_in(old)) > 30
    assert old.served() == old.window[:10]
    assert_all_versions_load(old)


def test_a_new_label_makes_the_next_version(old, run):
    said = labels_in(old)
    (task_id,) = old.label(1)
    report = old.loop()
    assert (report.outcome, report.version) == ("published", "nl-000005")
    assert labels_here(old) == labels_in(old) and set(labels_in(old)) == {*said, task_id}
    assert old.served() == old.window[:10]
    assert_all_versions_load(old)
    told = parse(run("status", "1", "--json"))["loops"]
    assert [record["version"] for record in told] == [*VERSIONS, "nl-000005"]
    assert told[-1]["labels"] == told[-2]["labels"] + 1


def test_a_loop_of_today_is_replayed_bit_for_bit(old, run):
    old.label(1)
    assert old.loop().outcome == "published"
    told = parse(run("status", "1", "--json"))["loops"][-1]
    assert (told["version"], told["representation"][:6]) == ("nl-000005", "joined")
    assert parse(run("replay", "1", str(told["loop"]), "--json"))["exact"]


def test_a_loop_is_replayed_bit_for_bit_though_a_synthetic_task_taught_nothing(old, run):
    made = [number for number, task in old.tasks.items() if "source" in task["data"]]
    old.label_studio.skip(next(number for number in made if not old.tasks[number]["annotations"]))
    assert old.loop().figures["representation"].startswith("joined")
    told = parse(run("status", "1", "--json"))["loops"][-1]
    assert parse(run("replay", "1", str(told["loop"]), "--json"))["exact"]


def test_its_oldest_version_can_serve_again(old, run):
    result = run("rollback", "1", OLDEST)
    assert result.exit_code == 0, result.output
    assert old.version == old.remote["model_version"] == OLDEST
    again = set(window_for(old.workspace, SOMEBODY_ELSE)) - set(old.window)
    assert len(old.window) == 12 and set(old.scores) == set(old.window) | again
    assert all(said["was_cancelled"] for task_id in again for said in old.tasks[task_id]["annotations"])
    assert old.served() == old.window[:10]
    assert all(not old.tasks[task_id]["is_labeled"] for task_id in old.window)
    assert old.loop().outcome == "unchanged" and old.version == OLDEST


# A project of a release whose settings and figures were others


@pytest.fixture
def with_odd_settings(old):
    """Its own settings: one that is gone since, one with a value that is no longer taken, and a good one."""
    overrides = {"no_longer": 3, "queue_window": 2, "audit_share": 0.3}
    old.workspace.change(overrides=overrides)
    old.backend["extra_params"] = {"nextlabel": overrides}
    return old


def test_a_setting_that_is_gone_is_passed_over_wherever_the_project_is_read(with_odd_settings, run, page):
    settings = parse(run("status", "1", "--json"))["settings"]
    assert (settings["audit_share"], settings["queue_window"]) == (0.3, 10)
    assert "<h1>Animals</h1>" in page("/projects/1")
    assert 'nextlabel_tasks{project="1"}' in page("/metrics")
    work.tick(with_odd_settings.context)
    assert with_odd_settings.loop().outcome == "published"


def test_to_connect_again_keeps_the_settings_that_are_good(with_odd_settings, run):
    assert run("connect", "1").exit_code == 0
    assert with_odd_settings.project.overrides == {"audit_share": 0.3}
    assert with_odd_settings.backend["extra_params"] == {"nextlabel": {"audit_share": 0.3}}


@pytest.mark.parametrize("figures", [[1, 2], "lost", None, {"metrics": [1, 2]}, {"metrics": "lost"}])
def test_a_loop_whose_figures_are_of_another_shape_is_still_a_record(figures, old, run, page):
    with closing(sqlite3.connect(old.context.settings.data_dir / DATABASE)) as database:
        database.execute("UPDATE loops SET figures = ?", [json.dumps(figures)])
        database.commit()
    told = parse(run("status", "1", "--json"))["loops"]
    assert [record["version"] for record in told] == VERSIONS
    assert json.loads(page("/projects/1/loops.json"))["loops"] == told
    assert page("/projects/1/loops.csv").count("published") == len(VERSIONS)


@pytest.mark.parametrize("details", [[1], None, "lost"])
def test_a_decision_whose_details_are_of_another_shape_is_still_told(details, old, run, page):
    with closing(sqlite3.connect(old.context.settings.data_dir / DATABASE)) as database:
        database.execute("UPDATE decisions SET details = ?", [json.dumps(details)])
        database.commit()
    told = [one for record in parse(run("status", "1", "--json"))["loops"] for one in record["decisions"]]
    assert [one["kind"] for one in told] == ["group-rejected"]
    assert "group-rejected" in page("/projects/1")


@pytest.mark.parametrize("owner", ["somebody", f"{this_machine()}/x/1", f"{this_machine()}/{10**20}/1"])
def test_a_holder_that_is_named_in_another_way_holds_no_longer_than_its_lease(owner, old):
    old.workspace.change(lease_owner=owner, lease_until=0.0)
    assert old.loop().outcome


def test_a_loop_of_a_version_that_cannot_be_read_is_not_replayed_and_says_why(old, run):
    (old.context.settings.model_folder / old.project.key / NEWEST / "manifest.json").write_text("{}")
    newest = published_loops()[-1]["id"]
    found = run("replay", "1", str(newest))
    assert found.exit_code == 1
    assert "cannot be read" in found.output and "To fix it:" in found.output


def test_the_next_release_can_be_kept_in_the_same_way(quick_sweep, tmp_path):
    make_release(tmp_path / "release")
    files = [path for path in (tmp_path / "release").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    kept = {path.relative_to(RELEASE).parts[0] for path in RELEASE.rglob("*")}
    assert {path.relative_to(tmp_path / "release").parts[0] for path in files} == kept
    assert [row["version"] for row in rows(tmp_path / "release" / DATABASE, "loops")][:4] == VERSIONS
