"""Predictions as Label Studio takes them."""

import pytest

from backend.label_studio.label_config import parse_label_config
from backend.label_studio.results import prediction, target_result

CONFIG = parse_label_config(
    '<View><Text name="letter" value="$body"/>'
    '<Choices name="kind" toName="letter"><Choice value="Praise" alias="p"/><Choice value="Blame"/></Choices>'
    "</View>"
)


def test_a_choice_names_control_and_object_and_carries_the_confidence():
    assert target_result(CONFIG.questions[0], ("p",), confidence=0.81234567) == [
        {
            "from_name": "kind",
            "to_name": "letter",
            "type": "choices",
            "value": {"choices": ["p"]},
            "score": 0.8123,
        }
    ]


@pytest.mark.parametrize(("confidence", "kept"), [(-0.1, 0.0), (1.0000001, 1.0), (0.0, 0.0)])
def test_the_confidence_never_leaves_0_to_1(confidence, kept):
    assert target_result(CONFIG.questions[0], ("p",), confidence=confidence)[0]["score"] == kept


def test_no_text_of_ours_is_left_in_the_annotation_of_the_person_who_submits_it():
    (region,) = target_result(CONFIG.questions[0], ("p",), confidence=0.5)
    assert set(region) == {"from_name", "to_name", "type", "value", "score"}


def test_a_prediction_carries_its_version_and_its_place():
    assert prediction([], version="nl-000003", score=0.25) == {
        "result": [],
        "score": 0.25,
        "model_version": "nl-000003",
    }
