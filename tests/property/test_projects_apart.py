"""Laws of many projects: whatever people do in one, in whatever order, nothing of it reaches another."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from backend.database import Base, Hint, Project, Task
from backend.errors import NextlabelError
from backend.workflows.connection.disconnect import disconnect
from backend.workflows.project.hints import leave_hint
from backend.workflows.project.progress import Silent
from backend.workflows.project.workspace import open_workspace
from backend.workflows.serving.rollback import rollback
from backend.workflows.views.dashboard.page import build_dashboard
from backend.workflows.views.status import project_status
from backend.workflows.work import run_pending, tick
from tests.workbench import Workbench

NUMBERS = (1, 2, 3)
# Every word of a project carries the mark of its birth.
MARK = re.compile(r"mark\d+")
ACTS = (
    *("label", "label", "skip", "ask", "work", "work", "let_the_clock_tick", "open_a_task", "edit"),
    *("roll_back", "leave_and_come_back", "give_the_number_away"),
)
acts = st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from(NUMBERS)), min_size=4, max_size=12)


@pytest.fixture
def found_town(make_settings, make_context, make_app, label_studio, tmp_path):
    """found_town(): projects that nothing has happened in yet, on both sides."""
    empty, folders = label_studio.remember(), iter(range(1000))

    def found():
        label_studio.restore(empty)
        context = make_context(make_settings(data_dir=tmp_path / str(next(folders))))
        make_app(context)
        return Town(context, label_studio)

    return found


class Town:
    """Some projects in one Label Studio, whose numbers are given away again."""

    def __init__(self, context, label_studio):
        self.context, self.label_studio = context, label_studio
        self.births = 0
        self.mark_of = {}
        for number in NUMBERS:
            self.found(number)

    def found(self, number):
        """A new project of a number, with words of its own in texts, labels and title, connected."""
        self.births += 1
        mark = f"mark{self.births}"
        labels = (f"{mark} left", f"{mark} right")
        texts = [f"{mark} {side} number {n}" for n in range(12) for side in ("left", "right")]
        self.label_studio.add_project(labels=labels, texts=texts, project_id=number, title=f"{mark} title")
        Workbench(self.context, self.label_studio, number).connect(queue_window=5, retrain_every_labels=2)
        self.mark_of[open_workspace(self.context, number).key] = mark

    def bench(self, number):
        """The project that has a number now."""
        return Workbench(self.context, self.label_studio, number)

    def label(self, number):
        for _ in range(2):
            if task := self.label_studio.serve_next(number):
                mark, side, *_rest = task["data"]["text"].split()
                self.label_studio.annotate(task["id"], f"{mark} {side}")

    def skip(self, number):
        if task := self.label_studio.serve_next(number):
            self.label_studio.skip(task["id"])

    def ask(self, number):
        leave_hint(self.bench(number).workspace, "training")

    def work(self, number):
        run_pending(self.context, self.bench(number).workspace.id)

    def let_the_clock_tick(self, _number):
        tick(self.context)

    def open_a_task(self, number):
        self.label_studio.open_task(min(self.bench(number).tasks))

    def edit(self, number):
        tasks = self.bench(number).tasks
        self.label_studio.edit_task(max(tasks), {"text": f"{tasks[max(tasks)]['data']['text']} again"})

    def roll_back(self, number):
        workspace = self.bench(number).workspace
        for version in workspace.registry.versions(workspace.key)[:1]:
            rollback(workspace, version, progress=Silent())

    def leave_and_come_back(self, number):
        bench = self.bench(number)
        disconnect(bench.workspace)
        bench.connect(queue_window=5, retrain_every_labels=2)

    def give_the_number_away(self, number):
        self.label_studio.delete_project(number)
        self.found(number)


def assert_apart(town):
    """No row, file, answer or page of a project holds a word of another, or a task that is not its own."""
    with town.context.database.session() as session:
        rows = {row.id: row for row in session.scalars(select(Project))}
        for table in Base.__subclasses__():
            if "project_id" in table.__table__.columns:
                for row in session.execute(select(table.__table__)).mappings():
                    assert_only(town, rows[row["project_id"]].key, str(dict(row)), table.__tablename__)
        for row in session.execute(select(Project.__table__)).mappings():
            assert_only(town, rows[row["id"]].key, str(dict(row)), "projects")
        theirs = {
            task.task_id: rows[task.project_id].label_studio_id for task in session.scalars(select(Task))
        }
        assert len(theirs) == session.query(Task).count(), "a task is of one project"
        assert {hint.project_id for hint in session.scalars(select(Hint))} <= set(rows)
    for number in NUMBERS:
        workspace = open_workspace(town.context, number)
        assert_only(town, workspace.key, str(project_status(workspace)), "status")
        assert_only(town, workspace.key, str(build_dashboard(workspace)), "page")
    for key in town.mark_of:
        folder = town.context.settings.model_folder / key
        for file in folder.rglob("*"):
            if file.is_file():
                assert_only(town, key, file.read_bytes().decode("latin-1"), file.name)
    assert MARK.search(str(town.label_studio.predictions)), "the marks are there to be found"
    for row in town.label_studio.predictions.values():
        key = open_workspace(town.context, row["project"]).key
        assert_only(town, key, str(row), "prediction")
        assert town.label_studio.tasks[row["task"]]["project"] == row["project"]


def assert_only(town, key, text, place):
    assert set(MARK.findall(text)) <= {town.mark_of[key]}, place


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(days=acts)
def test_nothing_of_a_project_reaches_another(days, found_town):
    town = found_town()
    for name, number in days:
        try:
            getattr(town, name)(number)
        except NextlabelError as error:
            assert name == "roll_back", error  # to what serves already
    for number in NUMBERS:
        leave_hint(open_workspace(town.context, number), "timer")
    run_pending(town.context, 0)
    assert_apart(town)
