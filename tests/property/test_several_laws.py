"""Laws of several choices: any labels, from one row on, with and without names."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from model.records import Embeddings, Labels, LabelSpace
from model.tasks.f1_interval import macro_f1_interval, micro_f1_interval, subset_accuracy_interval
from model.tasks.several_choices import SeveralChoices

settings.register_profile("several", deadline=None, max_examples=40, derandomize=True)
settings.load_profile("several")

LEARNER = SeveralChoices()
seeds = st.integers(0, 2**32 - 1)
shares = st.sampled_from([0.0, 0.05, 0.4, 1.0])


def some_rows(n, c, share, seed, d=6):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n + c, d)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    targets = (rng.random((n, c)) < share).astype(np.float32)
    space = LabelSpace(tuple(f"label {place}" for place in range(c)))
    ids = rng.permutation(1000)[:n].astype(np.int64)
    return Embeddings(ids, vectors[:n], "e"), Labels(ids, targets, space), vectors[n:]


@given(st.integers(1, 25), st.integers(1, 5), shares, st.booleans(), seeds)
def test_whatever_was_labelled_the_beliefs_are_sound(n, c, share, named, seed):
    items, labels, names = some_rows(n, c, share, seed)
    trained = LEARNER.train(
        items,
        labels,
        names=names if named else None,
        audit=np.zeros(n, dtype=np.bool_),
        rng=np.random.default_rng(seed),
    )
    for beliefs in (trained.out_of_fold, trained.head.believe(items, "v")):
        assert np.array_equal(beliefs.ids, items.ids)
        assert ((beliefs.values > 0) & (beliefs.values < 1)).all()
        assert np.isin(beliefs.answers, (0.0, 1.0)).all()
        assert ((beliefs.confidence >= 0) & (beliefs.confidence <= 1)).all()
        assert (beliefs.uncertainty >= 0).all()
        if labels.targets.any(axis=1).all():
            assert beliefs.answers.any(axis=1).all()
    again = LEARNER.load(trained.head.tensors(), labels.space).believe(items, "v")
    assert again.values.tobytes() == trained.head.believe(items, "v").values.tobytes()


@given(st.integers(0, 20), st.integers(1, 5), seeds)
def test_agreement_is_symmetric_and_one_with_itself(n, c, seed):
    rng = np.random.default_rng(seed)
    one, two = (rng.integers(0, 2, (n, c)).astype(np.float32) for _ in range(2))
    assert np.array_equal(LEARNER.agree(one, two), LEARNER.agree(two, one))
    assert (LEARNER.agree(one, one) == 1.0).all()
    assert (LEARNER.agree(one, two) < 1.0).tolist() == (one != two).any(axis=1).tolist()


@given(st.integers(10, 60), st.integers(1, 5), shares, shares, seeds)
def test_a_range_holds_its_figure_and_stays_between_0_and_1(n, c, given_share, true_share, seed):
    rng = np.random.default_rng(seed)
    answers = (rng.random((n, c)) < given_share).astype(np.float32)
    targets = (rng.random((n, c)) < true_share).astype(np.float32)
    for interval in (micro_f1_interval, macro_f1_interval, subset_accuracy_interval):
        value, low, high = interval(answers, targets)
        assert 0.0 <= low <= value <= high <= 1.0
