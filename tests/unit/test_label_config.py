"""Labeling configs: which control is answered, which labels it has, and what is said about the others."""

import pytest

from backend.errors import BadRequest, UnsupportedConfig
from backend.label_studio.label_config import parse_label_config

TEXT = '<Text name="text" value="$text"/>'
CHOICES = '<Choices name="topic" toName="text"><Choice value="A"/><Choice value="B"/></Choices>'


def view(*tags):
    return f"<View>{''.join(tags)}</View>"


def names(config):
    return [label.name for label in config.labels]


def test_choices_on_text_are_answered():
    config = parse_label_config(view(TEXT, CHOICES))
    assert (config.from_name, config.to_name) == ("topic", "text")
    assert names(config) == ["A", "B"]
    assert config.text_fields == ("text",)
    assert config.other_controls == ()


@pytest.mark.parametrize("choice", ["", 'choice="single"', 'choice="single-radio"'])
def test_every_way_to_write_a_single_choice_is_answered(choice):
    config = parse_label_config(view(TEXT, CHOICES.replace("toName", f"{choice} toName")))
    assert names(config) == ["A", "B"]


def test_the_order_of_the_tags_does_not_matter():
    assert parse_label_config(view(CHOICES, TEXT)) == parse_label_config(view(TEXT, CHOICES))


def test_names_may_be_anything_that_xml_allows():
    xml = (
        '<View><Text name="der Text &amp; mehr" value="$inhalt"/>'
        '<Choices name="größe" toName="der Text &amp; mehr"><Choice value="klein &lt; 1 &quot;m&quot;"/>'
        "</Choices></View>"
    )
    config = parse_label_config(xml)
    assert (config.from_name, config.to_name) == ("größe", "der Text & mehr")
    assert names(config) == ['klein < 1 "m"']


def test_results_carry_the_alias_and_people_read_the_value():
    config = parse_label_config(view(TEXT, CHOICES.replace('value="A"', 'value="A long name" alias="a"')))
    assert [(label.name, label.title) for label in config.labels] == [("a", "A long name"), ("B", "B")]


def test_a_label_that_occurs_twice_counts_once():
    config = parse_label_config(view(TEXT, CHOICES.replace('value="B"', 'value="A"')))
    assert names(config) == ["A"]


def test_all_texts_are_read_when_there_are_several():
    more = '<Text name="title" value="$title"/><Text name="twin" value="$text"/>'
    config = parse_label_config(view(more, TEXT, CHOICES))
    assert config.to_name == "text"
    assert config.text_fields == ("title", "text")


def test_a_choice_on_several_objects_answers_for_the_first_text_among_them():
    several = CHOICES.replace('toName="text"', 'toName="photo, text"')
    config = parse_label_config(view('<Image name="photo" value="$photo"/>', TEXT, several))
    assert config.to_name == "text"


def test_controls_that_are_not_answered_are_named():
    more = '<TextArea name="why" toName="text"/><Choices name="many" toName="text" choice="multiple"/>'
    config = parse_label_config(view(TEXT, more, CHOICES))
    assert config.from_name == "topic"
    assert config.other_controls == ("TextArea", "Choices")


def test_the_first_of_two_single_choices_is_answered():
    second = CHOICES.replace('name="topic"', 'name="second"')
    assert parse_label_config(view(TEXT, CHOICES, second)).from_name == "topic"


def test_headers_comments_and_nested_views_are_passed_over():
    xml = view("<!-- labels -->", '<Header value="$nextlabel_note"/>', f"<View>{TEXT}{CHOICES}</View>")
    assert parse_label_config(xml) == parse_label_config(view(TEXT, CHOICES))


def test_a_text_that_the_backend_writes_itself_is_no_input():
    note = '<Text name="note" value="$nextlabel_note"/>'
    assert parse_label_config(view(note, TEXT, CHOICES)).text_fields == ("text",)


@pytest.mark.parametrize(
    ("tags", "named"),
    [
        ((), "no tags with a name"),
        ((TEXT,), "<Text>"),
        ((TEXT, CHOICES.replace("toName", 'choice="multiple" toName')), "<Text>, <Choices choice=multiple>"),
        ((TEXT, '<Choices name="c" toName="text" value="$o"/>'), "<Text>, <Choices> with dynamic values"),
        ((TEXT, CHOICES.replace("toName", 'perRegion="true" toName')), "<Text>, <Choices perRegion>"),
        ((TEXT, '<Choices name="c" toName="text"/>'), "<Text>, <Choices>"),
        ((TEXT, '<Labels name="l" toName="text"><Label value="A"/></Labels>'), "<Text>, <Labels>"),
        (('<Image name="text" value="$url"/>', CHOICES), "<Image>, <Choices>"),
        (('<Text name="text" value="$url" valueType="url"/>', CHOICES), "<Text>, <Choices>"),
        (
            (
                TEXT,
                '<Choices name="c" toName="text"><Choice value="A"><Choice value="B"/></Choice></Choices>',
            ),
            "<Text>, <Choices>",
        ),
    ],
)
def test_what_cannot_be_learned_is_named_beside_what_can(tags, named):
    with pytest.raises(UnsupportedConfig) as caught:
        parse_label_config(view(*tags))
    assert f"found {named}." in caught.value.message
    assert "<Choices> with choice=single on <Text>" in caught.value.hint


@pytest.mark.parametrize("xml", ["", "   ", "<View>", "no xml", "<View></Wiew>", "\ud800", "\0", "<a b=1/>"])
def test_what_is_no_xml_is_refused(xml):
    with pytest.raises(BadRequest, match="not valid XML"):
        parse_label_config(xml)


def test_entities_are_not_followed():
    xml = (
        '<!DOCTYPE v [<!ENTITY file SYSTEM "file:///etc/hostname">]>'
        f"<View>{TEXT}<Choices name='c' toName='text'><Choice value='A'>&file;</Choice></Choices></View>"
    )
    assert names(parse_label_config(xml)) == ["A"]


def test_an_xml_bomb_is_refused_or_harmless():
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    xml = f'<!DOCTYPE v [<!ENTITY e0 "ha">{bomb}]><View>&e11;</View>'
    with pytest.raises((BadRequest, UnsupportedConfig)):
        parse_label_config(xml)
