"""Laws of merging, renaming and splitting labels, whatever the labels and the answers."""

from hypothesis import assume, given
from hypothesis import strategies as st
from lxml import etree

from backend.errors import BadRequest
from backend.label_studio.label_config import Preference
from backend.label_studio.relabel import added_labels, plan_change, with_old_labels

LABELS = ("alpha", "beta", "gamma")
letters = st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn"], exclude_characters="$")
titles = st.text(letters, min_size=1, max_size=30).map(lambda text: " ".join(text.split())).filter(bool)
questions = st.sampled_from(["topic", "mood"])
regions = st.builds(
    lambda question, labels: {
        "from_name": question,
        "to_name": "text",
        "type": "choices",
        "value": {"choices": labels},
    },
    questions,
    st.lists(st.sampled_from([*LABELS, "unknown"]), max_size=4, unique=True),
)
results = st.lists(regions | st.just({"from_name": "note", "value": {"text": ["alpha"]}}), max_size=4)


def config(labels=LABELS):
    root = etree.Element("View")
    etree.SubElement(root, "Text", name="text", value="$text")
    for name in ("topic", "mood"):
        control = etree.SubElement(root, "Choices", name=name, toName="text")
        for label in labels:
            etree.SubElement(control, "Choice", value=label)
    return etree.tostring(root, encoding="unicode")


def plan(kind, *labels, xml=None):
    try:
        return plan_change(xml or config(), kind, labels, question="topic", preference=Preference())
    except BadRequest:
        assume(False)  # names that cannot be told apart, or that no XML can hold


def told(result):
    """What is said in answer to each question."""
    return [(region["from_name"], region["value"].get("choices")) for region in result]


@given(result=results)
def test_a_merge_leaves_no_answer_to_rewrite_and_no_other_question_touched(result):
    change = plan("merge", "alpha", "beta")
    after = change.rewrite(result)
    after = result if after is None else after
    assert change.rewrite(after) is None
    assert all("alpha" not in choices for name, choices in told(after) if name == "topic")
    assert [one for one in after if one["from_name"] != "topic"] == [
        one for one in result if one["from_name"] != "topic"
    ]
    assert len(after) == len(result)


@given(new=titles, result=results)
def test_a_rename_and_its_way_back_change_nothing(new, result):
    change = plan("rename", "alpha", new)
    back = plan("rename", new, "alpha", xml=change.after)
    assert added_labels(back.after, change.before, "topic") == ()
    there = change.rewrite(result)
    assert there is None or back.rewrite(there) == result


@given(one=titles, two=titles, result=results)
def test_a_split_keeps_every_answer_without_the_label(one, two, result):
    change = plan("split", "alpha", one, two)
    after = change.rewrite(result)
    kept = [
        region
        for region in result
        if region["from_name"] != "topic" or "alpha" not in region["value"]["choices"]
    ]
    assert (result if after is None else after) == kept
    assert set(change.added) == {one, two}
    restored = with_old_labels(change.after, change.before, "topic")
    assert added_labels(restored, change.before, "topic") == ()
