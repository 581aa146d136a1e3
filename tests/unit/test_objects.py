"""What people read of a task, by kind of object."""

import json

import pytest

from backend.label_studio.label_config import parse_label_config
from backend.label_studio.objects.html import html_text
from backend.label_studio.tasks import content_hash, read_task, task_content

CHOICES = '<Choices name="c" toName="t"><Choice value="A"/><Choice value="B"/></Choices>'


def content(tags, **data):
    return task_content(data, parse_label_config(f"<View>{tags}{CHOICES}</View>"))


def missing(tags, **data):
    config = parse_label_config(f"<View>{tags}{CHOICES}</View>")
    task = {"id": 1, "data": data, "annotations": [], "updated_at": ""}
    return read_task(task, config).missing_fields


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain", "plain"),
        ("<p>one <b>two</b></p><p>three</p>", "one two\nthree"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("Tom &amp; J&eacute;r&#244;me &lt;3", "Tom & Jérôme <3"),
        ("<script>var a = '<p>no</p>';</script><style>p {}</style>yes<!-- no -->", "yes"),
        ("<title>no</title><h1>Head</h1>body\n  of   it", "Head\nbody of it"),
        ("<ul><li>one</li><li>two</ul>", "one\ntwo"),
        ("<table><tr><th>a</th><td>1</td></tr><tr><td>b</td><td>2</td></tr></table>", "a 1\nb 2"),
        ("2 < 3 and 5 > 4", "2 < 3 and 5 > 4"),
        ("&#0;&#xD800;", "\ufffd\ufffd"),
        ("", ""),
        ("<p> </p>", ""),
    ],
)
def test_html_is_read_as_a_browser_shows_it(html, text):
    assert html_text(html) == text


HTML = '<HyperText name="t" value="$page"/>'


def test_html_without_words_is_a_missing_text():
    assert content(HTML, page="<p>Hello</p>") == "Hello"
    assert missing(HTML, page="<p>Hello</p>") == ()
    assert missing(HTML, page="<img src='a.png'/>") == missing(HTML) == ("page",)


def test_html_between_the_tags_is_read_with_its_fields():
    inline = '<HyperText name="t"><h1>Dear $name,</h1><p>$body</p></HyperText>'
    assert content(inline, name="Ann", body="it is &lt;late&gt;") == "Ann\nit is <late>"


DIALOGUE = '<Paragraphs name="t" value="$turns" layout="dialogue"/>'
KEYED = '<Paragraphs name="t" value="$turns" nameKey="who" textKey="said"/>'
CHAT = '<Chat name="t" value="$turns"/>'
TURNS = [
    {"author": "Ann", "text": "Hello"},
    {"author": "Bob", "text": " Hi "},
    {"text": "?"},
    {"author": "C"},
]


@pytest.mark.parametrize(
    ("tag", "turns", "text"),
    [
        (DIALOGUE, TURNS, "Ann: Hello\nBob: Hi\n?"),
        (DIALOGUE, json.dumps(TURNS), "Ann: Hello\nBob: Hi\n?"),
        (KEYED, [{"who": "Ann", "said": "Hello", "text": "no"}], "Ann: Hello"),
        (CHAT, [{"role": "user", "content": "Hello"}], "user: Hello"),
        (
            CHAT,
            [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "x"}, "b"]}],
            "user: a b",
        ),
        (DIALOGUE, "no list", "no list"),
        (DIALOGUE, "[no JSON", "[no JSON"),
        (DIALOGUE, "[" * 100_000, "[" * 100_000),
        (DIALOGUE, {"author": "Ann", "text": "alone"}, "Ann: alone"),
        (DIALOGUE, {"turns": [1]}, ""),
        (DIALOGUE, ["a", 3, None, [], {}], "a\n3"),
        (DIALOGUE, [{"author": 7, "text": 1.5}], "7: 1.5"),
        (DIALOGUE, 12, "12"),
        (DIALOGUE, None, ""),
        (DIALOGUE, [], ""),
    ],
)
def test_turns_are_lines_whatever_their_shape(tag, turns, text):
    assert content(tag, turns=turns) == text
    assert missing(tag, turns=turns) == (() if text else ("turns",))


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ({"a": 1, "b": "two", "c": None}, "a: 1\nb: two"),
        ([["a", 1], ["b", True]], "a: 1\nb: true"),
        ([{"a": 1, "b": "x"}, {"a": 2}], "a: 1, b: x\na: 2"),
        ('{"a": {"b": [1, 2]}}', "a: b: 1, 2"),
        ("words", "words"),
        ([1, [2, 3, 4]], "1\n2, 3, 4"),
        (None, ""),
    ],
)
def test_tables_are_lines_whatever_their_shape(table, text):
    assert content('<Table name="t" value="$facts"/>', facts=table) == text


def test_all_that_is_shown_is_one_text_in_the_order_of_the_config():
    tags = f'<Table value="$facts"/>{DIALOGUE}<Header value="About $title"/><Text name="u" value="$text"/>'
    shown = content(tags, text="end", title="Title", turns=TURNS[:1], facts={"a": 1})
    assert shown == "a: 1\nAnn: Hello\nTitle\nend"


def test_the_same_field_is_read_once_for_each_way_in_which_it_is_shown():
    twice = '<Text name="t" value="$x"/><Header value="$x"/><HyperText name="h" value="$x"/>'
    assert content(twice, x="<b>a</b>") == "<b>a</b>\na"


def test_text_alone_is_what_it_was_byte_for_byte():
    # the hashes are those of the release before other objects were read
    tags = '<Text name="t" value="$title: $a.b"/><Text name="u" value="$n"/><Header value="Read"/>'
    shown = content(tags, title=" Title\0", a={"b": ["x", 2.0, None]}, n=True)
    assert content_hash(shown) == "df8b4bbfeaa3b3fe951e6393504445fe50f0cd35686cb63c39d55e8e9c78b85e"
