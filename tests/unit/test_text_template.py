"""What a text tag shows: its value with every field filled in as Label Studio's editor does it."""

import pytest

from backend.label_studio.label_config import parse_label_config
from backend.label_studio.tasks import content_hash, task_content
from backend.label_studio.text_template import names_the_task, parse_template

TASK = {
    "city": "Berlin",
    "note": "late",
    "arr": [{"text": "first"}, {"text": "second"}],
    "list": ["a", "b"],
    "n": 3,
    "yes": True,
    "no": False,
    "nothing": None,
    "blank": " \n",
    "object": {"x": 1},
    "a.b": "flat",
    "mail": {"body": "x", "tags": ["p", "q"]},
    "nested": [["a", ["b"]], None, "c"],
    "whole": 3.0,
    "large": 1.2345678901234567e19,
    "huge": 1e21,
    "small": 2e-5,
    "tiny": 1e-7,
    "half": 0.5,
    "none": 0.0,
    "größe": "groß",
    "my-field": "mine",
    "two words": "spoken",
}

# What the editor of 1.23.2 shows of this task, but for fixed words and for fields without a text, which it
# shows as "undefined", "null" or "[object Object]".
SHOWN = {
    "$city": "Berlin",
    "$city, $note": "Berlin, late",
    "$city $note": "Berlin late",
    "$city$note": "Berlinlate",
    "$city. $note": "Berlin late",
    "$note ": "late",
    " $note": "late",
    "Note: $note": "late",
    "$note!": "late",
    "City: $city, note: $note": "Berlin\nlate",
    "$arr[0].text": "first",
    "$arr.1.text": "second",
    "$arr[0].text / $arr[1].text": "first / second",
    "$arr[5].text": "",
    "$arr[0]": "",
    "$arr": "",
    "$list": "a,b",
    "List: $list": "a,b",
    "$list[1]": "b",
    "$nested": "a,b,c",
    "$n": "3",
    "$whole": "3",
    "$large": "12345678901234567000",
    "$huge": "1e+21",
    "$small": "0.00002",
    "$tiny": "1e-7",
    "$half / $none": "0.5 / 0",
    "$yes": "true",
    "$no": "false",
    "is $no": "false",
    "$nothing": "",
    "$blank": "",
    "$missing": "",
    "$missing, $note": "late",
    "$city, $missing": "Berlin",
    "$city, $blank, $note": "Berlin, late",
    "$object": "",
    "$object.x": "1",
    "$a.b": "flat",
    "$mail.body": "x",
    "$mail.tags[1]": "q",
    "$mail.body.more": "",
    "[$city] $note": "Berlin] late",
    "($city): {$note}": "Berlin): {late",
    "$größe": "groß",
    "$my-field": "mine",
    "$two words": "spoken",
}


@pytest.mark.parametrize("value", SHOWN)
def test_a_text_is_read_as_it_is_shown(value):
    assert parse_template(value).fill(TASK) == SHOWN[value]


@pytest.mark.parametrize("value", ["", "Read this.", "${city}", "$", "$ city", "5 $", "$, $!"])
def test_a_fixed_sentence_has_no_fields(value):
    assert parse_template(value).fields == ()
    assert parse_template(value).fill(TASK) == ""


@pytest.mark.parametrize(
    ("value", "missing"),
    [
        ("$city, $note", ()),
        ("$missing", ("missing",)),
        ("$city, $blank, $nothing, $object", ("blank", "nothing", "object")),
        ("$two words", ()),
        ("$my-other", ("my-other",)),
    ],
)
def test_fields_without_a_text_are_named(value, missing):
    assert parse_template(value).missing(TASK) == missing


def test_fields_are_left_out_with_what_stands_between():
    template = parse_template("$note ($city) $list")
    assert template.fill(TASK) == "late (Berlin) a,b"
    assert template.keep(["note", "list"]).fill(TASK) == "late\na,b"
    assert template.keep(["city", "list"]).fill(TASK) == "Berlin) a,b"
    assert template.keep([]).fields == ()


@pytest.mark.parametrize(
    "field",
    ["id", "ID", "ids", "_id", "movie_id", "movie-id", "movieId", "movieID", "a.id", "uuid", "index"],
)
def test_some_fields_only_name_the_task(field):
    assert names_the_task(field)


@pytest.mark.parametrize("field", ["text", "idea", "paid", "covid", "grid", "id_text", "fluid", "my_index"])
def test_others_do_not(field):
    assert not names_the_task(field)


KEYS = {
    '<Text name="t" value="$text"/>': "one\ntwo",
    '<Text name="t" value="$mail.body"/><Text name="u" value="$text"/>': "inside\none\ntwo",
    '<Text name="t" value="$text"/><Text name="u" value="$text"/>': "one\ntwo",
    '<Text name="t" value="$n"/>': "4.5",
}


@pytest.mark.parametrize("texts", KEYS)
def test_the_key_of_a_vector_stays_what_it_was_for_plain_fields(texts):
    config = parse_label_config(
        f'<View>{texts}<Choices name="c" toName="t"><Choice value="A"/><Choice value="B"/></Choices></View>'
    )
    task = {"text": "one\ntwo ", "mail": {"body": "inside"}, "n": 4.5}
    assert content_hash(task_content(task, config)) == content_hash(KEYS[texts])
