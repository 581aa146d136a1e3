"""The demonstration's pictures: what their config says to the backend, and which are taken."""

import re

import pytest

from backend.label_studio.label_config import add_note, has_note, parse_label_config
from backend.label_studio.required import is_required
from demo.emoji import HELD_OUT, INSTRUCTION, LABELS, PICTURE, Emoji, choose_files, write_config
from demo.picture_stage import PictureStage

FILES = {PICTURE.format(name) for name in ("1f600", "2764", "1f1e9-1f1ea", "31-20e3")}


def a_record(code, group="face-smiling", name="GRINNING FACE"):
    return {"unified": code, "subcategory": group, "name": name}


def test_people_see_the_labels_in_order_with_the_keys_one_to_nine():
    config = write_config()
    assert [label.name for label in parse_label_config(config).labels] == list(LABELS)
    assert re.findall(r'<Choice value="([^"]+)" hotkey="(\d)"', config) == [
        (label, str(key)) for key, label in enumerate(LABELS, start=1)
    ]


def test_the_backend_looks_at_the_picture_alone_and_nobody_can_submit_an_empty_answer():
    config = parse_label_config(write_config())
    assert [shown.name for shown in config.pictures] == ["picture"] and not config.shows_text
    assert is_required(write_config(), config)
    assert not has_note(write_config()) and has_note(add_note(write_config()))
    assert "Skip what fits no label" in INSTRUCTION


@pytest.mark.parametrize(
    ("code", "file"),
    [
        ("1F600", "1f600"),
        ("2764-FE0F", "2764"),
        ("1F1E9-1F1EA", "1f1e9-1f1ea"),
        ("0031-FE0F-20E3", "31-20e3"),
    ],
)
def test_a_picture_is_found_by_its_code(code, file):
    assert list(choose_files([a_record(code)], ("face-",), FILES)) == [
        ("grinning-face", PICTURE.format(file))
    ]


def test_other_groups_and_what_has_no_file_are_left_out():
    records = [a_record("1F600", group="hands"), a_record("1F9FF")]
    assert list(choose_files(records, ("face-",), FILES)) == []


def test_no_group_is_part_of_two():
    beginnings = [one for _count, names in (LABELS | HELD_OUT).values() for one in names]
    assert not [(a, b) for a in beginnings for b in beginnings if a is not b and a.startswith(b)]


def a_task(number, file):
    return {"id": number, "data": {"image": f"/data/upload/1/0a1b2c3d-{file}"}}


class Project:
    """Stands in for a project of two uploaded pictures."""

    def fetch_tasks(self):
        """Its tasks."""
        return [a_task(1, "a-cat.png"), a_task(2, "flag.png")]


def test_a_task_is_known_by_the_name_of_its_file():
    pictures = [Emoji("a-cat", b"", "animals", True), Emoji("flag", b"", "flags", False)]
    stage = PictureStage(None, None, Project(), pictures)
    assert stage.find_answers() == {1: "animals"}
    assert stage.describe_task(a_task(3, "flag-of-x.png")) == "flag-of-x"
    with pytest.raises(ValueError, match="not the address of an uploaded picture"):
        stage.describe_task({"data": {"image": "https://example.org/a.png"}})
