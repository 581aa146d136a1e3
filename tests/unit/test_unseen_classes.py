"""Labels of some classes only: what a training says of the others."""

import numpy as np
import pytest

from model.heads.cold_start import cold_start
from model.heads.neighbour_graph import build_neighbour_graph
from model.heads.training_set import AuxiliaryData
from model.heads.unseen_classes import cautious_temperature, reserve_factor
from model.records import Embeddings, Labels, LabelSpace
from model.training import train

NAMES = tuple(f"class {column}" for column in range(5))
SPACE = LabelSpace(NAMES)
DIMENSIONS = 24


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def pool():
    """300 items of five classes around centres that their names only roughly point at, in one direction."""
    rng = np.random.default_rng(1)
    centres = unit(rng.normal(size=(5, DIMENSIONS)))
    common = unit(rng.normal(size=DIMENSIONS))
    answers = rng.integers(5, size=300)
    vectors = unit(centres[answers] + 1.2 * common + 0.28 * rng.normal(size=(300, DIMENSIONS)))
    names = unit(centres + 1.2 * common + 0.22 * rng.normal(size=(5, DIMENSIONS)))
    items = Embeddings(np.arange(1, 301), vectors, "made up")
    return items, answers, names, build_neighbour_graph(items, np.random.default_rng(0))


def learn(pool, rows, *, blind=0, with_names=True, with_graph=True, auxiliary=None):
    items, answers, names, graph = pool
    rows = np.sort(rows)
    labels = Labels.from_names(items.ids[rows], [NAMES[answer] for answer in answers[rows]], SPACE)
    return train(
        items.take(rows),
        labels,
        name_vectors=names if with_names else None,
        audit=np.arange(len(rows)) < blind,
        rng=np.random.default_rng(0),
        neighbour_graph=graph if with_graph else None,
        auxiliary=auxiliary,
    )


def accuracy_of(head, pool):
    return float((head.logits(pool[0].vectors).argmax(axis=1) == pool[1]).mean())


def by_name(pool):
    return accuracy_of(cold_start(pool[2], SPACE).head, pool)


def rows_of(pool, classes, count):
    return np.flatnonzero(np.isin(pool[1], classes))[:count]


@pytest.mark.parametrize("count", [1, 2, 5, 20, 40])
@pytest.mark.parametrize("classes", [[0], [3, 1], [4, 2, 0]])
def test_labels_of_some_classes_do_not_make_the_head_forget_the_others(pool, classes, count):
    head = learn(pool, rows_of(pool, classes, count)).head
    assert 0.4 < by_name(pool) < 0.95
    assert accuracy_of(head, pool) >= by_name(pool) - 0.01


def test_a_class_with_a_single_label_beside_many_of_another_does_not_lose_the_rest(pool):
    rows = np.concatenate([rows_of(pool, [0], 20), rows_of(pool, [1], 1)])
    assert accuracy_of(learn(pool, rows).head, pool) >= by_name(pool) - 0.01


@pytest.mark.parametrize("count", [5, 20, 40])
def test_wrong_answers_are_hardly_surer_than_those_by_name_while_classes_have_no_label(pool, count):
    trained = learn(pool, rows_of(pool, [0], count)).head
    assert sureness_of_wrong(trained, pool) < sureness_of_wrong(cold_start(pool[2], SPACE).head, pool) + 0.05


def sureness_of_wrong(head, pool):
    values = head.probabilities(pool[0], "v").values
    return float(values.max(axis=1)[values.argmax(axis=1) != pool[1]].mean())


def test_labelled_classes_are_learned_all_the_same(pool):
    rows = rows_of(pool, [0, 1], 40)
    mine = np.isin(pool[1], [0, 1])
    before = cold_start(pool[2], SPACE).head.logits(pool[0].vectors)[mine].argmax(axis=1)
    after = learn(pool, rows).head.logits(pool[0].vectors)[mine].argmax(axis=1)
    assert (after == pool[1][mine]).mean() > (before == pool[1][mine]).mean() + 0.02


def test_two_classes_and_twenty_labels_of_one_leave_the_other_where_its_name_put_it():
    rng = np.random.default_rng(3)
    centres = unit(rng.normal(size=(2, DIMENSIONS)))
    answers = np.arange(60) % 2
    items = Embeddings(np.arange(60), unit(centres[answers] + 0.25 * rng.normal(size=(60, DIMENSIONS))), "")
    space, rows = LabelSpace(("cats", "dogs")), np.arange(0, 40, 2)
    head = train(
        items.take(rows),
        Labels.from_names(items.ids[rows], ["cats"] * 20, space),
        name_vectors=unit(centres + 0.3 * rng.normal(size=(2, DIMENSIONS))),
        audit=np.zeros(20, dtype=np.bool_),
        rng=rng,
        neighbour_graph=build_neighbour_graph(items, rng),
    ).head
    dogs = head.probabilities(items, "v").values[answers == 1]
    assert (dogs.argmax(axis=1) == 1).mean() > 0.9


def test_blind_answers_that_never_show_a_class_take_its_reserve_away(pool):
    rows = rows_of(pool, [0, 1, 2, 3], 120)
    nobodys = [
        float(learn(pool, rows, blind=blind).head.probabilities(pool[0], "v").values[:, 4].mean())
        for blind in (0, 30, 120)
    ]
    assert nobodys[0] > nobodys[1] > nobodys[2]
    assert nobodys[2] < 0.7 * nobodys[0]


def test_the_reserve_is_whole_without_blind_answers_and_vanishes_with_many():
    assert reserve_factor(0) == 1.0
    assert reserve_factor(3) == 0.5
    assert reserve_factor(1000) < 0.01


def test_synthetic_items_may_be_the_only_evidence_of_a_class(pool):
    items, answers, _, _ = pool
    made = np.flatnonzero(answers == 4)[-8:]
    ids = np.arange(9001, 9009)
    auxiliary = AuxiliaryData(
        Embeddings(ids, items.vectors[made], "made up"),
        Labels.from_names(ids, [NAMES[4]] * 8, SPACE),
        np.ones(8, dtype=np.float32),
    )
    rows = rows_of(pool, [0, 1], 30)
    mine = answers == 4
    without = learn(pool, rows).head.logits(items.vectors)[mine].argmax(axis=1)
    beside = learn(pool, rows, auxiliary=auxiliary)
    assert (beside.head.logits(items.vectors)[mine].argmax(axis=1) == 4).mean() >= (without == 4).mean()
    assert beside.settings.auxiliary_weight is not None
    assert accuracy_of(beside.head, pool) >= by_name(pool) - 0.01


@pytest.mark.parametrize("with_graph", [True, False])
def test_without_names_nothing_is_nearly_certain_either(pool, with_graph):
    trained = learn(pool, rows_of(pool, [0, 1], 40), with_names=False, with_graph=with_graph)
    assert trained.out_of_fold.values.max(axis=1).mean() <= 0.41  # two of five classes have labels


def test_the_same_labels_give_the_same_bits(pool):
    once, again = (learn(pool, rows_of(pool, [0, 2], 15)).head for _ in range(2))
    assert once.weights.tobytes() == again.weights.tobytes()
    assert once.bias.tobytes() == again.bias.tobytes()
    assert once.temperature == again.temperature


def test_held_out_labels_only_make_a_head_less_sure_of_what_they_do_not_show(pool):
    assert learn(pool, rows_of(pool, [0], 40)).settings.temperature >= 1.0


def test_a_temperature_is_raised_only_as_far_as_the_confidence_must_fall():
    logits = np.array([[6.0, 0.0, 0.0], [0.0, 6.0, 0.0]], dtype=np.float32)
    assert cautious_temperature(logits, 1.0, 1.0) == 1.0
    raised = cautious_temperature(logits, 1.0, 0.7)
    powers = np.exp(logits / raised)
    assert (powers / powers.sum(axis=1, keepdims=True)).max(axis=1).mean() == pytest.approx(0.7, abs=1e-3)
    assert cautious_temperature(logits, 1.0, 0.0) == pytest.approx(20.0)


@pytest.fixture(scope="module")
def long_tail():
    """400 items of 24 classes, most of them rare, whose names point nowhere near them."""
    rng = np.random.default_rng(5)
    centres = unit(rng.normal(size=(24, DIMENSIONS)))
    shares = 0.75 ** np.arange(24)
    answers = rng.choice(24, size=400, p=shares / shares.sum())
    items = Embeddings(
        np.arange(1, 401), unit(centres[answers] + 0.22 * rng.normal(size=(400, DIMENSIONS))), "made up"
    )
    names = unit(rng.normal(size=(24, DIMENSIONS)))
    return items, answers, names, build_neighbour_graph(items, np.random.default_rng(0))


@pytest.mark.parametrize("seed", range(3))
def test_labels_drawn_at_random_are_not_outvoted_by_poor_names(long_tail, seed):
    items, answers, names, graph = long_tail
    rows = np.sort(np.random.default_rng(seed).permutation(400)[:40])
    space = LabelSpace(tuple(f"class {column}" for column in range(24)))
    head = train(
        items.take(rows),
        Labels.from_names(items.ids[rows], [space.names[answer] for answer in answers[rows]], space),
        name_vectors=names,
        audit=np.zeros(40, dtype=np.bool_),
        rng=np.random.default_rng(0),
        neighbour_graph=graph,
    ).head
    seen = np.isin(answers, answers[rows])
    assert 0.7 < seen.mean() < 1.0
    found = head.logits(items.vectors).argmax(axis=1)
    assert (found == answers)[seen].mean() > 0.84
