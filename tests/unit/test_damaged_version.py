"""A version whose files are damaged: the newest whole one answers, everybody says so, a loop mends it."""

import json
import shutil

import pytest

from backend.workflows.connection.doctor import diagnose
from backend.workflows.views.metrics import refresh_metrics
from backend.workflows.views.status import project_status
from backend.workflows.views.versions import list_versions

DAMAGES = {
    "no manifest": lambda folder: (folder / "manifest.json").unlink(),
    "no head": lambda folder: (folder / "head.safetensors").unlink(),
    "a cut head": lambda folder: (folder / "head.safetensors").write_bytes(b"cut"),
    "an empty manifest": lambda folder: (folder / "manifest.json").write_text(""),
    "a manifest of other classes": lambda folder: turn_classes(folder / "manifest.json"),
    "one bit of the head": lambda folder: turn_bit(folder / "head.safetensors"),
    "no folder": shutil.rmtree,
    "an empty folder": lambda folder: [path.unlink() for path in folder.iterdir()],
}


def turn_classes(manifest):
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(content | {"classes": content["classes"][::-1]}))


def turn_bit(head):
    content = bytearray(head.read_bytes())
    content[-2] ^= 1
    head.write_bytes(content)


@pytest.fixture(params=DAMAGES.values(), ids=DAMAGES)
def damaged(request, trained, client):
    """The project with three versions, the last of which is damaged; each was read before."""
    client.get(f"/projects/{trained.project_id}")
    folder = trained.context.settings.model_folder / trained.project.key
    request.param(folder / "nl-000003")
    return trained


def predict(workbench, client):
    body = {
        "tasks": [{"id": number, "data": task["data"]} for number, task in workbench.tasks.items()],
        "project": workbench.project.reference,
        "label_config": workbench.remote["label_config"],
    }
    return client.post("/predict", json=body, headers={"X-Nextlabel-Secret": "x"}).json


def test_the_newest_whole_version_answers_under_its_own_name(damaged, client):
    answer = predict(damaged, client)
    assert answer["model_version"] == "nl-000002"
    assert {row["model_version"] for row in answer["results"]} == {"nl-000002"}
    assert any(row["result"] for row in answer["results"])


def test_where_no_version_is_whole_nothing_is_guessed(damaged, client):
    shutil.rmtree(damaged.context.settings.model_folder)
    assert not any(row["result"] for row in predict(damaged, client)["results"])


def test_everybody_says_so(damaged, run_command, client):
    words = "the files of nl-000003 are damaged; nl-000002 answers until it is learned anew"
    findings = {finding.check: finding for finding in diagnose(damaged.context, damaged.project_id)}
    assert (findings["version"].verdict, findings["version"].message) == ("fault", words)
    assert words.removeprefix("the ") in client.get("/projects/1").get_data(as_text=True)
    assert project_status(damaged.workspace)["damage"] == words
    metrics = refresh_metrics(damaged.context)
    assert metrics.get_sample_value("nextlabel_version_damaged", {"project": "1"}) == 1
    newest, *_older = list_versions(damaged.workspace)
    assert (newest["version"], newest["kind"], newest["active"]) == ("nl-000003", "unreadable", True)
    assert words in run_command(damaged.context, "status", "1").output


def test_the_next_loop_mends_it(damaged, client):
    assert damaged.loop().outcome == "published"
    assert damaged.version == damaged.remote["model_version"] == "nl-000004"
    assert project_status(damaged.workspace)["damage"] is None
    assert predict(damaged, client)["model_version"] == "nl-000004"
