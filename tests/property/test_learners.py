"""Laws of learners, whatever the kind of question; those of several choices are in `test_several_laws.py`."""

import numpy as np
import pytest
from safetensors.numpy import load, save

from model.records import Embeddings, Labels, LabelSpace
from model.tasks.number import Number
from model.tasks.rating import Rating
from model.tasks.single_choice import SingleChoice
from model.tasks.taxonomy import Taxonomy

DIMENSIONS = 16


KINDS = {learner.kind: learner for learner in (SingleChoice(), Rating(), Number(), Taxonomy())}


def learner_of(kind):
    return KINDS[kind]


def space_of(kind, size=4):
    """A label space as this kind has it, of about so many columns."""
    if kind == "number":
        return LabelSpace(("number",))
    if kind == "rating":
        return LabelSpace(tuple(str(grade) for grade in range(1, size + 1)))
    return LabelSpace(tuple(f"class {number}" for number in range(size)))


def items_of(rows, seed, *, dimensions=DIMENSIONS):
    vectors = np.random.default_rng(seed).normal(size=(rows, dimensions)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = 10 + 3 * np.random.default_rng(seed + 1).permutation(rows).astype(np.int64)
    return Embeddings(ids, vectors, "random")


def labels_of(kind, items, space, seed):
    """Answers that vectors say something about."""
    rng = np.random.default_rng(seed)
    signal = items.vectors @ rng.normal(size=(items.vectors.shape[1], len(space)))
    signal += 0.1 * rng.normal(size=signal.shape)
    if kind == "number":
        return Labels(items.ids, (40.0 + 7.0 * signal).astype(np.float32), space)
    classes = signal.argmax(axis=1)
    if kind == "rating":
        ranks = signal[:, 0].argsort().argsort()
        classes = ranks * len(space) // max(len(ranks), 1)
    targets = np.zeros(signal.shape, dtype=np.float32)
    targets[np.arange(len(items)), classes] = 1.0
    return Labels(items.ids, targets, space)


def fit(kind, items, labels, *, names=None, seed=5):
    audit = np.arange(len(labels)) % 2 == 0
    return learner_of(kind).train(items, labels, names=names, audit=audit, rng=np.random.default_rng(seed))


def assert_sound(believed, ids, space):
    np.testing.assert_array_equal(believed.ids, ids)
    assert believed.values.shape == believed.answers.shape == believed.mass.shape == (len(ids), len(space))
    assert ((believed.confidence >= 0) & (believed.confidence <= 1)).all()
    assert (believed.uncertainty >= 0).all()
    assert (believed.mass >= 0).all() or len(space) == 1


def assert_same_bits(one, other):
    for field in ("ids", "values", "answers", "confidence", "uncertainty", "mass"):
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))


@pytest.fixture(params=sorted(KINDS))
def kind(request):
    learner_of(request.param)
    return request.param


def test_a_learner_says_its_kind(kind):
    assert learner_of(kind).kind == kind


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 40])
def test_it_works_from_one_label_on(kind, rows):
    items, space = items_of(rows, seed=rows), space_of(kind)
    trained = fit(kind, items, labels_of(kind, items, space, seed=1))
    others = items_of(30, seed=99)
    assert_sound(trained.out_of_fold, items.ids, space)
    assert_sound(trained.head.believe(others, "v1"), others.ids, space)
    assert trained.head.space == space
    assert len(trained.head.believe(others.take(np.arange(0)), "v1")) == 0


def test_it_works_from_labels_of_one_class(kind):
    items, space = items_of(12, seed=3), space_of(kind)
    labels = labels_of(kind, items.take(np.arange(1)), space, seed=1)
    same = Labels(items.ids, np.repeat(labels.targets, len(items), axis=0), space)
    trained = fit(kind, items, same)
    believed = trained.head.believe(items, "v1")
    assert_sound(believed, items.ids, space)
    assert learner_of(kind).agree(same.targets, believed.answers).min() == pytest.approx(1.0, abs=1e-3)


def test_the_same_seed_gives_the_same_bits(kind):
    items, space = items_of(60, seed=4), space_of(kind)
    labels = labels_of(kind, items, space, seed=1)
    one, other = fit(kind, items, labels), fit(kind, items, labels)
    assert_same_bits(one.out_of_fold, other.out_of_fold)
    assert_same_bits(one.head.believe(items, "v1"), other.head.believe(items, "v1"))
    assert one.metrics == other.metrics


@pytest.mark.parametrize("rows", [1, 60])
def test_a_saved_head_says_the_same_bits(kind, rows):
    items, space = items_of(rows, seed=4), space_of(kind)
    trained = fit(kind, items, labels_of(kind, items, space, seed=1))
    tensors = load(save({name: np.ascontiguousarray(each) for name, each in trained.head.tensors().items()}))
    again = learner_of(kind).load(tensors, space)
    assert_same_bits(again.believe(items, "v1"), trained.head.believe(items, "v1"))


def test_foreign_tensors_are_refused(kind):
    with pytest.raises((KeyError, ValueError)):
        learner_of(kind).load({"other": np.zeros(3, dtype=np.float32)}, space_of(kind))


def test_the_order_of_rows_does_not_matter(kind):
    items, space = items_of(60, seed=4), space_of(kind)
    labels = labels_of(kind, items, space, seed=1)
    shuffled = np.random.default_rng(8).permutation(60)
    audit = np.arange(60) % 2 == 0
    learner = learner_of(kind)
    one = learner.train(items, labels, names=None, audit=audit, rng=np.random.default_rng(5))
    other = learner.train(
        items.take(shuffled),
        labels.take(shuffled),
        names=None,
        audit=audit[shuffled],
        rng=np.random.default_rng(5),
    )
    np.testing.assert_allclose(
        other.out_of_fold.values, one.out_of_fold.values[shuffled], rtol=1e-3, atol=1e-3
    )
    said, again = one.head.believe(items, "v1"), other.head.believe(items, "v1")
    np.testing.assert_allclose(said.values, again.values, rtol=1e-3, atol=1e-3)


def test_answers_agree_with_themselves_and_both_ways(kind):
    space = space_of(kind)
    items = items_of(50, seed=6)
    one = labels_of(kind, items, space, seed=1).targets
    other = labels_of(kind, items, space, seed=2).targets
    learner = learner_of(kind)
    np.testing.assert_array_equal(learner.agree(one, one), np.ones(50, dtype=np.float32))
    there, back = learner.agree(one, other), learner.agree(other, one)
    np.testing.assert_allclose(there, back)
    assert there.min() >= 0 and there.max() <= 1 and there.min() < 1
    with pytest.raises(ValueError, match="agree"):
        learner.agree(one, other[:-1])


def test_bad_input_is_refused(kind):
    items, space = items_of(8, seed=7), space_of(kind)
    labels = labels_of(kind, items, space, seed=1)
    nothing = Labels(labels.ids[:0], labels.targets[:0], space)
    with pytest.raises(ValueError, match="no labels"):
        fit(kind, items.take(np.arange(0)), nothing)
    with pytest.raises(ValueError, match="ids"):
        fit(kind, items.take(np.arange(7)), labels)
    with pytest.raises(ValueError, match="ids"):
        fit(kind, items.take(np.arange(8)[::-1]), labels)
    with pytest.raises(ValueError, match="not finite"):
        fit(kind, Embeddings(items.ids, items.vectors * np.nan, "random"), labels)
    with pytest.raises(ValueError, match="audit"):
        learner_of(kind).train(
            items, labels, names=None, audit=np.zeros(3, dtype=np.bool_), rng=np.random.default_rng(0)
        )


def test_figures_are_of_blind_answers_alone(kind):
    items, space = items_of(90, seed=4), space_of(kind)
    labels = labels_of(kind, items, space, seed=1)
    trained = fit(kind, items, labels)
    learner, blind = learner_of(kind), np.arange(90) % 3 == 0

    def figures(labels, blind):
        return learner.figures(labels, trained.out_of_fold, blind=blind, rng=np.random.default_rng(1))

    found = figures(labels, blind)
    assert found == figures(labels, blind)
    for each in found:
        assert each.n == 30
        assert each.low <= each.value <= each.high
    targets = labels.targets.copy()
    targets[~blind] = targets[~blind][::-1]
    assert figures(Labels(labels.ids, targets, space), blind) == found
    none = figures(labels, np.zeros(90, dtype=np.bool_))
    assert [(each.value, each.low, each.high, each.n) for each in none] == [(None, None, None, 0)] * len(none)
    with pytest.raises(ValueError, match="labels"):
        figures(labels, blind[:-1])


@pytest.mark.parametrize(("columns", "rows"), [(100, 100), (100, 1000), (1000, 1000)])
def test_many_classes_or_labels_are_learned(kind, columns, rows):
    space = space_of(kind, columns if kind != "rating" else 10)
    items = items_of(rows, seed=4, dimensions=64)
    labels = labels_of(kind, items, space, seed=1)
    trained = fit(kind, items, labels)
    trained.head.believe(items, "v1")
