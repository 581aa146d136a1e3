"""The demonstration's project: what its config says to the backend, and which questions it takes."""

import re

import pytest

from backend.label_studio.label_config import add_note, has_note, parse_label_config
from backend.label_studio.required import is_required
from demo.quiz import INSTRUCTION, LABELS, choose_questions, write_config

QUESTION = "Which country was the runner up of the 1998 World Cup?"


def test_people_see_the_labels_in_order_with_the_keys_one_to_eight():
    config = write_config()
    assert [label.name for label in parse_label_config(config).labels] == list(LABELS.values())
    assert re.findall(r'<Choice value="([^"]+)" hotkey="(\d)"', config) == [
        (label, str(key)) for key, label in enumerate(LABELS.values(), start=1)
    ]


def test_nobody_can_submit_an_empty_answer():
    assert is_required(write_config(), parse_label_config(write_config()))


def test_connecting_with_a_line_adds_the_line():
    assert not has_note(write_config())
    assert has_note(add_note(write_config()))


def test_the_instructions_say_when_to_skip():
    assert "Skip what fits no label" in INSTRUCTION


def test_a_question_stands_above_its_first_answer():
    assert list(choose_questions("worldcup", {QUESTION: ["Brazil", "brasil"]})) == [
        f"{QUESTION}\nAnswer: Brazil"
    ]


@pytest.mark.parametrize(
    "question",
    [
        "Who won it?",
        "What car is this that you can see in the picture? http://example.com/car.jpg",
        "Finish the line of the song: all you need is ______ and then some more",
        "(Naruto) What is the name of the village in which he has grown up?",
    ],
)
def test_a_question_that_no_sentence_asks_is_left_out(question):
    assert list(choose_questions("worldcup", {question: ["Yes"]})) == []


def test_questions_about_songs_are_not_called_film_and_television():
    song = {"Name the band: songs include Heart of Glass and The Tide is High": ["Blondie"]}
    assert list(choose_questions("entertainment", song)) == []
    assert len(list(choose_questions("music", song))) == 1
