"""What becomes of every config of the gallery: which questions are answered, and why the others are not."""

import json
from pathlib import Path

import pytest

from backend.errors import UnsupportedConfig
from backend.label_studio.label_config import parse_label_config
from tests.gallery import GALLERY

EXPECTED = json.loads((Path(__file__).parents[1] / "gallery" / "expected.json").read_text())


def outcome(xml):
    """The kind of each question that is answered, and a sentence for everything that is left to people."""
    try:
        config = parse_label_config(xml)
    except UnsupportedConfig as error:
        return {"refused": error.message.partition(": ")[2]}
    left = [*config.obstacles, *(f"{name} could be answered too" for name in config.other_questions)]
    return {"answered": {question.name: question.kind for question in config.questions}} | (
        {"left": left} if left else {}
    )


def test_every_config_has_an_expected_outcome():
    assert len(GALLERY) >= 60 and set(GALLERY) == set(EXPECTED)


@pytest.mark.parametrize("name", GALLERY)
def test_a_config_is_served_in_part_or_refused_as_expected(name):
    assert outcome(GALLERY[name]) == EXPECTED[name]


@pytest.mark.parametrize("name", GALLERY)
def test_what_is_refused_names_what_is_in_the_way(name):
    found = outcome(GALLERY[name])
    reasons = [found["refused"]] if "refused" in found else found.get("left", [])
    assert all(reason.strip(". ") for reason in reasons)
