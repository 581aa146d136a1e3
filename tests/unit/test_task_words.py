"""What a task without a text says in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.label_studio.label_config import parse_label_config
from backend.label_studio.task_words import file_words, task_words
from backend.label_studio.tasks import read_task

CONFIG = """<View><Image name="i" value="$image"/>{more}
<Choices name="c" toName="i"><Choice value="a"/><Choice value="b"/></Choices></View>"""


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/data/upload/3/1a2b3c4d-red_panda-07.jpg", "red panda"),
        ("/data/local-files/?d=zoo/bears/IMG_0042.JPG", "zoo bears"),
        ("s3://bucket/animals/redPanda/0001.png", "animals red Panda"),
        ("https://example.org/shop/blue%20mug.webp?token=secret", "shop blue mug"),
        ("/data/upload/3/1a2b3c4d-DSC00017.jpg", ""),
        ("/data/upload/3/1a2b3c4d-5f2b9c0de1f04ab8.png", ""),
        ("data:image/png;base64,cmVkIHBhbmRh", ""),
        ("http://[", ""),
        ("", ""),
    ],
)
def test_the_name_of_a_file_in_words(address, words):
    assert file_words(address) == words


def test_fields_and_files_are_said_but_none_of_ours():
    data = {
        "image": "/data/upload/1/0f0f0f0f-otter-1.png",
        "more": ["a/seal.png", "a/seal.png"],
        "species": "Red panda",
        "weight": 12,
        "thumbnail": "data:image/png;base64,cmVk",
        "about": {"place": "zoo"},
        "nextlabel_note": "Next",
        "nothing": None,
    }
    assert task_words(data).split("\n") == ["otter", "a seal", "Red panda", "12", "place: zoo"]


def test_words_are_bounded():
    assert len(task_words({"a": "word " * 1000, "b": ["x"] * 1000})) <= 500
    assert task_words("no task") == ""


@pytest.mark.parametrize(("text", "words"), [("", "otter"), ("A text of its own", "")])
def test_a_task_with_a_text_needs_no_other_words(text, words):
    config = parse_label_config(CONFIG.format(more='<Text name="t" value="$text"/>'))
    task = {"id": 1, "data": {"image": "/data/upload/1/0f0f0f0f-otter.png", "text": text}}
    assert read_task(task, config).words == words


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=9))
def test_any_value_gives_a_text_that_can_be_stored(value):
    said = task_words({"field": value})
    assert "\0" not in said
    said.encode()
