"""<Image>: which pictures a task shows, by their addresses, and which questions can stand on them."""

import pytest

from backend.errors import UnsupportedConfig
from backend.label_studio.label_config import parse_label_config
from backend.label_studio.tasks import content_hash, item_hash, read_task, task_content, task_pictures

CHOICES = '<Choices name="c" toName="i"><Choice value="A"/><Choice value="B"/></Choices>'


def config_of(tags, controls=CHOICES):
    return parse_label_config(f"<View>{tags}{controls}</View>")


def state_of(tags, **data):
    return read_task({"id": 1, "data": data, "annotations": [], "updated_at": ""}, config_of(tags))


@pytest.mark.parametrize(
    ("tag", "data", "addresses"),
    [
        ('<Image name="i" value="$image"/>', {"image": "/data/upload/1/a.png"}, ["/data/upload/1/a.png"]),
        ('<Image name="i" value="$image"/>', {"image": " s3://b/a.png "}, ["s3://b/a.png"]),
        ('<Image name="i" value="$image"/>', {"image": ["a", "b"]}, ["a", "b"]),
        ('<Image name="i" valueList="$pages"/>', {"pages": ["a", "", "b", 3]}, ["a", "b"]),
        ('<Image name="i" valuelist="$pages"/>', {"pages": '["a", "b"]'}, ["a", "b"]),
        ('<Image name="i" valueList="$pages"/>', {"pages": "a"}, ["a"]),
        ('<Image name="i" value="$picture.url"/>', {"picture": {"url": "a"}}, ["a"]),
        ('<Image name="i" value="https://x.org/$image.png"/>', {"image.png": "a"}, ["https://x.org/a"]),
        ('<Image name="i" value="/f/?d=$folder/$file"/>', {"folder": "x", "file": "y"}, ["/f/?d=x/y"]),
        ('<Image name="i" value="/f/?d=$folder/$file"/>', {"folder": "x"}, []),
        ('<Image name="i" value="$a$ab"/>', {"a": "1", "ab": "2"}, ["12"]),
        ('<Image name="i" value="$image"/>', {"image": 7}, []),
        ('<Image name="i" value="$image"/>', {"image": {"url": "a"}}, []),
        ('<Image name="i" value="$image"/>', {"other": "a"}, []),
        ('<Image name="i" value="$image"/>', {"image": "a\0\ud800"}, ["a ?"]),
        ('<Image name="i" value="$image" valueType="url"/>', {"image": "a"}, ["a"]),
        ('<Image name="i" value="$image_id"/>', {"image_id": "a"}, ["a"]),
    ],
)
def test_the_addresses_of_a_task_are_what_label_studio_would_load(tag, data, addresses):
    assert list(task_pictures(data, config_of(tag)).get("i", ())) == addresses


def test_of_many_pages_the_first_are_looked_at():
    pages = [f"/data/upload/{page}.png" for page in range(1000)]
    state = state_of('<Image name="i" valueList="$pages"/>', pages=pages)
    assert state.pictures["i"] == tuple(pages[:64])


def test_any_data_give_addresses_or_none():
    config = config_of('<Image name="i" value="$image"/>')
    for data in (None, [], "x", {"image": [[["a"]]]}, {"image": None}):
        assert task_pictures(data, config) == {}


def test_several_pictures_and_a_text_are_one_item():
    tags = '<Image name="i" value="$one"/><Image name="j" value="$two"/><Text name="t" value="$text"/>'
    state = state_of(tags, one="a", two="b", text="words")
    assert state.content == "words"
    assert state.pictures == {"i": ("a",), "j": ("b",)}
    assert state.content_hash not in (content_hash("words"), "")


def test_a_task_without_a_picture_is_what_it_was():
    tags = '<Image name="i" value="$image"/><Text name="t" value="$text"/>'
    state = state_of(tags, text="words")
    assert state.content_hash == content_hash("words") == item_hash("words", {})
    assert state.missing_fields == ("image",)
    assert state_of('<Image name="i" value="$image"/>', image="").content_hash == ""


def test_the_identity_of_a_task_is_its_text_and_where_its_pictures_lie():
    hashes = {
        item_hash("", {"i": ["a"]}),
        item_hash("", {"i": ["a", "b"]}),
        item_hash("", {"i": ["a"], "j": ["b"]}),
        item_hash("words", {"i": ["a"]}),
        item_hash("", {"j": ["a"]}),
    }
    assert len(hashes) == 5
    assert item_hash("", {"i": ["a"], "j": ["b"]}) == item_hash("", {"j": ["b"], "i": ["a"]})


def test_a_labelled_picture_is_a_label_without_any_text():
    result = [{"from_name": "c", "to_name": "i", "type": "choices", "value": {"choices": ["A"]}}]
    task = {
        "id": 1,
        "data": {"image": "a"},
        "annotations": [{"result": result, "completed_by": 1, "created_at": "2026-01-01T00:00:00Z"}],
        "updated_at": "",
    }
    state = read_task(task, config_of('<Image name="i" value="$image"/>'))
    assert (state.label, state.outcome, state.content) == ("A", "label", "")


@pytest.mark.parametrize(
    "control",
    [
        CHOICES,
        CHOICES.replace("<Choices", '<Choices choice="multiple"'),
        '<Rating name="c" toName="i"/>',
        '<Number name="c" toName="i"/>',
        '<Taxonomy name="c" toName="i"><Choice value="A"/><Choice value="B"/></Taxonomy>',
    ],
)
def test_questions_of_every_kind_stand_on_a_picture(control):
    config = config_of('<Image name="i" value="$image"/>', control)
    assert config.to_name == "i"
    assert (config.shows_text, [shown.name for shown in config.pictures]) == (False, ["i"])


def test_a_question_on_a_text_reads_the_picture_beside_it():
    tags = '<Image name="p" value="$image"/><Text name="i" value="$text"/>'
    config = config_of(tags)
    assert config.shows_text
    assert task_pictures({"image": "a", "text": "words"}, config) == {"p": ("a",)}
    assert task_content({"image": "a", "text": "words"}, config) == "words"


@pytest.mark.parametrize("tag", ["Audio", "Video", "TimeSeries", "Pdf"])
def test_what_is_no_picture_is_refused_by_its_name(tag):
    with pytest.raises(UnsupportedConfig, match=f'stands on <{tag}> "i"'):
        config_of(f'<{tag} name="i" value="$file"/>')


def test_a_picture_that_is_the_same_in_every_task_says_nothing():
    with pytest.raises(UnsupportedConfig, match="is the same in every task"):
        config_of('<Image name="i" value="/static/x.png"/>')


def test_two_pictures_are_compared_and_a_tag_that_shows_the_same_stands_for_either():
    tags = '<Image name="a" value="$one"/><Image name="b" value="$two"/><Image name="c" value="$one"/>'
    config = config_of(tags, '<Pairwise name="p" toName="a,b"/>')
    assert config.to_name == "a"
    read = {shown.name for shown in config.pictures}
    assert len(read) == 2 and {part.name for part in config.questions[0].parts} == read
