"""Tasks: the text that the annotator sees, and what people said about it."""

import pytest

from backend.label_studio.label_config import parse_label_config
from backend.label_studio.tasks import content_hash, intended_answer, read_task, task_content

CONFIG = parse_label_config(
    '<View><Text name="title" value="$title"/><Text name="text" value="$text"/>'
    '<Choices name="topic" toName="text"><Choice value="A" alias="a"/><Choice value="B"/></Choices>'
    '<Choices name="mood" toName="text"><Choice value="B"/></Choices></View>'
)


def said(*choices, from_name="topic", **fields):
    region = {"from_name": from_name, "to_name": "text", "type": "choices", "value": {"choices": [*choices]}}
    return {"result": [region], "was_cancelled": False} | fields


def a_task(**fields):
    plain = {"id": 7, "data": {"text": "hello"}, "is_labeled": False, "updated_at": "2026-01-01T00:00:00Z"}
    return plain | fields


def label_of(*annotations):
    return read_task(a_task(annotations=list(annotations)), CONFIG).label


@pytest.mark.parametrize(
    ("data", "content"),
    [
        ({"text": "hello"}, "hello"),
        ({"title": "Greeting", "text": "hello"}, "Greeting\nhello"),
        ({"text": "  hello \n"}, "hello"),
        ({"text": ""}, ""),
        ({"text": "   "}, ""),
        ({"other": "hello"}, ""),
        ({"text": None}, ""),
        ({"text": 42}, "42"),
        ({"text": 0}, "0"),
        ({"text": 2.5}, "2.5"),
        ({"text": True}, "true"),
        ({"text": False}, "false"),
        ({"text": ["hello"]}, "hello"),
        ({"text": ["hello", 2, None, ["you", True], " "]}, "hello,2,you,true"),
        ({"text": []}, ""),
        ({"text": ["", " "]}, ""),
        ({"text": [{"de": "hallo"}]}, ""),
        ({"text": {"de": "hallo"}}, ""),
        ({}, ""),
        (None, ""),
        ("hello", ""),
        ([], ""),
    ],
)
def test_the_content_is_what_the_annotator_sees(data, content):
    assert task_content(data, CONFIG) == content


def test_a_field_with_a_dot_reaches_into_the_data_unless_it_has_that_very_name():
    config = parse_label_config(
        '<View><Text name="t" value="$mail.body"/>'
        '<Choices name="c" toName="t"><Choice value="A"/><Choice value="B"/></Choices></View>'
    )
    assert task_content({"mail": {"body": "inside"}}, config) == "inside"
    assert task_content({"mail.body": "flat", "mail": {"body": "inside"}}, config) == "flat"
    assert task_content({"mail": "no object"}, config) == ""


@pytest.mark.parametrize("text", ["half a pair \ud800", "zero \0 byte"])
def test_text_that_no_database_takes_is_made_storable(text):
    content = task_content({"text": text}, CONFIG)
    assert content.startswith(text[:4])
    assert "\0" not in content
    assert content.encode().decode() == content


def test_equal_texts_have_equal_hashes_and_no_text_has_none():
    assert content_hash("one") == content_hash("one") != content_hash("two")
    assert content_hash("") == ""
    assert len(content_hash("\ud800")) == 64


def test_a_task_without_annotations_is_read():
    state = read_task(a_task(), CONFIG)
    assert (state.task_id, state.content, state.label, state.annotations) == (7, "hello", None, 0)
    assert not state.is_labeled and not state.is_skipped
    assert state.content_hash == content_hash("hello")


def test_one_annotation_gives_the_label():
    assert label_of(said("B")) == "B"


def test_an_alias_is_the_label_whether_it_was_said_or_its_value():
    assert label_of(said("a")) == "a"
    assert label_of(said("A")) == "a"


def test_the_majority_of_several_annotations_wins():
    assert label_of(said("B"), said("a"), said("B")) == "B"


def test_a_tie_leaves_the_task_unlabelled():
    assert label_of(said("B"), said("a")) is None
    assert label_of(said("B"), said("a"), said("gone"), said("also gone")) is None


def test_labels_that_left_the_config_do_not_vote():
    assert label_of(said("gone")) is None
    assert label_of(said("gone"), said("gone"), said("B")) == "B"


def test_answers_to_other_controls_do_not_count():
    assert label_of(said("B", from_name="mood")) is None


def test_cancelled_annotations_do_not_vote():
    state = read_task(a_task(annotations=[said("a", was_cancelled=True), said("B")]), CONFIG)
    assert (state.label, state.annotations, state.is_skipped) == ("B", 1, False)


def test_a_task_that_was_only_skipped_is_skipped():
    state = read_task(a_task(annotations=[said(was_cancelled=True)]), CONFIG)
    assert (state.label, state.annotations, state.is_skipped) == (None, 0, True)


@pytest.mark.parametrize(
    "annotation",
    [
        {"result": []},
        {"result": None},
        {},
        {"result": ["odd"]},
        said(),
        said("B", "a"),
        {"result": [{"from_name": "topic", "value": None}]},
        {"result": [{"from_name": "topic"}]},
    ],
)
def test_an_annotation_that_chooses_nothing_counts_but_does_not_label(annotation):
    state = read_task(a_task(annotations=[annotation], is_labeled=True), CONFIG)
    assert (state.label, state.annotations, state.is_labeled) == (None, 1, True)


SEVERAL = parse_label_config(
    '<View><Text name="text" value="$text"/>'
    '<Choices name="topic" toName="text"><Choice value="A"/><Choice value="B"/></Choices>'
    '<Choices name="tone" toName="text"><Choice value="B"/><Choice value="C"/></Choices></View>'
)


def test_what_people_say_is_known_for_every_question():
    first = said("A")["result"] + said("B", from_name="tone")["result"]
    state = read_task(a_task(annotations=[{"result": first}, said("B"), said("A")]), SEVERAL)
    assert (state.label, state.targets) == ("A", {"topic": ("A",), "tone": ("B",)})


def test_an_answer_to_one_of_several_questions_is_a_partial_one():
    state = read_task(a_task(annotations=[said("C", from_name="tone")]), SEVERAL)
    assert (state.label, state.targets) == (None, {"tone": ("C",)})
    assert state.outcome == "another question"


def test_people_who_do_not_agree_leave_only_that_question_without_an_answer():
    both = [
        {"result": said(topic)["result"] + said("B", from_name="tone")["result"], "completed_by": number}
        for number, topic in enumerate("AB", start=1)
    ]
    assert read_task(a_task(annotations=both), SEVERAL).targets == {"tone": ("B",)}


def test_nothing_said_gives_no_majority():
    assert intended_answer([], CONFIG) is None


@pytest.mark.parametrize(
    ("annotation", "why_not"),
    [
        ({"result": []}, "empty"),
        ({"result": None}, "empty"),
        ({}, "empty"),
        (said(), "empty"),
        (said("C"), "unknown label"),
        (said("a", "B"), "unknown label"),
        (said("B", from_name="mood"), "another question"),
        ({"result": [*said()["result"], *said("B", from_name="mood")["result"]]}, "another question"),
        ({"result": [], "was_cancelled": True}, "skipped"),
        (said("a", was_cancelled=True), "skipped"),
        (said("a"), None),
    ],
)
def test_each_answer_without_a_label_says_why(annotation, why_not):
    (answer,) = read_task(a_task(annotations=[annotation]), CONFIG).answers
    assert answer.why_not == why_not


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ([], ""),
        ([(1, "a")], "label"),
        ([(1, "a"), (2, "B")], "in dispute"),
        ([(1, "a"), (2, "B"), (3, None)], "in dispute"),
        ([(1, "a"), (2, "B"), (3, "B")], "label"),
        ([(1, "a"), (1, "B")], "label"),
        ([(1, None), (2, "a")], "label"),
        ([(1, "C"), (2, None)], "empty"),
        ([(1, None), (2, "C")], "unknown label"),
    ],
)
def test_what_comes_of_the_answers_of_several_people(answers, outcome):
    annotations = [
        (said(label) if label else {"result": []})
        | {"completed_by": person, "created_at": f"2026-01-01T00:00:0{second}Z"}
        for second, (person, label) in enumerate(answers)
    ]
    assert read_task(a_task(annotations=annotations), CONFIG).outcome == outcome


def test_a_skip_that_carries_the_pre_annotation_is_neither_a_label_nor_an_accepted_suggestion():
    region = said("a")["result"][0] | {"origin": "prediction"}
    skip = {"result": [region], "was_cancelled": True, "completed_by": 1, "parent_prediction": 7}
    state = read_task(a_task(annotations=[skip, said("B", completed_by=2)]), CONFIG)
    assert (state.label, state.outcome) == ("B", "label")
    alone = read_task(a_task(annotations=[skip]), CONFIG)
    assert (alone.outcome, alone.is_skipped, alone.answers[0].accepted) == ("skipped", True, None)


# What became of an answer


def answer(annotation):
    (found,) = read_task(a_task(annotations=[annotation]), CONFIG).answers
    return found


@pytest.mark.parametrize(
    ("annotation", "why_not"),
    [
        (said("B"), None),
        (said("a"), None),
        (said("B", was_cancelled=True), "skipped"),
        ({"result": [], "was_cancelled": True}, "skipped"),
        ({"result": []}, "empty"),
        ({}, "empty"),
        (said("B", from_name="mood"), "another question"),
        (said("gone"), "unknown label"),
        (said("B", "a"), "unknown label"),
    ],
)
def test_an_answer_that_gives_no_label_says_why(annotation, why_not):
    assert answer(annotation).why_not == why_not


def with_origin(origin, **fields):
    annotation = said("B", parent_prediction=3, **fields)
    for region in annotation["result"]:
        region |= {} if origin is None else {"origin": origin}
    return annotation


@pytest.mark.parametrize(
    ("origin", "accepted"),
    [("prediction", True), (None, True), ("prediction-changed", False), ("manual", False)],
)
def test_a_pre_annotation_that_was_kept_is_accepted_in_bulk_too(origin, accepted):
    assert answer(with_origin(origin)).accepted is accepted


def test_a_region_whose_origin_is_null_was_kept():
    annotation = with_origin("prediction")
    annotation["result"][0]["origin"] = None
    assert answer(annotation).accepted is True


@pytest.mark.parametrize(("choices", "label"), [(["B", "B"], "B"), (["A", "a"], "a"), (["a", "B"], None)])
def test_a_choice_that_is_said_twice_is_one(choices, label):
    assert label_of(said(*choices, completed_by=1)) == label


@pytest.mark.parametrize(
    "later",
    [
        "2026-01-01T23:00:00-05:00",
        "2026-01-02T02:00:00.5Z",
        "2026-01-02T02:00:01+00:00",
        "2026-01-02T09:00:00+05:00",
    ],
)
def test_of_two_answers_of_one_person_the_later_counts_in_whatever_zone(later):
    first = said("A", completed_by=1, created_at="2026-01-02T02:00:00Z")
    second = said("B", completed_by=1, created_at=later)
    assert label_of(first, second) == label_of(second, first) == "B"


def test_of_two_answers_of_one_person_the_one_changed_last_counts():
    first = said(
        "A", completed_by=1, created_at="2026-01-02T02:00:00Z", updated_at="2026-01-02T04:00:00+01:00"
    )
    second = said("B", completed_by=1, created_at="2026-01-02T02:30:00Z", updated_at="2026-01-02T02:31:00Z")
    assert label_of(first, second) == label_of(second, first) == "a"


def test_an_answer_without_a_moment_is_the_first_of_all():
    dated = said("B", completed_by=1, created_at="2026-01-02T02:00:00Z")
    for moment in (None, "", "yesterday"):
        assert label_of(dated, said("A", completed_by=1, created_at=moment)) == "B"


def test_only_the_answer_to_our_question_says_whether_it_was_accepted():
    other = with_origin("prediction", from_name="mood")
    other["result"] += with_origin("prediction-changed")["result"]
    assert answer(other).accepted is False


def test_neither_an_empty_answer_nor_one_without_a_suggestion_is_accepted_or_changed():
    assert answer({"result": [], "parent_prediction": 3}).accepted is None
    assert answer(said("B")).accepted is None


def test_the_fields_without_a_text_are_known():
    assert read_task(a_task(), CONFIG).missing_fields == ("title",)
    assert read_task(a_task(data={"title": " "}), CONFIG).missing_fields == ("title", "text")
    assert read_task(a_task(data=None), CONFIG).missing_fields == ("title", "text")
