"""Synthetic tasks in a real Label Studio: tabs hold what verdicts say, and a person's answer spreads."""

import sqlite3
from contextlib import closing

import pytest

from backend.label_studio.tabs import TITLES
from tests.e2e.connected import LABEL_NAMES, ConnectedProject

REAL, LABELLED = 60, 40
FLAG_OF = {"harmful": "harmful", "redundant": "redundant", "unsure": "review"}


@pytest.fixture(scope="module")
def client(label_studio):
    with label_studio.connect() as client:
        yield client


@pytest.fixture(scope="module")
def farm(client, running_backend, documents):
    """Sixty real tasks, forty of them labelled; sound, mislabelled and copied synthetic ones; one loop."""
    connected = ConnectedProject.create(client, running_backend, documents[:REAL])
    fresh = documents[REAL : REAL + 40]
    data = [_made(document.text, document.group, "A") for document in fresh[:25]]
    data += [_made(document.text, _other(document.group), "B") for document in fresh[25:]]
    data += [_made(document.text, document.group, "C") for document in documents[:8]]
    data += [part for document in documents[REAL + 40 : REAL + 52] for part in _parts(document)]
    tasks = [{"data": {**row, "document": ""}} for row in data]
    client.post(f"/api/projects/{connected.project.id}/import", json=tasks).raise_for_status()
    connected.connect(queue_window=20, retrain_every_labels=1000)
    connected.annotate(*sorted(connected.truth)[:LABELLED])
    connected.run("loop")
    connected.wait_for_worker()
    return connected


def test_the_tabs_hold_exactly_the_tasks_of_each_verdict(farm):
    found = _verdicts(farm)
    made = {task["id"] for task in farm.project.fetch_tasks() if task["data"].get("source") == "synthetic"}
    assert set(found) == made
    shown = _tabs(farm)
    for verdict, flag in FLAG_OF.items():
        meant = {task_id for task_id, row in found.items() if row["verdict"] == verdict}
        assert shown.get(TITLES[flag], set()) == meant, f"the tab of {verdict} tasks"
    copies = {row["task_id"] for row in found.values() if row["generator"] == "C"}
    assert copies <= shown[TITLES["redundant"]]


def test_rejected_tasks_make_their_like_less_trusted_and_leave_other_generators_alone(farm):
    before = _verdicts(farm)
    parts = sorted(task_id for task_id, row in before.items() if row["generator"] == "D")
    pairs = [
        pair
        for pair in zip(parts[::2], parts[1::2], strict=True)
        if all(before[n]["value"] > 0 for n in pair)
    ]
    assert len(pairs) > 2
    for asked, _ in pairs:
        farm.project.skip(asked)
    farm.run("loop")
    farm.wait_for_worker()
    after = _verdicts(farm)
    assert all(after[asked]["value"] < 0 for asked, _ in pairs)
    assert all(after[other]["value"] <= before[other]["value"] for _, other in pairs)
    moved = [other for _, other in pairs if after[other]["value"] < before[other]["value"]]
    assert len(moved) > len(pairs) / 2
    others = [row for row in before.values() if row["generator"] != "D"]
    assert all(after[row["task_id"]]["value"] == row["value"] for row in others)


def _made(text, label, generator):
    return {"text": text, "source": "synthetic", "label": label, "generator": generator}


def _parts(document):
    """The first and the last two thirds of a text: one subject, other words."""
    words = document.text.split()
    third = len(words) // 3
    texts = (" ".join(words[: 2 * third]), " ".join(words[third:]))
    return [_made(text, document.group, "D") for text in texts]


def _other(label):
    return LABEL_NAMES[(LABEL_NAMES.index(label) + 1) % len(LABEL_NAMES)]


def _verdicts(connected):
    """What the backend wrote down of each synthetic task, by its id."""
    query = (
        "SELECT v.task_id, v.verdict, v.value, t.generator FROM verdicts v"
        " JOIN tasks t ON t.task_id = v.task_id AND t.project_id = v.project_id"
        " JOIN projects p ON p.id = v.project_id WHERE p.label_studio_id = ?"
    )
    with closing(sqlite3.connect(connected.backend.folder / "data" / "nextlabel.db")) as database:
        database.row_factory = sqlite3.Row
        return {row["task_id"]: dict(row) for row in database.execute(query, (connected.project.id,))}


def _tabs(connected):
    """The ids of the tasks that each tab of the Data Manager shows, by its title."""
    project = {"project": connected.project.id}
    views = connected.client.get("/api/dm/views", params=project).raise_for_status().json()
    shown = {}
    for view in views:
        query = {**project, "view": view["id"], "page_size": 10_000}
        tasks = connected.client.get("/api/tasks", params=query).raise_for_status().json()["tasks"]
        shown[view["data"]["title"]] = {task["id"] for task in tasks}
    return shown
