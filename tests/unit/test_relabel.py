"""What becomes of a labeling config and of an answer when labels are merged, renamed or split."""

import pytest

from backend.errors import BadRequest
from backend.label_studio.label_config import Preference, parse_label_config
from backend.label_studio.relabel import plan_change, with_old_labels

CONFIG = """<View>
  <!-- the team's own words -->
  <Text name="text" value="$text"/>
  <Choices name="topic" toName="text" choice="single">
    <Choice value="cats" hotkey="1"/>
    <Choice value="dogs" background="red"/>
    <Choice value="Birds" alias="b"/>
  </Choices>
  <View visibleWhen="choice-selected" whenTagName="topic" whenChoiceValue="cats,dogs">
    <Choices name="mood" toName="text" choice="multiple">
      <Choice value="good"/>
      <Choice value="bad"/>
      <Choice value="mixed"/>
    </Choices>
  </View>
</View>"""
ODD = ["a \"quoted\" 'name'", "either/or", "🐈 <cat> & co", "x" * 500, "-5 %", "ÄÖÜ, ß"]

CONDITION = 'visibleWhen="choice-selected" whenTagName="topic" whenChoiceValue="cats,dogs"'


def with_condition(condition):
    return CONFIG.replace(CONDITION, condition)


def plan(kind, *labels, xml=CONFIG, question=""):
    return plan_change(xml, kind, labels, question=question, preference=Preference())


def names(xml):
    return parse_label_config(xml, Preference(questions=("topic",))).space.names


def said(*labels, question="topic", **more):
    region = {"from_name": question, "to_name": "text", "type": "choices", "value": {"choices": list(labels)}}
    return [region | more]


def test_a_merge_takes_the_labels_out_and_leaves_all_else():
    change = plan("merge", "cats", "dogs")
    assert (change.both, names(change.after)) == (CONFIG, ("dogs", "b"))
    lines = change.after.splitlines()
    expected = [line for line in CONFIG.splitlines() if 'value="cats"' not in line]
    assert lines == [line.replace("cats,dogs", "dogs") for line in expected]
    assert change.rewrite(said("cats", origin="manual", id="r")) == said("dogs", origin="manual", id="r")
    assert change.rewrite(said("dogs")) is None


def test_a_label_of_another_question_is_refused_with_the_name_of_that_question():
    with pytest.raises(BadRequest, match="'topic' has no label 'mixed', but 'mood' has") as refused:
        plan("rename", "mixed", "both")
    assert refused.value.hint == "Name the question: --question mood"


def test_merged_labels_fall_together_where_several_were_chosen():
    change = plan("merge", "good", "bad", question="mood")
    assert change.rewrite(said("good", "mixed", "bad", question="mood")) == said(
        "bad", "mixed", question="mood"
    )
    assert change.rewrite(said("good")) is None  # another question


def test_an_answer_that_spells_a_label_as_the_config_once_did_goes_along():
    assert plan("merge", "Birds", "cats").rewrite(said("birds")) == said("cats")
    assert plan("merge", "b", "cats").rewrite(said("b")) == said("cats")
    assert plan("merge", "b", "cats").rewrite(said("fish")) is None


@pytest.mark.parametrize("new", ODD)
def test_a_rename_keeps_place_and_hotkey_whatever_the_name(new):
    change = plan("rename", "cats", new, xml=with_condition(""))
    assert names(change.both) == ("cats", new, "dogs", "b")
    assert names(change.after) == (new, "dogs", "b")
    assert 'hotkey="1"' in change.after.splitlines()[4]
    assert change.rewrite(said("cats")) == said(new)
    back = plan("rename", new, "cats", xml=change.after)
    assert back.rewrite(said(new)) == said("cats") and names(back.after) == names(CONFIG)


def test_a_condition_follows_a_renamed_label():
    assert 'whenChoiceValue="felines,dogs"' in plan("rename", "cats", "felines").after


@pytest.mark.parametrize(
    ("kind", "labels", "after"),
    [
        ("merge", ("b", "cats"), "dogs,cats"),
        ("split", ("Birds", "owls", "hens"), "dogs,owls,hens"),
        ("rename", ("Birds", "Feathered"), "dogs,b"),
    ],
)
def test_a_condition_that_names_a_label_by_its_alias_follows_too(kind, labels, after):
    xml = with_condition('visibleWhen="choice-selected" whenTagName="topic" whenChoiceValue="dogs,b"')
    assert f'whenChoiceValue="{after}"' in plan(kind, *labels, xml=xml).after


def test_a_condition_without_a_question_follows_what_results_carry():
    xml = with_condition('whenChoiceValue="cats"')
    assert 'whenChoiceValue="b"' in plan("merge", "cats", "Birds", xml=xml).after
    with pytest.raises(BadRequest, match="could not name the new labels"):
        plan("split", "cats", "lions", "house cats", xml=xml)


def test_a_name_that_a_condition_would_take_apart_at_its_comma_is_refused():
    with pytest.raises(BadRequest, match="could not name the new labels"):
        plan("rename", "cats", "cats, big ones")
    assert "cats, big ones" in names(plan("rename", "cats", "cats, big ones", xml=with_condition("")).after)


def test_a_label_with_an_alias_changes_its_title_alone():
    change = plan("rename", "Birds", "Feathered")
    assert '<Choice value="Feathered" alias="b"/>' in change.after
    assert change.rewrite(said("b")) is None
    assert change.rewrite(said("Birds")) == said("b")  # from before there was the alias


def test_a_name_may_change_by_its_case_alone():
    change = plan("rename", "cats", "Cats")
    assert names(change.after)[0] == "Cats" and change.rewrite(said("cats")) == said("Cats")


def test_a_split_puts_labels_in_the_place_of_one_and_empties_its_answers():
    change = plan("split", "cats", "lions", "house cats")
    assert names(change.both) == ("cats", "lions", "house cats", "dogs", "b")
    assert names(change.after) == ("lions", "house cats", "dogs", "b")
    assert 'whenChoiceValue="lions,house cats,dogs"' in change.after
    assert change.rewrite(said("cats")) == []
    assert change.rewrite(said("cats") + said("good", question="mood")) == said("good", question="mood")
    assert change.rewrite(said("dogs")) is None
    several = plan("split", "bad", "sad", "angry", question="mood")
    assert several.rewrite(said("bad", "mixed", question="mood")) == []


@pytest.mark.parametrize(
    "result", [None, "cats", [], [None], [{"value": "cats"}], [{"value": {"choices": "cats"}}]]
)
def test_what_is_no_answer_is_left(result):
    assert plan("merge", "cats", "dogs").rewrite(result) is None


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (("merge", "cat", "dogs"), "Did you mean 'cats'"),
        (("merge", "zzzzz", "dogs"), "There are: cats, dogs, Birds"),
        (("merge", "cats", "cats"), "into itself"),
        (("merge", "b", "Birds"), "into itself"),
        (("merge", "cats"), "two labels"),
        (("merge", "cats", "dogs", "b"), "single label"),
        (("rename", "cats", "Dog"), "hardly be told from"),
        (("rename", "cats", "birds"), "hardly be told from"),
        (("rename", "cats", "cats"), "already"),
        (("rename", "cats", " "), "empty"),
        (("rename", "cats", "x" * 501), "501 letters"),
        (("rename", "cats", "costs $5"), "signs like"),
        (("rename", "cats", "a\x00b"), "no labeling config can hold"),
        (("split", "cats", "lions"), "two new ones"),
        (("split", "cats", "lions", "Lion"), "hardly be told from"),
        (("split", "cats", "cats", "lions"), "hardly be told from"),
    ],
)
def test_what_makes_no_sense_is_refused(labels, words):
    with pytest.raises(BadRequest) as caught:
        plan(*labels)
    assert words in caught.value.with_hint


@pytest.mark.parametrize(
    ("control", "words"),
    [
        ('<Choices name="q" toName="text" value="$options"/>', "from each task"),
        (
            '<Choices name="q" toName="text"><Choice value="$one"/><Choice value="two"/></Choices>',
            "each task",
        ),
        ('<Rating name="q" toName="text"/>', "Only those of <Choices>"),
        (
            '<Choices name="q" toName="text"><Choice value="a"><Choice value="b"/></Choice></Choices>',
            "inside a <Choice>",
        ),
    ],
)
def test_a_control_without_labels_of_its_own_is_refused(control, words):
    xml = f'<View><Text name="text" value="$text"/>{control}</View>'
    with pytest.raises(BadRequest) as caught:
        plan("rename", "a", "b", xml=xml, question="q")
    assert words in caught.value.with_hint


def test_a_question_that_is_not_there_is_refused():
    with pytest.raises(BadRequest, match="no question 'mode'"):
        plan("rename", "a", "b", question="mode")


def test_a_config_that_was_edited_gets_the_old_labels_beside_its_own():
    edited = plan("merge", "cats", "dogs").after.replace("</Choices>", '<Choice value="fish"/></Choices>', 1)
    assert set(names(with_old_labels(edited, CONFIG, "topic"))) == {"cats", "dogs", "b", "fish"}
