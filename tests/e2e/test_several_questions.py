"""Three questions of three kinds about each text, in a real Label Studio: answered, learned, measured."""

import httpx
import pytest

from tests.e2e.connected import ConnectedProject
from tests.topics import topic_of, write_texts

CONFIG = """<View>
  <Text name="text" value="$text"/>
  <Choices name="marks" toName="text" choice="multiple">
    <Choice value="furry"/><Choice value="purrs"/><Choice value="barks"/>
  </Choices>
  <Rating name="noise" toName="text" maxRating="5"/>
  <Number name="weight" toName="text" min="0" max="100"/>
</View>"""
TRUTH = {
    "cats": {"marks": ["furry", "purrs"], "noise": 1, "weight": 4},
    "dogs": {"marks": ["furry", "barks"], "noise": 5, "weight": 30},
}
KEYS = {"marks": ("choices", "choices"), "noise": ("rating", "rating"), "weight": ("number", "number")}


@pytest.fixture
def project(make_project, shared_backend):
    made = make_project(texts=write_texts(60), label_config=CONFIG)
    return ConnectedProject(made, shared_backend).connect(queue_window=20)


def regions_of(text):
    return [
        {"from_name": name, "to_name": "text", "type": KEYS[name][0], "value": {KEYS[name][1]: value}}
        for name, value in TRUTH[topic_of(text)].items()
    ]


def test_every_question_is_pre_annotated_learned_and_measured(project):
    texts = {task["id"]: task["data"]["text"] for task in project.project.fetch_tasks()}
    assert project.report["also_answered"] == ["noise", "weight"]
    for task_id in project.window()[:16]:
        answer = {"result": regions_of(texts[task_id]), "lead_time": 3}
        project.client.post(f"/api/tasks/{task_id}/annotations", json=answer).raise_for_status()
    project.ask_for_loop()
    project.wait_for_worker()

    told = {row["task"]: row["result"] for row in project.predictions().values() if row["result"]}
    assert {region["from_name"] for result in told.values() for region in result} == set(KEYS)
    marks = [
        region["value"]["choices"] == TRUTH[topic_of(texts[task_id])]["marks"]
        for task_id, result in told.items()
        for region in result
        if region["from_name"] == "marks"
    ]
    assert len(marks) >= 10 and sum(marks) >= 0.8 * len(marks)
    address = f"{project.backend.url}/projects/{project.project.id}"
    page = httpx.get(address, auth=project.log_in, trust_env=False).raise_for_status().text
    assert all(name in page for name in ("marks", "noise", "weight", "several choices", "16 answers"))
