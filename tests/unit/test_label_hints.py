"""Hints of labels: read from a config or a setting, and refused where they are wrong."""

import json

import pytest
from pydantic import ValidationError

from backend.errors import BadRequest
from backend.label_studio.controls.question import Label
from backend.label_studio.label_config import Preference, parse_label_config
from backend.label_studio.label_hints import Hint, read_hint
from backend.settings import ProjectSettings
from backend.workflows.intake.keywords import keyword_pairs

XML = """<View><Text name="text" value="$text"/><Choices name="topic" toName="text">
<Choice value="billing" hint="invoice, refund"/><Choice value="Delivery" alias="delivery"/></Choices>
<Choices name="kinds" toName="text" choice="multiple"><Choice value="billing"/><Choice value="new"/></Choices>
</View>"""


def hints_of(**hints):
    config = parse_label_config(XML, Preference(hints=tuple(hints.items())))
    return {
        question.name: {label.name: label.hint for label in question.labels} for question in config.questions
    }


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", Hint()),
        (" ,; ", Hint()),
        ("invoice", Hint(keywords=("invoice",))),
        ("invoice, Credit  Note; refund,, invoice", Hint(keywords=("invoice", "Credit Note", "refund"))),
        ("About money.", Hint(description="About money.")),
        (
            "What a customer pays, owes or gets back",
            Hint(description="What a customer pays, owes or gets back"),
        ),
        ("発票、請求書", Hint(keywords=("発票", "請求書"))),
        ("🔥, “quoted”, it's", Hint(keywords=("🔥", "“quoted”", "it's"))),
    ],
)
def test_short_phrases_are_keywords_and_all_else_is_a_description(text, read):
    assert read_hint(text) == read


def test_a_hint_of_500_letters_is_a_description_and_stays_whole():
    text = "words that go on and on " * 21
    assert read_hint(text) == Hint(description=text.strip())


def test_a_choice_carries_its_hint_and_no_hint_is_none():
    found = hints_of()
    assert found == {
        "topic": {"billing": "invoice, refund", "delivery": ""},
        "kinds": {"billing": "", "new": ""},
    }


def test_a_setting_goes_before_the_config_and_reaches_every_question_by_name_or_title():
    found = hints_of(billing="charge", delivery="parcel", gone="nothing")
    assert found["topic"] == {"billing": "charge", "delivery": "parcel"}
    assert found["kinds"]["billing"] == "charge"
    assert hints_of(Delivery="parcel")["topic"]["delivery"] == "parcel"


def test_the_hint_of_a_label_is_no_part_of_its_name():
    labels = (Label("a", "A", "one, two"), Label("b", "B"), Label("c", "C", "A whole sentence about c."))
    assert keyword_pairs(labels) == [(0, "one"), (0, "two")]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, ""),
        ("", ""),
        ('{"billing": "invoice"}', '{"billing": "invoice"}'),
        ({"billing": ["invoice", "refund"]}, '{"billing": "invoice; refund"}'),
        ({"🔥": 'say "hot"'}, '{"🔥": "say \\"hot\\""}'),
    ],
)
def test_the_setting_is_json_by_label(value, said):
    settings = ProjectSettings(label_hints=value)
    assert settings.label_hints == said
    assert dict(settings.hint_pairs) == (json.loads(said) if said else {})


@pytest.mark.parametrize(
    "value", ["invoice", "[1]", "3", ["a"], {"billing": 3}, {"billing": None}, {"b": [1]}]
)
def test_anything_else_is_refused_with_an_example(value):
    with pytest.raises(ValidationError, match="refund"):
        ProjectSettings(label_hints=value)


def test_connect_refuses_a_label_that_there_is_not(workbench):
    with pytest.raises(BadRequest) as refused:
        workbench.connect(label_hints={"cats": "purr", "fish": "fin"})
    assert "'fish'" in str(refused.value) and "cats, dogs" in refused.value.with_hint


def test_a_hint_of_a_label_that_went_away_later_is_passed_over(workbench):
    workbench.connect(label_hints={"cats": "purr"})
    config = workbench.remote["label_config"].replace('value="cats"', 'value="lions"')
    workbench.remote["label_config"] = config
    assert workbench.loop().outcome == "published"
