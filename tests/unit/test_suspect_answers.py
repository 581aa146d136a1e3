"""Suspect answers of each kind: what unseen heads contradict, how many, and what it should rather be."""

import numpy as np
import pytest

from backend.label_studio.controls.question import Label, Question
from backend.task_types import TASK_TYPES
from backend.workflows.findings.suspects import suspect_words
from model.records import Embeddings, Labels, LabelSpace
from model.signals.suspect_answers import gather_suspects
from model.signals.suspect_ticks import chance_of_error

COUNT, WRONG = 200, 8
SPACES = {
    "single choice": ("a", "b", "c"),
    "several choices": ("a", "b", "c", "d"),
    "rating": ("1", "2", "3", "4", "5"),
    "number": ("number",),
    "pairwise": ("left", "right"),
}
EACH_KIND = pytest.mark.parametrize("kind", list(SPACES))


def an_answered_set(kind, wrong=WRONG, seed=0, count=COUNT):
    """Items, given and true answers; the first `wrong` ones are far off."""
    rng = np.random.default_rng(seed)
    topic = np.arange(count) % 3
    vectors = np.eye(8)[topic] + 0.1 * rng.normal(size=(count, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = {
        "single choice": np.eye(3),
        "several choices": np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]]),
        "rating": np.eye(5)[[0, 0, 4]],
        "number": np.array([[2.0], [5.0], [9.0]]),
        "pairwise": np.eye(2)[[0, 1, 0]],
    }[kind]
    true = rows[topic].astype(np.float32)
    if kind == "number":
        true += 0.2 * rng.normal(size=true.shape).astype(np.float32)
    given = true.copy()
    other_end = dict.fromkeys(("rating", "pairwise"), true[:, ::-1])
    given[:wrong] = ({"number": 60.0 + true} | other_end).get(kind, np.roll(true, 2, axis=1))[:wrong]
    ids = np.arange(count) + 7
    return (
        Embeddings(ids, vectors.astype(np.float32), "made@1"),
        Labels(ids, given, LabelSpace(SPACES[kind])),
        true,
    )


def suspects(kind, items, labels):
    row, audit = TASK_TYPES[kind], np.zeros(len(labels), dtype=bool)
    trained = row.learner.train(items, labels, names=None, audit=audit, rng=np.random.default_rng(0))
    return row.suspects(items, labels, trained, names=None, rng=np.random.default_rng(1))


@EACH_KIND
def test_wrong_answers_are_found_and_put_right(kind):
    items, labels, true = an_answered_set(kind)
    found = suspects(kind, items, labels)
    assert set(found.rows.tolist()) == set(range(WRONG))
    better = np.abs(found.proposed - true[found.rows]).sum(axis=1)
    assert (better < np.abs(labels.targets - true)[found.rows].sum(axis=1)).all()
    assert (np.diff(found.doubt) <= 0).all() and (found.doubt > 0).all() and (found.doubt <= 1).all()
    assert found.words == f"{WRONG} of {COUNT} answers look wrong and are worth a second look."


@EACH_KIND
def test_sound_answers_are_left_alone(kind):
    items, labels, _true = an_answered_set(kind, wrong=0)
    found = suspects(kind, items, labels)
    assert found.count == 0
    assert found.words == f"None of the {COUNT} answers looks wrong."


@EACH_KIND
def test_few_answers_suspect_nobody(kind):
    items, labels, _true = an_answered_set(kind, count=19)
    found = suspects(kind, items, labels)
    assert (found.count, found.words) == (0, "Too early to suspect an answer: 19 of the 20 that it takes.")


@EACH_KIND
def test_answers_that_are_all_the_same_suspect_nobody(kind):
    items, labels, _true = an_answered_set(kind, wrong=0, count=40)
    same = Labels(labels.ids, np.repeat(labels.targets[:1], 40, axis=0), labels.space)
    assert suspects(kind, items, same).count == 0


@EACH_KIND
def test_beliefs_about_other_items_are_refused(kind):
    items, labels, _true = an_answered_set(kind)
    audit = np.zeros(len(labels), dtype=bool)
    learner = TASK_TYPES[kind].learner
    trained = learner.train(items, labels, names=None, audit=audit, rng=np.random.default_rng(0))
    others = Labels(labels.ids + 1, labels.targets, labels.space)
    with pytest.raises(ValueError, match="differ in their ids"):
        TASK_TYPES[kind].suspects(items, others, trained, names=None, rng=np.random.default_rng(1))


def test_each_label_counts_the_ticks_that_seem_wrong_and_those_that_are_missing():
    items, labels, true = an_answered_set("several choices")
    found = suspects("several choices", items, labels)
    wrong = labels.targets[:WRONG] - true[:WRONG]
    changed = found.proposed - labels.targets[found.rows]
    assert 0 < found.taken_back(labels).sum() <= (wrong > 0).sum()
    assert found.taken_back(labels).tolist() == (changed < 0).sum(axis=0).tolist()
    assert found.missing(labels).tolist() == (wrong < 0).sum(axis=0).tolist()


def test_a_denied_tick_needs_more_than_a_missing_one():
    """People forget a label sooner than they tick one at random."""
    rng = np.random.default_rng(0)
    beliefs = np.where(rng.random((400, 5)) < 0.2, 0.95, 0.02)
    given = beliefs > 0.5
    beliefs[0, 0], given[0, 0] = 0.02, True
    beliefs[1, 0], given[1, 0] = 0.98, False
    wrong = chance_of_error(beliefs, given)
    assert wrong[1, 0] > wrong[0, 0]
    assert ((wrong >= 0) & (wrong <= 1)).all()


@pytest.mark.parametrize("belief", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("is_given", [True, False])
def test_beliefs_that_say_one_thing_of_everything_are_survived(belief, is_given):
    wrong = chance_of_error(np.full((30, 4), belief), np.full((30, 4), is_given))
    assert np.isfinite(wrong).all()


def test_one_suspect_is_told_in_the_singular():
    found = gather_suspects(np.array([0.1, 0.9]), np.array([False, True]), np.zeros((2, 3), np.float32))
    assert found.words == "1 of 2 answers looks wrong and is worth a second look."


def question(*names, kind="several choices"):
    labels = tuple(Label(name, name.upper()) for name in names)
    return Question("topics", "Choices", "text", labels, False, False, "", kind)


@pytest.mark.parametrize(
    ("given", "proposed", "words"),
    [
        ([1, 1, 0], [1, 0, 0], "topics: “B” is ticked; tasks like it do not have it."),
        ([0, 0, 1], [1, 1, 1], "topics: “A” and “B” are not ticked; tasks like it have them."),
        ([1, 0, 0], [0, 1, 1], "topics: answered “A”; tasks like it say “B” and “C”."),
    ],
)
def test_a_note_names_question_and_labels(given, proposed, words):
    rows = (np.array(row, dtype=np.float32) for row in (given, proposed))
    assert suspect_words(question("a", "b", "c"), *rows, LabelSpace(("a", "b", "c"))) == words


def test_a_note_on_a_number_tells_both_numbers():
    rows = np.array([[900.0], [3.25]], dtype=np.float32)
    words = suspect_words(question("number", kind="number"), *rows, LabelSpace(("number",)))
    assert words == "topics: answered “900”; tasks like it say “3.25”."
