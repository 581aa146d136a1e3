"""Which question of a project is answered: settled by connect, kept by every loop, changed by a setting."""

import json
from functools import partial

import pytest

from backend.errors import UnsupportedConfig
from backend.settings import ProjectSettings
from tests.workbench import Workbench

NAMES = [f"q{number}" for number in range(11)]


@pytest.fixture
def run(workbench, run_command):
    """run("connect", "1"): the command, with the Label Studio in memory."""
    return partial(run_command, workbench.context)


def config(*names, **attributes):
    questions = "".join(
        f'<Choices name="{name}" toName="text" {attributes.get(name, "")}>'
        f'<Choice value="cats"/><Choice value="dogs"/></Choices>'
        for name in names
    )
    return f'<View><Text name="text" value="$text"/>{questions}</View>'


@pytest.fixture
def eleven(workbench, label_studio):
    """A project of eleven questions, labelled before it is connected: all but the first, each time."""
    label_studio.change_project(workbench.project_id, label_config=config(*NAMES))
    for task_id in list(workbench.tasks)[:12]:
        label_studio.answer(task_id, **dict.fromkeys(NAMES[1:], "cats" if task_id % 2 else "dogs"))
    label_studio.answer(13, q0="cats")
    return workbench


def answered(bench):
    """The questions that the published predictions answer."""
    results = [bench.result_of(task_id) for task_id in bench.window]
    return {result[0]["from_name"] for result in results if result}


def test_the_question_that_people_answer_is_taken_and_its_labels_are_learned(eleven):
    report = eleven.connect()
    assert (report.question, report.loop.figures["labels"]) == ("q1", 12)
    assert (report.also_answered, report.other_questions) == (("q0", *NAMES[2:]), ())
    assert answered(eleven) == {"q1"} and report.in_order


def test_what_connect_settled_is_kept_by_every_loop_whatever_is_answered_then(eleven, label_studio):
    eleven.connect()
    for task_id in list(eleven.tasks)[13:39]:
        label_studio.answer(task_id, q0="cats")
    eleven.loop()
    assert answered(eleven) == {"q1"}
    assert eleven.connect().question == "q0"
    assert eleven.loop().outcome == "unchanged"


def test_a_setting_names_the_question_and_stays(eleven, context):
    report = eleven.connect(questions="nothing, q7")
    assert (report.question, answered(eleven)) == ("q7", {"q7"})
    assert eleven.connect().question == "q7"
    assert eleven.connect(questions="").question == "q1"


def test_a_setting_that_names_nothing_changes_nothing(eleven, label_studio):
    label_studio.calls.clear()
    with pytest.raises(UnsupportedConfig, match='the config has no question "q99"'):
        eleven.connect(questions="q99")
    assert label_studio.writes == []
    assert eleven.connect().question == "q1"


def test_a_question_under_a_condition_does_not_take_the_place_of_one_that_all_are_asked(
    workbench, label_studio
):
    condition = 'visibleWhen="choice-selected" whenTagName="topic" whenChoiceValue="cats"'
    label_studio.change_project(workbench.project_id, label_config=config("breed", "topic", breed=condition))
    for task_id in list(workbench.tasks)[:12]:
        label_studio.answer(task_id, topic="cats" if task_id % 2 else "dogs")
    report = workbench.connect()
    assert (report.question, report.loop.figures["labels"]) == ("topic", 12)


def test_another_question_with_the_same_labels_is_published_anew(connected, label_studio):
    label_studio.change_project(connected.project_id, label_config=config("topic", "tone"))
    connected.loop()
    version = connected.version
    assert answered(connected) == {"topic"}
    connected.connect(questions="tone")
    assert connected.version != version and answered(connected) == {"tone"}


def test_a_question_that_left_the_config_is_settled_again_by_the_loop(eleven, label_studio):
    eleven.connect()
    label_studio.change_project(eleven.project_id, label_config=config("q0", *NAMES[2:]))
    eleven.loop()
    assert answered(eleven) == {"q2"}


def test_predictions_on_demand_answer_the_same_question(eleven, client):
    eleven.connect(questions="q3")
    body = {
        "tasks": [{"id": 40, "data": {"text": "all about cats"}}],
        "label_config": config(*NAMES),
        "project": eleven.project.reference,
    }
    (prediction,) = client.post("/predict", json=body).json["results"]
    assert {region["from_name"] for region in prediction["result"]} <= {"q3"}


@pytest.fixture
def make_project(app, context, label_studio):
    """make_project(value, *data): a project whose text shows `value`, with a task for each data."""

    def make(value, *data):
        number = label_studio.add_project(label_config=config("topic").replace("$text", value))
        label_studio.add_tasks(number, list(data))
        return Workbench(context, label_studio, number)

    return make


ARRAYS = [{"arr": [{"text": f"cats {number}"}]} for number in range(20)]


def test_questions_that_an_admin_left_out_are_told(workbench, label_studio, run):
    label_studio.change_project(workbench.project_id, label_config=config("topic", "tone"))
    said = " ".join(run("connect", "1", "--set", "questions=tone").output.split())
    assert "The question answered is “tone”. Not answered, though they could be: topic." in said


# What connect says of tasks and texts


def test_an_empty_project_has_no_tasks_yet(make_project):
    verdict = make_project("$text").connect().verdict
    assert verdict == "There are no tasks yet: the queue starts when some are imported."


def test_texts_are_found_where_label_studio_shows_them(make_project):
    report = make_project("$arr[0].text", *ARRAYS).connect()
    assert report.loop.record.pool == 20 and report.in_order
    assert report.gaps.sentences == ()


@pytest.mark.parametrize("value", ["$missing", "Note: $missing", "$arr[1].text", "$arr"])
def test_texts_that_are_nowhere_are_named(value, make_project):
    report = make_project(value, *ARRAYS).connect()
    said = f"20 of 20 tasks have no text in field {value.partition('$')[2]}"
    assert report.gaps.sentences == (said,)
    assert report.verdict == f"There is nothing to read: {said}."


def test_of_several_fields_a_task_may_lack_some_but_a_field_not_all_tasks(make_project):
    bench = make_project("$title, $text, $typo", {"title": "cats"}, {"text": "dogs"}, {"other": "birds"})
    assert bench.connect().gaps.sentences == (
        "3 of 3 tasks have no text in field typo",
        "1 of 3 tasks have no text in any of the fields title, text, typo",
    )


# The setting and the words for it


@pytest.mark.parametrize(
    ("given", "names"),
    [("", ()), ("a", ("a",)), ("a, b,,", ("a", "b")), (["a", "b"], ("a", "b")), (7, ("7",)), (None, ())],
)
def test_questions_are_named_with_commas_or_as_a_list(given, names):
    assert ProjectSettings(questions=given).question_names == names


def test_people_are_told_which_question_is_taken_and_which_are_left(workbench, label_studio, run):
    tick = '<Choices name="unsure" toName="text"/></View>'
    xml = config("topic", "tone").replace("</View>", tick)
    label_studio.change_project(workbench.project_id, label_config=xml)
    label_studio.edit_task(1, {"text": ""})
    said = " ".join(run("connect", "1").output.split())
    assert "The main question is “topic”. Answered as well: tone." in said
    assert "To choose: --set questions=NAME" in said
    assert 'Cannot be answered: <Choices> "unsure" has no <Choice>.' in said
    assert "1 of 40 tasks have no text in field text." in said
    told = json.loads(run("connect", "1", "--json").stdout)
    assert (told["question"], told["also_answered"]) == ("topic", ["tone"])
    assert told["other_questions"] == []
    assert told["without_text"] == ["1 of 40 tasks have no text in field text"]


def test_each_question_is_told_with_what_there_is_to_choose_from(workbench, label_studio, run):
    more = '<Rating name="stars" toName="text" maxRating="3"/><Number name="days" toName="text"/></View>'
    xml = config("topic", "tone").replace("</View>", more)
    label_studio.change_project(workbench.project_id, label_config=xml)
    said = " ".join(run("connect", "1").output.split())
    assert "4 questions, topic (2 labels), tone (2 labels), stars (3 grades), days (a number)." in said
    told = json.loads(run("connect", "1", "--json").stdout)["questions"]
    assert list(told) == ["topic", "tone", "stars", "days"]
    assert told["stars"] == {"kind": "rating", "labels": 3}
