"""Labeling configs: which control is answered, which labels it has, and what is said about the others."""

import re
from dataclasses import replace

import pytest

from backend.errors import BadRequest, UnsupportedConfig
from backend.label_studio.label_config import Preference, parse_label_config

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
        '<Choice value="groß"/></Choices></View>'
    )
    config = parse_label_config(xml)
    assert (config.from_name, config.to_name) == ("größe", "der Text & mehr")
    assert names(config) == ['klein < 1 "m"', "groß"]


def test_results_carry_the_alias_and_people_read_the_value():
    config = parse_label_config(view(TEXT, CHOICES.replace('value="A"', 'value="A long name" alias="a"')))
    assert [(label.name, label.title) for label in config.labels] == [("a", "A long name"), ("B", "B")]


def test_a_label_that_occurs_twice_counts_once():
    twice = CHOICES.replace("</Choices>", '<Choice value="A"/></Choices>')
    assert names(parse_label_config(view(TEXT, twice))) == ["A", "B"]


def test_all_texts_are_read_when_there_are_several():
    more = '<Text name="title" value="$title"/><Text name="twin" value="$text"/>'
    config = parse_label_config(view(more, TEXT, CHOICES))
    assert config.to_name == "text"
    assert config.text_fields == ("title", "text")


def test_a_choice_on_several_objects_answers_for_the_first_text_among_them():
    several = CHOICES.replace('toName="text"', 'toName="photo, text"')
    config = parse_label_config(view('<Audio name="photo" value="$photo"/>', TEXT, several))
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


ANY = Preference()


def refused(*tags, preference=ANY):
    with pytest.raises(UnsupportedConfig) as caught:
        parse_label_config(view(*tags), preference)
    return caught.value


ASKS = '<Choices name="c" toName="text" {}>' + CHOICES.partition(">")[2]
IN_THE_WAY = {
    "nothing": ((), "no tag of it asks a question"),
    "only a text": ((TEXT,), "no tag of it asks a question"),
    "an unknown form of choice": (
        (TEXT, ASKS.format('choice="some"')),
        '<Choices> "c" has choice="some"',
    ),
    "labels of each task": (
        (TEXT, '<Choices name="c" toName="text" value="$o"/>'),
        '<Choices> "c" takes its labels from each task (value="$o")',
    ),
    "a label of each task": (
        (TEXT, '<Choices name="c" toName="text"><Choice value="$o1"/><Choice value="$o2"/></Choices>'),
        '<Choices> "c" takes a label from each task (<Choice value="$o1">)',
    ),
    "one label of each task among fixed ones": (
        (TEXT, '<Choices name="c" toName="text"><Choice value="A"/><Choice value="or $o2"/></Choices>'),
        '<Choices> "c" takes a label from each task (<Choice value="or $o2">)',
    ),
    "labels of each task behind an alias": (
        (
            TEXT,
            '<Choices name="c" toName="text"><Choice value="$o1" alias="1"/><Choice value="$o2" alias="2"/>'
            "</Choices>",
        ),
        '<Choices> "c" takes a label from each task (<Choice value="$o1">)',
    ),
    "regions": ((TEXT, ASKS.format('perRegion="true"')), '<Choices> "c" has perRegion="true"'),
    "items": ((TEXT, ASKS.format('perItem="true"')), '<Choices> "c" has perItem="true"'),
    "no label": ((TEXT, '<Choices name="c" toName="text"/>'), '<Choices> "c" has no <Choice>'),
    "spans": (
        (TEXT, '<Labels name="l" toName="text"><Label value="A"/></Labels>'),
        '<Labels> "l" is not learned yet',
    ),
    "a rating without grades": (
        (TEXT, '<Rating name="stars" toName="text" maxRating="1"/>'),
        '<Rating> "stars" has maxRating="1", not a whole number from 2 to 100',
    ),
    "a sound": (
        ('<Audio name="text" value="$url"/>', CHOICES),
        '<Choices> "topic" stands on <Audio> "text"',
    ),
    "a dialogue behind an address": (
        ('<Paragraphs name="text" value="$chat" valueType="url"/>', CHOICES),
        '<Choices> "topic" stands on <Paragraphs> "text" with valueType="url"',
    ),
    "a dialogue to listen to": (
        ('<Paragraphs name="text" value="$chat" audioUrl="$sound"/>', CHOICES),
        '<Choices> "topic" stands on <Paragraphs> "text" with audioUrl="$sound"',
    ),
    "HTML behind an address": (
        ('<HyperText name="text" value="$page" valueType="url"/>', CHOICES),
        '<Choices> "topic" stands on <HyperText> "text" with valueType="url"',
    ),
    "an address": (
        ('<Text name="text" value="$url" valueType="url"/>', CHOICES),
        'stands on <Text> "text" with valueType="url"',
    ),
    "an address, spelt small": (
        ('<Text name="text" value="$url" valuetype="url"/>', CHOICES),
        'stands on <Text> "text" with valueType="url"',
    ),
    "an encoded text": (
        ('<Text name="text" value="$t" encoding="base64"/>', CHOICES),
        'stands on <Text> "text" with encoding="base64"',
    ),
    "a table behind an address": (
        ('<Text name="text" value="$t" resolver="csv|column=text"/>', CHOICES),
        'stands on <Text> "text" with resolver="csv|column=text"',
    ),
    "a fixed sentence": (
        ('<Text name="text" value="What is it about?"/>', CHOICES),
        'stands on <Text> "text" whose value="What is it about?" is the same in every task',
    ),
    "an answer in words": (
        (TEXT, '<TextArea name="why" toName="text"/>', CHOICES.replace('toName="text"', 'toName="why"')),
        '<Choices> "topic" stands on <TextArea> "why"',
    ),
    "our own note": (
        ('<Text name="text" value="$nextlabel_note"/>', CHOICES),
        'stands on <Text> "text" that shows our own notes',
    ),
    "nothing that is there": (
        (TEXT, CHOICES.replace('toName="text"', 'toName="txt"')),
        'stands on "txt", which the config does not have',
    ),
    "nothing at all": ((TEXT, CHOICES.replace('toName="text"', "")), '<Choices> "topic" has no toName'),
    "a repeated question": (
        (f'<Repeater on="$texts">{TEXT}{CHOICES}</Repeater>',),
        '<Choices> "topic" is repeated by <Repeater> and stands on <Text> "text" inside <Repeater>',
    ),
    "two things at once": (
        ('<Audio name="i" value="$i"/>', '<Choices name="c" toName="i" perRegion="true"/>'),
        '<Choices> "c" has perRegion="true" and has no <Choice> and stands on <Audio> "i"',
    ),
}


@pytest.mark.parametrize("case", IN_THE_WAY)
def test_what_is_in_the_way_is_named(case):
    tags, named = IN_THE_WAY[case]
    error = refused(*tags)
    assert named in error.message
    assert "Supported today: one or several choices" in error.hint


@pytest.mark.parametrize("case", IN_THE_WAY)
def test_no_tag_is_named_as_found_and_as_supported_at_once(case):
    error = refused(*IN_THE_WAY[case][0])
    assert not set(re.findall(r"<\w+", error.message)) & set(re.findall(r"<\w+", error.hint))


# Which of several questions


def question(name, attributes="", labels="AB", to_name="text"):
    choices = "".join(f'<Choice value="{label}"/>' for label in labels)
    return f'<Choices name="{name}" toName="{to_name}" {attributes}>{choices}</Choices>'


def answered(*tags, **preference):
    return parse_label_config(view(*tags), Preference(**preference)).from_name


REQUIRED = 'required="true"'
CONDITION = 'visibleWhen="choice-selected" whenTagName="rest"'


@pytest.mark.parametrize(
    "tags",
    [
        (TEXT, question("first", CONDITION), question("rest")),
        (TEXT, question("first", CONDITION.lower()), question("rest")),
        (TEXT, question("first", 'whenChoiceValue="A"'), question("rest")),
        (TEXT, f"<View {CONDITION}>{question('first')}</View>", question("rest")),
        (TEXT, f"<View {CONDITION}><View><View>{question('first')}</View></View></View>", question("rest")),
        (TEXT, f"<view {CONDITION}>{question('first', REQUIRED)}</view>", question("rest")),
        (TEXT, question("first", 'visibleWhen="region-selected"'), question("rest")),
        (TEXT, question("first", 'visibleWhen="no-region-selected"'), question("rest")),
        (TEXT, question("first", 'perRegion="true"'), question("rest")),
        (TEXT, question("first", 'perItem="true"'), question("rest")),
        (TEXT, question("first", labels="A"), question("rest")),
        (TEXT, question("first", 'choice="multiple"'), question("rest")),
        (TEXT, question("first"), question("rest", REQUIRED)),
        (TEXT, '<Labels name="first" toName="text"><Label value="x"/></Labels>', question("rest")),
    ],
)
def test_the_question_that_everybody_is_asked_comes_first(tags):
    assert answered(*tags) == "rest"


def test_a_question_under_a_condition_is_answered_where_there_is_no_other():
    assert answered(TEXT, question("topic", CONDITION), question("many", 'perItem="true"')) == "topic"


def test_a_question_under_a_condition_is_answered_where_other_answers_tell_whether_it_is_shown():
    regions = question("regions", 'visibleWhen="region-selected"')
    config = parse_label_config(view(TEXT, question("under", CONDITION), question("rest"), regions))
    assert [asked.name for asked in config.questions] == ["rest", "under"]
    assert config.other_questions == ("regions",)


def test_one_choice_comes_before_other_kinds_unless_people_answer_those():
    tags = (TEXT, question("many", 'choice="multiple"'), question("one"))
    assert [asked.name for asked in parse_label_config(view(*tags)).questions] == ["one", "many"]
    assert answered(*tags, answered=frozenset({"many"})) == "many"


def test_a_condition_that_label_studio_does_not_know_is_none():
    assert answered(TEXT, question("first", 'visibleWhen="sometimes"'), question("rest")) == "first"


def test_of_eleven_questions_those_that_people_answer_come_first():
    names = [f"q{number}" for number in range(11)]
    tags = [question(name) for name in names]
    assert answered(TEXT, *tags) == "q0"
    assert answered(TEXT, *tags, answered=frozenset(names[1:])) == "q1"
    tags[5] = question("q5", REQUIRED)
    assert answered(TEXT, *tags, answered=frozenset(names[1:])) == "q5"
    assert answered(TEXT, *tags, answered=frozenset({"q7"})) == "q7"


def test_what_was_settled_stays_while_it_can_be_answered():
    tags = TEXT, question("first"), question("second")
    assert answered(*tags, settled="second") == "second"
    assert answered(*tags, settled="second", answered=frozenset({"first"})) == "second"
    assert answered(*tags, settled="gone") == "first"
    assert answered(TEXT, question("first"), question("second", labels=""), settled="second") == "first"


def test_an_admin_names_the_questions_and_the_first_that_can_be_is_answered():
    tags = TEXT, question("first"), question("second"), question("none", labels="")
    assert answered(*tags, questions=("second",), settled="first") == "second"
    assert answered(*tags, questions=("none", "second", "first")) == "second"


def test_a_name_that_cannot_be_answered_is_refused_with_the_reason():
    tags = TEXT, question("first"), question("none", labels="")
    error = refused(*tags, preference=Preference(questions=("none", "nothing")))
    assert error.message.startswith("QUESTIONS names what cannot be answered: ")
    assert '<Choices> "none" has no <Choice>' in error.message
    assert 'the config has no question "nothing"' in error.message
    assert "Those that can: first." in error.hint


def test_what_is_left_to_people_is_told_with_the_reason():
    tags = TEXT, question("first"), question("second"), question("none", labels="")
    config = parse_label_config(view(*tags))
    assert [question.name for question in config.questions] == ["first", "second"]
    assert (config.other_controls, config.other_questions) == (("Choices",), ())
    assert config.obstacles == ('<Choices> "none" has no <Choice>',)


@pytest.mark.parametrize("form", ["", 'choice="single"', 'choice="single-radio"', 'choice="multiple"'])
@pytest.mark.parametrize("labels", ["A", "AA"])
def test_a_lone_tick_is_several_choices_with_one_label_and_left_empty_says_no(form, labels):
    config = parse_label_config(view(TEXT, question("tick", form, labels=labels)))
    (tick,) = config.questions
    assert (tick.kind, [label.name for label in tick.labels], tick.empty) == ("several choices", ["A"], ())


def test_a_lone_tick_is_the_main_question_only_where_there_is_no_other():
    tags = question("tick", labels="A"), '<Rating name="stars" toName="text"/>'
    assert answered(TEXT, *tags) == "stars"
    assert answered(TEXT, *tags, answered=frozenset({"tick"})) == "stars"
    assert parse_label_config(view(TEXT, *tags)).questions[1].name == "tick"


def test_where_an_admin_names_questions_these_alone_are_answered():
    tags = TEXT, question("first"), question("second"), question("third")
    config = parse_label_config(view(*tags), Preference(questions=("third", "first")))
    assert [question.name for question in config.questions] == ["third", "first"]
    assert (config.kind, config.other_questions) == ("single choice", ("second",))


def test_the_main_question_comes_first_and_the_others_follow_in_the_order_of_the_config():
    tags = TEXT, question("first"), question("second"), question("third", REQUIRED)
    config = parse_label_config(view(*tags))
    assert [question.name for question in config.questions] == ["third", "first", "second"]
    assert config.other_controls == ()


def test_a_question_knows_all_that_it_stands_on():
    (found,) = parse_label_config(view(TEXT, question("topic", to_name="photo, text"))).questions
    assert (found.to_name, found.to_names) == ("text", ("photo", "text"))


# Spelling


def test_tags_and_attributes_may_be_written_in_any_case():
    xml = view(TEXT, CHOICES)
    assert parse_label_config(xml.lower().replace("toname", "toName")).space.names == ("a", "b")
    shouted = xml.replace("Text n", "TEXT n").replace("Choices", "CHOICES").replace("Choice v", "choice v")
    config = parse_label_config(xml)
    said = replace(config.questions[0], tag="CHOICES")
    assert parse_label_config(shouted) == replace(config, questions=(said,))
    with pytest.raises(UnsupportedConfig, match="perRegion"):
        parse_label_config(view(TEXT, CHOICES.replace("toName", 'perregion="true" toName')))


def test_labels_may_stand_in_views_inside_the_question():
    grouped = '<Choices name="topic" toName="text"><View><Header value="One"/><Choice value="A"/></View>'
    config = parse_label_config(view(TEXT, grouped + '<view><Choice value="B"/></view></Choices>'))
    assert names(config) == ["A", "B"]


# Texts


def fields_of(*texts):
    tags = [f'<Text name="t{n}" value="{value}"/>' for n, value in enumerate(texts)]
    return parse_label_config(view(*tags, CHOICES.replace('toName="text"', 'toName="t0"'))).text_fields


@pytest.mark.parametrize(
    ("texts", "fields"),
    [
        (("$note ",), ("note",)),
        (("Note: $note",), ("note",)),
        (("$city, $note",), ("city", "note")),
        (("$city. $note.",), ("city", "note")),
        (("$arr[0].text",), ("arr[0].text",)),
        (("$my-field",), ("my-field",)),
        (("$größe",), ("größe",)),
        (("$movie_id", "$review"), ("review",)),
        (("$review", "$reviewId", "$meta.uuid", "$id"), ("review",)),
        (("$movie_id: $review",), ("review",)),
        (("$text $nextlabel_note",), ("text",)),
        (("$movie_id",), ("movie_id",)),
        (("$covid", "$paid", "$grid", "$idea"), ("covid", "paid", "grid", "idea")),
        (("$text", "Read it with care."), ("text",)),
    ],
)
def test_every_field_of_a_text_is_read_but_for_those_that_only_name_the_task(texts, fields):
    assert fields_of(*texts) == fields


def test_a_question_on_a_field_that_names_the_task_is_answered_from_the_others():
    config = parse_label_config(
        view('<Text name="text" value="$id"/>', '<Text name="b" value="$body"/>', CHOICES)
    )
    assert (config.to_name, config.text_fields) == ("text", ("body",))


def test_a_text_between_the_tags_is_read_like_the_editor_does():
    assert parse_label_config(view('<Text name="text" value="">$body</Text>', CHOICES)).text_fields == (
        "body",
    )


def test_headers_with_fields_are_read_but_never_one_with_our_note():
    header = '<Header value="$title"/><Header value="Read this"/>'
    assert parse_label_config(view(header, TEXT, CHOICES)).text_fields == ("title", "text")
    ours = '<Header value="$nextlabel_note of $title"/>'
    assert parse_label_config(view(ours, TEXT, CHOICES)).text_fields == ("text",)


def test_no_question_stands_on_a_header():
    error = refused('<Header name="h" value="$title"/>', TEXT, question("q", to_name="h"))
    assert 'stands on <Header> "h"' in error.message


@pytest.mark.parametrize(
    "more",
    ['<Header value="$body"/>', '<Text name="b" value="$body"/>', '<HyperText name="b" value="$body"/>'],
)
def test_a_question_on_a_fixed_sentence_is_about_what_else_is_shown(more):
    config = parse_label_config(view('<Text name="text" value="What is it?"/>', more, CHOICES))
    assert (config.to_name, config.text_fields) == ("text", ("body",))


def test_a_fixed_sentence_beside_our_own_note_alone_says_nothing():
    note = '<Text name="n" value="$nextlabel_note"/>'
    error = refused('<Text name="text" value="What is it?"/>', note, CHOICES)
    assert "is the same in every task" in error.message


@pytest.mark.parametrize("xml", ["", "   ", "<View>", "no xml", "<View></Wiew>", "\ud800", "\0", "<a b=1/>"])
def test_what_is_no_xml_is_refused(xml):
    with pytest.raises(BadRequest, match="not valid XML"):
        parse_label_config(xml)


def test_entities_are_not_followed():
    xml = (
        '<!DOCTYPE v [<!ENTITY file SYSTEM "file:///etc/hostname">]>'
        f"<View>{TEXT}<Choices name='c' toName='text'><Choice value='A'>&file;</Choice>"
        "<Choice value='B'/></Choices></View>"
    )
    assert names(parse_label_config(xml)) == ["A", "B"]


def test_an_xml_bomb_is_refused_or_harmless():
    bomb = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    xml = f'<!DOCTYPE v [<!ENTITY e0 "ha">{bomb}]><View>&e11;</View>'
    with pytest.raises((BadRequest, UnsupportedConfig)):
        parse_label_config(xml)
