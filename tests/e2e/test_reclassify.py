"""Labels are merged, renamed and split in the real Label Studio, and all of it is taken back."""

from dataclasses import replace

import httpx
import pytest

from backend.errors import LabelStudioError
from backend.label_studio.client import LabelStudio
from backend.label_studio.label_config import parse_label_config
from backend.parts import build_context
from backend.settings import Settings
from backend.workflows.findings.relabel import Wish, change_labels, preview_change, undo_change
from backend.workflows.project.reference import created_stamp
from backend.workflows.project.workspace import Workspace, ensure_workspace

LABELS = ("cats", "dogs", "birds")
TEXTS = [f"a text about animal number {number}" for number in range(8)]
MERGE = Wish("merge", ("cats", "dogs"))
SPLIT = Wish("split", ("cats", "lions", 'big "cats" / 🐈'))


@pytest.fixture
def project(make_project, make_annotator):
    """Cats twice, dogs, birds, each of another task; the second cats by another person."""
    project = make_project(texts=TEXTS, labels=LABELS)
    tasks = [task["id"] for task in project.fetch_tasks()]
    other = project.as_seen_by(make_annotator())
    for by, task_id, label in zip(
        (project, other, project, project), tasks, ("cats", "cats", "dogs", "birds"), strict=False
    ):
        by.annotate(task_id, label)
    return project


class Down(httpx.BaseTransport):
    """The way to Label Studio; writes of annotations after `good` others are refused, `times` of them."""

    def __init__(self, good, times):
        self.good, self.times = good, times
        self._way = httpx.HTTPTransport()

    def handle_request(self, request):
        if request.method in ("PATCH", "DELETE") and "/api/annotations/" in request.url.path:
            if self.good <= 0 and self.times > 0:
                self.times -= 1
                return httpx.Response(400, json={"detail": "out of order"})
            self.good -= 1
        return self._way.handle_request(request)

    def close(self):
        self._way.close()


@pytest.fixture
def workspace(label_studio, project, tmp_path):
    """The backend's side of the project, whose loops nobody runs."""
    context = build_context(
        Settings(
            _env_file=None,
            data_dir=tmp_path / "data",
            label_studio_url=label_studio.url,
            label_studio_api_key=label_studio.token,
        )
    )
    stamp = created_stamp(project.settings())
    return ensure_workspace(context, project.id, stamp)


def state(project):
    """The config, and what is said of each task, by person."""
    found = {}
    for task in project.fetch_tasks():
        answer = project.client.get(f"/api/tasks/{task['id']}/annotations/").raise_for_status().json()
        found[task["id"]] = {said["completed_by"]: _labels(said) for said in answer}
    return project.settings()["label_config"], {task: said for task, said in found.items() if said}


def unlabelled(project):
    """The tasks that Label Studio still serves to somebody."""
    params = {"project": project.id, "page_size": 100, "include": "id,is_labeled"}
    tasks = project.client.get("/api/tasks", params=params).raise_for_status().json()["tasks"]
    return {task["id"] for task in tasks if not task["is_labeled"]}


def through(workspace, way):
    """The same project, whose calls to Label Studio go another way."""
    context = workspace.context
    settings = context.settings

    def connect():
        key = settings.label_studio_api_key.get_secret_value()
        return LabelStudio(settings.label_studio_url, key, transport=way)

    return Workspace(replace(context, label_studio=connect), workspace.state)


def _labels(said):
    return [label for region in said["result"] for label in region["value"]["choices"]]


def labels_of(project):
    return parse_label_config(project.settings()["label_config"]).space.names


def test_answers_are_merged_and_renamed_with_their_authors_and_taken_back(project, workspace):
    before = state(project)
    found = preview_change(workspace, MERGE)
    assert (found.annotations, found.tasks, found.people) == (2, 2, 2)
    assert change_labels(workspace, MERGE, by="test") == 2
    assert labels_of(project) == ("dogs", "birds")
    changed = state(project)[1]
    assert [list(said.values()) for said in changed.values()] == [
        [["dogs"]],
        [["dogs"]],
        [["dogs"]],
        [["birds"]],
    ]
    assert [list(said) for said in changed.values()] == [list(said) for said in before[1].values()]
    change_labels(workspace, Wish("rename", ("dogs", "pets & co")), by="test")
    assert labels_of(project) == ("pets & co", "birds")
    undo_change(workspace, by="test")
    assert undo_change(workspace, by="test").left == 0
    assert state(project) == before


def test_a_split_asks_its_tasks_again_of_those_who_answered_them(project, workspace):
    before = state(project)
    cats = [task_id for task_id, said in before[1].items() if ["cats"] in said.values()]
    assert change_labels(workspace, SPLIT, by="test") == 2
    assert not unlabelled(project) & set(cats)  # an empty answer closes a task
    assert undo_change(workspace, by="test").left == 0 and state(project) == before
    change_labels(workspace, Wish("split", SPLIT.labels, asks_again=True), by="test")
    assert labels_of(project) == ("lions", 'big "cats" / 🐈', "dogs", "birds")
    assert not set(cats) & set(state(project)[1])
    assert set(cats) <= unlabelled(project)
    assert project.serve_next()["id"] == cats[0]  # to the one who had answered it
    undone = undo_change(workspace, by="test")
    assert (undone.restored, undone.left) == (2, 0)
    assert state(project) == before


@pytest.mark.parametrize("asks_again", [False, True])
def test_an_error_in_the_middle_changes_nothing_and_one_that_lasts_is_ended_by_undo(
    asks_again, project, workspace
):
    before = state(project)
    wish = Wish("split", SPLIT.labels, asks_again=asks_again)
    with pytest.raises(LabelStudioError, match="Nothing is changed"):
        change_labels(through(workspace, Down(1, times=1)), wish, by="test")
    assert state(project) == before
    if not asks_again:
        with pytest.raises(LabelStudioError, match="not all of it"):
            change_labels(through(workspace, Down(1, times=100)), wish, by="test")
        assert state(project) != before
        undo_change(workspace, by="test")
        assert state(project) == before
