"""What the generator of a synthetic task meant, one label or several, in the spellings that people use."""

import pytest

from backend.label_studio.intentions import pack_intention, read_intention, unpack_intention
from backend.label_studio.label_config import parse_label_config
from backend.label_studio.tasks import read_task

ASKS = (
    '<View><Text name="t" value="$text"/><Choices name="c" toName="t"{}>'
    '<Choice value="Crude oil" alias="crude"/><Choice value="Gas, natural"/><Choice value="Wheat"/>'
    "</Choices></View>"
)
SEVERAL = parse_label_config(ASKS.format(' choice="multiple"'))
SINGLE = parse_label_config(ASKS.format(""))


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (["Wheat", "crude"], ("crude", "Wheat")),
        (["wheat", "Crude oil", "crude"], ("crude", "Wheat")),
        ("crude, wheat", ("crude", "Wheat")),
        ("Gas, natural", ("Gas, natural",)),
        ('["Gas, natural", "crude"]', ("crude", "Gas, natural")),
        ("wheat", ("Wheat",)),
        ([], ()),
        ("[]", ()),
        ("None of them", ()),
        ("crude, corn", None),
        (["corn"], None),
        ([1, "crude"], None),
        (["crude", None], None),
        ("[crude", None),
        ("", None),
        (None, None),
        ({"choices": ["crude"]}, None),
    ],
)
def test_a_set_is_read_as_a_list_as_json_or_with_commas(said, meant):
    question = SEVERAL.questions[0]
    assert read_intention({"label": said}, "label", question) == meant
    assert unpack_intention(pack_intention(meant, question), question) == meant


def test_one_label_is_kept_as_it_is_called():
    question = SINGLE.questions[0]
    assert read_intention({"label": "Crude oil"}, "label", question) == ("crude",)
    assert pack_intention(("crude",), question) == "crude"
    assert unpack_intention("crude", question) == ("crude",)
    assert read_intention({"label": "crude, wheat"}, "label", question) is None


@pytest.mark.parametrize("kept", [None, "crude", "[", '{"a": 1}', "[1]", '["corn"]', '["crude", "corn"]'])
def test_what_was_kept_for_another_config_is_no_intention(kept):
    assert unpack_intention(kept, SEVERAL.questions[0]) is None


def test_one_label_that_left_the_config_is_no_intention():
    assert unpack_intention("corn", SINGLE.questions[0]) is None
    assert unpack_intention('["crude"]', SINGLE.questions[0]) is None


def test_an_answer_that_a_task_came_with_says_what_was_meant():
    region = {"from_name": "c", "to_name": "t", "type": "choices", "value": {"choices": ["Wheat", "crude"]}}
    task = {
        "id": 1,
        "data": {"text": "x", "source": "synthetic"},
        "annotations": [{"result": [region], "ground_truth": True}],
    }
    state = read_task(task, SEVERAL)
    assert state.origin.intended_label == '["crude", "Wheat"]'
    assert (state.label, state.targets) == (None, {})
