"""When a question is shown: every kind of `visibleWhen`, told from the answers to the others."""

import pytest

from backend.label_studio.controls.conditions import (
    find_shown,
    find_tellable,
    in_words,
    keep_shown,
    said_shown,
)
from backend.label_studio.label_config import Preference, parse_label_config
from backend.label_studio.tasks import read_task

TEXT = '<Text name="text" value="$text"/>'


def choices(name, condition="", labels="AB", inside="", form=""):
    inside = inside or "".join(f'<Choice value="{label}"/>' for label in labels)
    return f'<Choices name="{name}" toName="text" {form} {condition}>{inside}</Choices>'


def config(*tags, **preference):
    return parse_label_config(f"<View>{TEXT}{''.join(tags)}</View>", Preference(**preference))


def when(kind, name="", value=None):
    named = f' whenTagName="{name}"' if name else ""
    return f'visibleWhen="{kind}"{named}' + (f' whenChoiceValue="{value}"' if value is not None else "")


def shown(tags, **answers):
    """Whether "child" is shown to somebody who answered so."""
    found = config(*tags)
    assert "child" in [question.name for question in found.questions]
    targets = {name: (answer,) if isinstance(answer, str) else answer for name, answer in answers.items()}
    return "child" in said_shown(found.questions, targets)


PARENT = choices("topic", labels="ABC")
ALIASES = choices(
    "topic", inside='<Choice value="Apples" alias="a"/><Choice value="Cheese"/><Choice value="Bread"/>'
)
SEVERAL = choices("topic", labels="ABC", form='choice="multiple"')


@pytest.mark.parametrize(
    ("parent", "condition", "answer", "expected"),
    [
        (PARENT, when("choice-selected", "topic", "A"), "A", True),
        (PARENT, when("choice-selected", "topic", "A"), "B", False),
        (PARENT, when("choice-selected", "topic", "A"), (), False),
        (PARENT, when("choice-selected", "topic", "A,C"), "C", True),
        (PARENT, when("choice-selected", "topic", "A, C"), "C", False),  # the editor keeps the blank
        (PARENT, when("choice-selected", "topic", "gone"), "A", False),
        (PARENT, when("choice-selected", "topic", ""), "A", False),
        (PARENT, when("choice-selected", "topic"), "B", True),
        (PARENT, when("choice-selected", "topic"), (), False),
        (PARENT, when("choice-selected"), "B", True),
        (PARENT, when("choice-selected", value="A"), "B", True),  # values need the name of a question
        (PARENT, when("choice-selected"), (), False),
        (PARENT, when("choice-unselected", "topic", "A"), "A", False),
        (PARENT, when("choice-unselected", "topic", "A,B"), "C", True),
        (PARENT, when("choice-unselected", "topic", "A"), (), True),
        (PARENT, when("choice-unselected", "topic"), "A", False),
        (PARENT, when("choice-unselected"), (), True),
        (PARENT, 'whenChoiceValue="A"', "A", True),
        (PARENT, 'whenChoiceValue="A"', "B", False),
        (PARENT, 'whenChoiceValue="A,B"', "A", False),  # nobody splits this one
        (ALIASES, when("choice-selected", "topic", "Apples"), "a", True),
        (ALIASES, when("choice-selected", "topic", "Bread"), "Bread", True),
        (ALIASES, when("choice-selected", "topic", "a"), "a", True),
        (ALIASES, 'whenChoiceValue="Apples"', "a", False),
        (SEVERAL, when("choice-selected", "topic", "A"), ("A", "C"), True),
        (SEVERAL, when("choice-selected", "topic", "B"), ("A", "C"), False),
        (SEVERAL, when("choice-unselected", "topic", "B,C"), ("A", "C"), False),
        (SEVERAL, when("choice-unselected", "topic"), (), True),
        (PARENT, 'visibleWhen="sometimes" whenChoiceValue="A"', "B", True),
        (PARENT, when("choice-selected", "topic", "A").upper().replace("CHOICE-SELECTED", "choice-selected")
         .replace('"TOPIC"', '"topic"'), "A", True),
    ],
)  # fmt: skip
def test_a_question_is_shown_where_the_editor_shows_it(parent, condition, answer, expected):
    assert shown([parent, choices("child", condition)], topic=answer) is expected
    inside = f"<View {condition}><View>{choices('child')}</View></View>"
    assert shown([parent, inside], topic=answer) is expected


def test_what_hangs_on_a_hidden_question_is_hidden_and_what_waits_for_none_is_shown():
    middle = choices("middle", when("choice-selected", "topic", "A"))
    selected = choices("child", when("choice-selected", "middle", "A"))
    unselected = choices("child", when("choice-unselected", "middle", "A"))
    stale = {"topic": "B", "middle": "A"}
    assert shown([PARENT, middle, selected], topic="A", middle="A")
    assert not shown([PARENT, middle, selected], **stale)
    assert shown([PARENT, middle, unselected], **stale)


def test_all_conditions_around_a_question_must_hold():
    inner = f"<View {when('choice-selected', 'tone', 'B')}>{choices('child')}</View>"
    tags = [PARENT, choices("tone"), f"<View {when('choice-selected', 'topic', 'A')}>{inner}</View>"]
    assert shown(tags, topic="A", tone="B")
    assert not shown(tags, topic="A", tone="A")
    assert not shown(tags, topic="B", tone="B")


@pytest.mark.parametrize(
    "condition",
    [
        when("region-selected"),
        when("no-region-selected"),
        'visibleWhen="region-selected" whenLabelValue="x"',
        when("choice-selected", "nothing"),
        when("choice-selected", "stars"),
        when("choice-selected", "per-region"),
        when("choice-selected", "child"),
        when("choice-selected", "other"),
    ],
)
def test_where_answers_do_not_tell_the_question_is_left_to_people(condition):
    found = config(
        PARENT,
        choices("child", condition),
        choices("other", when("choice-selected", "child")),
        '<Rating name="stars" toName="text"/>',
        choices("per-region", form='perRegion="true"'),
    )
    assert [question.name for question in found.questions] == ["topic", "stars"]
    assert found.other_questions == ("child", "other")


def test_tags_that_the_editor_cannot_hide_heed_no_condition():
    rating = f'<Rating name="stars" toName="text" {when("choice-selected", "topic", "A")}/>'
    (_topic, stars) = config(PARENT, rating).questions
    assert (stars.is_conditional, stars.conditions) == (False, ())
    inside = f'<View {when("choice-selected", "topic", "A")}><Rating name="stars" toName="text"/></View>'
    assert config(PARENT, inside).questions[1].is_conditional


def test_a_main_question_whose_condition_nobody_can_tell_counts_as_always_shown():
    found = config(PARENT, choices("child", when("choice-selected", "topic", "A")), questions=("child",))
    assert [(one.name, one.conditions) for one in found.questions] == [("child", ())]
    assert read_task(task(child="A"), found).targets == {"child": ("A",)}


def test_without_the_question_that_it_hangs_on_a_question_is_not_answered():
    tags = PARENT, choices("tone"), choices("child", when("choice-selected", "topic"))
    assert [one.name for one in config(*tags, questions=("tone", "child")).questions] == ["tone"]
    assert [one.name for one in config(*tags, questions=("child", "topic")).questions] == ["child", "topic"]


def task(*annotations, **answers):
    said = [answers, *annotations]
    return {
        "id": 1,
        "data": {"text": "words"},
        "annotations": [
            {
                "completed_by": number,
                "created_at": f"2026-01-01T00:00:0{number}Z",
                "result": [
                    {"from_name": name, "to_name": "text", "type": "choices", "value": {"choices": [value]}}
                    for name, value in answers.items()
                ],
            }
            for number, answers in enumerate(said, 1)
        ],
    }


HANGS = config(PARENT, choices("child", when("choice-selected", "topic", "A")))


def test_an_answer_to_a_hidden_question_is_ignored():
    assert read_task(task(topic="A", child="B"), HANGS).targets == {"topic": ("A",), "child": ("B",)}
    assert read_task(task(topic="B", child="B"), HANGS).targets == {"topic": ("B",)}
    assert read_task(task(child="B"), HANGS).targets == {}


def test_of_several_people_those_are_heard_who_saw_the_question_where_most_saw_it():
    two_of_three = task({"topic": "A", "child": "B"}, {"topic": "B", "child": "A"}, topic="A")
    assert read_task(two_of_three, HANGS).targets == {"topic": ("A",), "child": ("B",)}
    one_of_three = task({"topic": "B"}, {"topic": "B"}, topic="A", child="B")
    assert read_task(one_of_three, HANGS).targets == {"topic": ("B",)}


def test_a_main_question_that_was_hidden_is_another_question():
    child_first = config(
        PARENT, choices("child", when("choice-selected", "topic", "A")), questions=("child", "topic")
    )
    state = read_task(task(topic="B", child="B"), child_first)
    assert (state.label, state.outcome, state.answers[0].label) == (None, "another question", None)


def test_of_our_own_answers_what_hangs_on_none_is_not_given():
    questions = HANGS.questions
    assert keep_shown(questions, {"topic": ("A",), "child": ("B",)}) == ["topic", "child"]
    assert keep_shown(questions, {"topic": ("B",), "child": ("B",)}) == ["topic"]
    assert keep_shown(questions, {"child": ("B",)}) == []
    unselected = config(PARENT, choices("child", when("choice-unselected", "topic", "A"))).questions
    assert keep_shown(unselected, {"child": ("B",)}) == []
    assert find_shown(questions, {}) == {"topic": True, "child": None}


def test_conditions_are_said_in_words():
    five = choices("five", when("choice-selected", "two"))
    tags = [
        ALIASES,
        choices("one", when("choice-selected", "topic", "Apples,Bread")),
        choices("two", when("choice-unselected", "topic", "Bread")),
        choices("three", when("choice-selected", "topic")),
        choices("four", when("choice-unselected")),
        f"<View {when('choice-selected', 'one', 'A')}>{five}</View>",
        choices("six", 'whenChoiceValue="A"'),
    ]
    questions = config(*tags).questions
    assert {one.name: in_words(one, questions) for one in questions} == {
        "topic": "",
        "one": "topic is “Apples” or “Bread”",
        "two": "topic is not “Bread”",
        "three": "something is chosen in topic",
        "four": "nothing is chosen",
        "five": "something is chosen in two and one is “A”",
        "six": "an answer is “A”",
    }


def tree(depth, fan, name="q", parent=""):
    """Choices in Choices: each label of a question opens another one, so deep."""
    condition = when("choice-selected", *parent) if parent else ""
    yield choices(name, condition, labels="ABCDEF"[:fan])
    if depth > 1:
        for label in "ABCDEF"[:fan]:
            yield from tree(depth - 1, fan, f"{name}{label}", (name, label))


def test_conditions_four_deep_over_170_choices_are_told():
    tags = [*tree(3, 6), *tree(4, 5, "r")][:174]
    questions = config(*tags).questions
    assert len(questions) == 174
    path = {
        "q": ("A",),
        "qA": ("B",),
        "qAB": ("C",),
        "r": ("E",),
        "rE": ("A",),
        "rEA": ("B",),
        "rEAB": ("A",),
    }
    path = {name: answer for name, answer in path.items() if any(one.name == name for one in questions)}
    shown_to_them = said_shown(questions, path)
    assert set(path) <= set(shown_to_them) and len(shown_to_them) < 12
    assert set(keep_shown(questions, path)) == set(path)
    assert len(find_tellable(questions, questions)) == 174
