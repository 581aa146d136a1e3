"""A class that no label covers, where people tick several: found, added with one click, and then ticked."""

import pytest

from backend.label_studio.label_config import parse_label_config
from backend.label_studio.tabs import FLAG_FIELD
from backend.workflows.findings.classes import add_class, reject_group
from backend.workflows.intake.earlier_findings import list_groups
from backend.workflows.serving.answers import Answered, answer_new_classes
from tests.topics import topic_of, write_texts
from tests.workbench import Workbench

CONFIG = """<View><Text name="text" value="$text"/>
  <Choices name="traits" toName="text" choice="multiple">
    <Choice value="furry"/><Choice value="purrs"/><Choice value="barks"/>
  </Choices></View>"""
TRAITS = {"cats": ["furry", "purrs"], "dogs": ["furry", "barks"]}


@pytest.fixture
def zoo(context, app, label_studio, bring_to):
    """Cats and dogs have labels, birds none; 40 tasks are answered, the birds among them skipped."""
    texts = write_texts(150, topics=("cats", "dogs", "birds"))
    bench = Workbench(context, label_studio, label_studio.add_project(texts=texts, label_config=CONFIG))

    def act():
        bench.connect()
        for _ in range(40):
            answer_or_skip(bench, bench.label_studio.serve_next(bench.project_id))
        bench.loop()

    return bring_to("zoo of several", bench, act)


def answer_or_skip(bench, task):
    topic = topic_of(task["data"]["text"])
    if topic == "birds":
        bench.label_studio.skip(task["id"])
    else:
        submit(bench, task["id"], TRAITS[topic])


def submit(bench, task_id, traits):
    region = {"from_name": "traits", "to_name": "text", "type": "choices", "value": {"choices": traits}}
    bench.label_studio.submit(task_id, [region])


def topics_of(bench, task_ids):
    return [topic_of(bench.tasks[task_id]["data"]["text"]) for task_id in task_ids]


def first_group(bench):
    number = list_groups(bench.workspace)[0]["group"]
    return number, list(bench.workspace.groups.find(number).members)


def ticked(bench, task_id):
    return [name for region in bench.result_of(task_id) for name in region["value"]["choices"]]


def test_birds_are_the_first_group_and_marked(zoo):
    _number, members = first_group(zoo)
    assert topics_of(zoo, members).count("birds") >= 0.8 * len(members)
    waiting = [task_id for task_id in members if not zoo.tasks[task_id]["annotations"]]
    assert {zoo.tasks[task_id]["data"].get(FLAG_FIELD) for task_id in waiting} == {"novel"}


def test_what_fits_no_label_gets_none(zoo):
    _number, members = first_group(zoo)
    inside = [task_id for task_id in zoo.window if task_id in members]
    assert inside and all(zoo.result_of(task_id) == [] for task_id in inside)


def test_one_click_adds_the_label_and_its_tasks_come_with_it_beside_the_others(zoo):
    number, members = first_group(zoo)
    assert add_class(zoo.workspace, number, name="birds", by="somebody") == "birds"
    config = zoo.remote["label_config"]
    assert config.count('<Choice value="birds"/>') == 1 and 'choice="multiple"' in config
    (question,) = parse_label_config(config).questions
    assert [label.name for label in question.labels] == ["furry", "purrs", "barks", "birds"]
    assert zoo.loop().outcome == "published"
    inside = [task_id for task_id in zoo.window if task_id in members and zoo.result_of(task_id)]
    assert inside and all("birds" in ticked(zoo, task_id) for task_id in inside)
    assert any("new label birds" in zoo.tasks[task_id]["data"]["nextlabel_note"] for task_id in inside)


def test_an_added_class_is_ticked_after_a_few_answers(zoo):
    number, members = first_group(zoo)
    add_class(zoo.workspace, number, name="birds", by="somebody")
    zoo.loop()
    for task_id in members[:8]:
        topic = topic_of(zoo.tasks[task_id]["data"]["text"])
        submit(zoo, task_id, TRAITS.get(topic, ["birds"]))
    report = zoo.loop()
    assert report.record.failed == {} and report.record.signals.novelty is not None
    there = [
        task_id for task_id in zoo.window if topics_of(zoo, [task_id]) == ["birds"] and zoo.result_of(task_id)
    ]
    assert sum("birds" in ticked(zoo, task_id) for task_id in there) >= 0.7 * len(there)


def test_a_group_that_is_no_class_does_not_come_back(zoo):
    number, members = first_group(zoo)
    reject_group(zoo.workspace, number, by="somebody")
    submit(zoo, zoo.window[0], ["furry"])
    zoo.loop()
    for group in list_groups(zoo.workspace):
        assert len(set(zoo.workspace.groups.find(group["group"]).members) & set(members)) < len(members) / 2


def test_an_answer_keeps_its_labels_beside_the_new_one():
    question = parse_label_config(CONFIG.replace("barks", "birds")).questions[0]
    answered = [Answered(question, ("purrs",), 0.8)]
    (told,) = answer_new_classes(answered, label="birds", is_novel=True)
    assert (told.target, told.confidence) == (("purrs", "birds"), 0.8)
    assert answer_new_classes(answered, label="gone", is_novel=False) == answered
    assert answer_new_classes(answered, label=None, is_novel=True) == []
