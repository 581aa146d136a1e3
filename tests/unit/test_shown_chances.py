"""How likely it is that a question is asked, by what the heads say of those that it hangs on."""

import numpy as np
import pytest

from backend.label_studio.label_config import parse_label_config
from backend.workflows.serving.chances import LabelChances, ShownChances
from model.records import LabelSpace
from model.strategies.questions import when_shown
from model.task_type import Beliefs

ANY = 'visibleWhen="choice-selected"'


def choices(name, condition="", form=""):
    inside = '<Choice value="A"/><Choice value="B"/><Choice value="C"/>'
    return f'<Choices name="{name}" toName="text" {form} {condition}>{inside}</Choices>'


def on(name, value="", kind="choice-selected"):
    value = f' whenChoiceValue="{value}"' if value else ""
    return f'visibleWhen="{kind}" whenTagName="{name}"{value}'


def chance(*tags, heads):
    """The chance that the last question is shown."""
    config = parse_label_config(f'<View><Text name="text" value="$text"/>{"".join(tags)}</View>')
    space = LabelSpace(("A", "B", "C"))
    known = {name: LabelChances(space, np.array([row], dtype=np.float32)) for name, row in heads.items()}
    names = {question.name: question for question in config.questions}
    return float(ShownChances(config.questions, known, 1).of(names["child"])[0])


ONE, TWO = [0.5, 0.3, 0.2], [0.1, 0.2, 0.7]
PARENT, SEVERAL = choices("topic"), choices("topic", form='choice="multiple"')


@pytest.mark.parametrize(
    ("parent", "condition", "expected"),
    [
        (PARENT, on("topic", "A"), 0.5),
        (PARENT, on("topic", "A,C"), 0.7),
        (PARENT, on("topic"), 1.0),
        (PARENT, on("topic", "A", "choice-unselected"), 0.5),
        (PARENT, on("topic", "", "choice-unselected"), 0.0),
        (PARENT, ANY, 1.0),
        (SEVERAL, on("topic", "A,B"), 1 - 0.5 * 0.7),
        (SEVERAL, on("topic"), 1 - 0.5 * 0.7 * 0.8),
        (SEVERAL, on("topic", "B", "choice-unselected"), 0.7),
        (SEVERAL, ANY, 1 - 0.5 * 0.7 * 0.8),
    ],
)
def test_the_chance_is_that_of_the_labels_that_are_waited_for(parent, condition, expected):
    found = chance(parent, choices("child", condition), heads={"topic": ONE, "child": TWO})
    assert found == pytest.approx(expected, abs=1e-6)


def test_what_two_conditions_share_counts_once():
    middle = choices("middle", on("topic", "A"))
    around = f"<View {on('topic', 'A')}>{choices('child', on('middle', 'C'))}</View>"
    heads = {"topic": ONE, "middle": TWO}
    assert chance(PARENT, middle, around, heads=heads) == pytest.approx(0.5 * 0.7, abs=1e-6)
    unselected = choices("child", on("middle", "C", "choice-unselected"))
    assert chance(PARENT, middle, unselected, heads=heads) == pytest.approx(1 - 0.5 * 0.7, abs=1e-6)


def test_without_a_head_of_the_other_question_it_may_be_asked_anywhere():
    assert chance(PARENT, choices("child", on("topic", "A")), heads={}) == 1.0


def test_where_a_question_is_not_asked_there_is_nothing_to_be_unsure_of():
    column = np.array([[0.5], [0.5], [0.5]], dtype=np.float32)
    beliefs = Beliefs(np.arange(3), column, column, column[:, 0], column[:, 0] * 2, column, "v")
    found = when_shown(beliefs, np.array([0.0, 0.5, 1.0], dtype=np.float32))
    assert found.uncertainty.tolist() == [0.0, 0.5, 1.0]
    assert found.confidence.tolist() == [1.0, 0.75, 0.5]
    for wrong in (np.ones(2), np.array([0.0, 0.5, 1.1]), np.array([0.0, np.nan, 1.0])):
        with pytest.raises(ValueError, match="when_shown"):
            when_shown(beliefs, wrong.astype(np.float32))
