"""Several choices: what is read, what people say together, and what is written."""

import pytest

from backend.label_studio.controls.question import Label, Question
from backend.label_studio.controls.several_choices import SeveralChoices

LABELS = (Label("a", "Apples"), Label("b", "Bread"), Label("c", "Cheese"))
QUESTION = Question("buys", "Choices", "text", LABELS, False, False, "", "several choices")
CONTROL = SeveralChoices()


def ticked(*names):
    return {"from_name": "buys", "value": {"choices": [*names]}}


@pytest.mark.parametrize(
    ("regions", "target"),
    [
        ([ticked("c", "a")], ("a", "c")),
        ([ticked("Bread", "b", "gone")], ("b",)),
        ([ticked("a"), ticked("c")], ("a", "c")),
        ([ticked()], None),
        ([ticked("gone")], None),
        ([], None),
        ([{"value": None}, {}, {"value": {"choices": "a"}}, {"value": {"choices": [1]}}], None),
    ],
)
def test_known_labels_are_read_in_the_order_of_the_config(regions, target):
    assert CONTROL.read(regions, QUESTION) == target


@pytest.mark.parametrize(
    ("said", "target"),
    [
        ([("a", "b")], ("a", "b")),
        ([("a", "b"), ("a",)], ("a",)),
        ([("a",), ("b",)], None),
        ([("a", "b"), ("b", "c"), ("c", "a")], ("a", "b", "c")),
        ([(), (), ("a",)], ()),
        ([(), ("a",)], None),
    ],
)
def test_a_label_counts_if_more_than_half_tick_it(said, target):
    assert CONTROL.merge(said, QUESTION) == target


def test_all_labels_stand_in_one_region_and_none_of_them_in_no_region():
    (region,) = CONTROL.render(QUESTION, ("c", "a"), confidence=0.5)
    assert region["value"] == {"choices": ["a", "c"]}
    assert CONTROL.render(QUESTION, (), confidence=0.5) == []
