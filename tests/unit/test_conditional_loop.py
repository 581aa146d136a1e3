"""A question that is asked only beside some answers: pre-annotated, learned, counted and told."""

import pytest

from backend.label_studio.controls.conditions import said_shown
from backend.label_studio.label_config import parse_label_config
from backend.workflows.record import replay
from tests.topics import topic_of, write_texts

CONFIG = """<View>
  <Text name="text" value="$text"/>
  <Choices name="topic" toName="text" required="true">
    <Choice value="Cats" alias="cats"/><Choice value="dogs"/>
  </Choices>
  <View visibleWhen="choice-selected" whenTagName="topic" whenChoiceValue="Cats">
    <Choices name="coat" toName="text"><Choice value="tabby"/><Choice value="plain"/></Choices>
  </View>
</View>"""


def regions_of(text):
    """A coat for cats alone, and a stale one that the editor hid for a dog."""
    topic = topic_of(text)
    coat = "tabby" if "tabby" in text else "plain"
    said = {"topic": topic, "coat": coat}
    return [
        {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": [value]}}
        for name, value in said.items()
    ]


@pytest.fixture
def labelled(workbench, label_studio):
    label_studio.change_project(workbench.project_id, label_config=CONFIG)
    label_studio.add_tasks(workbench.project_id, [{"text": text} for text in write_texts(40, seed=5)])
    workbench.connect(queue_window=20)
    for task_id in workbench.window[:16]:
        label_studio.submit(task_id, regions_of(workbench.tasks[task_id]["data"]["text"]))
    return workbench


def targets_of(result):
    return {region["from_name"]: tuple(region["value"]["choices"]) for region in result}


def test_it_is_answered_counted_and_replayed_only_where_it_is_shown(labelled):
    report = labelled.loop()
    assert (report.outcome, report.record.failed) == ("published", {})
    cats = sum(
        "cats" in labelled.tasks[row]["data"]["text"] for row in labelled.workspace.tasks.read_targets()
    )
    (coat,) = report.record.signals.questions
    assert 0 < cats < 16 and (coat.name, coat.labels) == ("coat", cats)
    config = parse_label_config(CONFIG)
    given = [targets_of(labelled.result_of(task_id)) for task_id in labelled.window]
    assert {tuple(one) for one in given if one} == {("topic",), ("topic", "coat")}
    for one in given:
        assert ("coat" in one) == (one.get("topic") == ("cats",))
        assert set(one) <= set(said_shown(config.questions, one))
    assert labelled.loop().outcome == "unchanged"
    assert replay(labelled.workspace, 2).is_exact


def test_where_the_first_answer_is_too_unsure_the_other_is_not_given_either(labelled):
    labelled.connect(preannotate_floor=0.99)
    given = [targets_of(labelled.result_of(task_id)) for task_id in labelled.window]
    assert all("topic" in one for one in given if one)


def test_predictions_on_demand_keep_to_it_too(labelled, client):
    labelled.loop()
    texts = {"cats": "tabby purr kitten about cats", "dogs": "bark kennel leash about dogs"}
    body = {
        "tasks": [{"id": 900 + at, "data": {"text": text}} for at, text in enumerate(texts.values())],
        "label_config": CONFIG,
        "project": labelled.project.reference,
    }
    cats, dogs = (targets_of(one["result"]) for one in client.post("/predict", json=body).json["results"])
    assert cats == {"topic": ("cats",), "coat": ("tabby",)} and dogs == {"topic": ("dogs",)}


def test_the_page_says_where_it_is_asked(labelled, make_app):
    labelled.loop()
    page = make_app(labelled.context).test_client().get(f"/projects/{labelled.project_id}").text
    assert "Asked only where topic is “Cats”: only such tasks count." in page
