"""Laws that hold for every strategy of the table, whatever it is given."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.audit import audit_hash
from model.encoders.hashing import HashingEncoder
from model.ranking import rank
from model.records import Embeddings, Probabilities
from model.strategies import STRATEGIES, needs_probabilities
from model.strategies.inputs import named_strategy
from tests.beliefs import strategy_input

settings.register_profile("strategies", deadline=None, max_examples=60, derandomize=True)
settings.load_profile("strategies")

ENCODER = "e"
names = st.sampled_from(sorted(STRATEGIES))
seeds = st.integers(0, 2**32 - 1)
worst = st.sampled_from([np.nan, np.inf, -np.inf])


def some_vectors(rng, n, words=9):
    return HashingEncoder(8).encode([f"w{word}" for word in rng.integers(0, words, n)])


def some_inputs(n, *, c=3, labelled=4, batch=5, seed=0, words=9, classes=None):
    """A pool with twins (one item many times over when there is one word) and some labelled items."""
    rng = np.random.default_rng(seed)
    ids = rng.permutation(500)[:n].astype(np.int64)
    pool = Embeddings(ids, some_vectors(rng, n, words), ENCODER)
    values = rng.dirichlet(np.ones(c), size=n).astype(np.float32).reshape(n, c)
    known = Embeddings(np.arange(labelled) + 1000, some_vectors(rng, labelled, words), ENCODER)
    answers = rng.integers(-1, c, labelled).astype(np.intp) if classes is None else classes
    return strategy_input(pool, Probabilities(ids, values, "v"), known, batch, answers)


def ranked(inputs, strategy, *, window=5, share=0.2, seed=0):
    order = audit_hash(inputs.pool.ids, seed)
    return rank(
        inputs,
        strategy=strategy,
        window=window,
        audit=order < 0.3,
        audit_order=order,
        share=share,
        rng=np.random.default_rng(seed),
    )


def assert_ranks_everything_once(inputs, strategy, **how):
    assert sorted(ranked(inputs, strategy, **how).ids.tolist()) == sorted(inputs.pool.ids.tolist())


def spoil(vectors, row, value):
    spoilt = vectors.copy()
    spoilt[row % len(spoilt), row % spoilt.shape[1]] = value
    return spoilt


@given(names, st.integers(1, 20), st.integers(0, 100), worst, seeds)
def test_an_embedding_that_is_not_finite_stops_with_the_name_of_the_strategy(name, n, row, value, seed):
    inputs = some_inputs(n, seed=seed)
    for dtype in (np.float32, np.float16):
        vectors = spoil(inputs.pool.vectors.astype(dtype), row, value)
        pool = Embeddings(inputs.pool.ids, vectors, ENCODER)
        broken = strategy_input(pool, inputs.probabilities, inputs.labelled, inputs.batch)
        with pytest.raises(ValueError, match=f"strategy '{name}'.*pool is not finite"):
            ranked(broken, name)


@given(names, st.integers(1, 6), st.integers(0, 100), worst, seeds)
def test_a_labelled_embedding_that_is_not_finite_stops_with_the_name_of_the_strategy(
    name, m, row, value, seed
):
    inputs = some_inputs(9, labelled=m, seed=seed)
    known = Embeddings(inputs.labelled.ids, spoil(inputs.labelled.vectors, row, value), ENCODER)
    broken = strategy_input(inputs.pool, inputs.probabilities, known, inputs.batch)
    with pytest.raises(ValueError, match=f"strategy '{name}'.*labelled items is not finite"):
        ranked(broken, name)


@given(st.integers(1, 20), st.integers(0, 100), worst, seeds)
def test_a_score_that_is_not_finite_stops_with_the_name_of_the_strategy(n, row, value, seed):
    @named_strategy("broken")
    def broken(inputs, rng):
        scores = rng.random(len(inputs), dtype=np.float32)
        scores[row % len(scores)] = value
        return scores

    with pytest.raises(ValueError, match="strategy 'broken' gave a score that is not finite"):
        broken(some_inputs(n, seed=seed), np.random.default_rng(seed))


@given(st.integers(1, 20), st.integers(0, 100), worst, seeds)
def test_a_probability_that_is_not_finite_stops_with_the_name_of_the_model(n, row, value, seed):
    inputs = some_inputs(n, seed=seed)
    with pytest.raises(ValueError, match="model 'v'.*not finite"):
        Probabilities(inputs.pool.ids, spoil(inputs.probabilities.values, row, value), "v")


@given(names, st.integers(0, 5), st.integers(1, 4), st.integers(0, 40), st.floats(0, 1), seeds)
def test_an_empty_or_tiny_pool_is_ranked(name, n, c, window, share, seed):
    inputs = some_inputs(n, c=c, batch=7, seed=seed)
    assert_ranks_everything_once(inputs, name, window=window, share=share, seed=seed)


@given(names, st.integers(1, 30), st.integers(0, 6), seeds)
def test_one_class_is_ranked(name, n, labelled, seed):
    assert_ranks_everything_once(some_inputs(n, c=1, labelled=labelled, seed=seed), name)


@given(names, st.integers(1, 30), st.integers(1, 4), st.integers(0, 6), st.booleans(), seeds)
def test_items_that_are_all_the_same_are_ranked(name, n, c, labelled, is_sure, seed):
    inputs = some_inputs(n, c=c, labelled=labelled, seed=seed, words=1)
    row = np.eye(c, dtype=np.float32)[:1] if is_sure else np.full((1, c), 1 / c, dtype=np.float32)
    same = Probabilities(inputs.pool.ids, np.repeat(row, n, axis=0), "v")
    twins = strategy_input(inputs.pool, same, inputs.labelled, 5, inputs.labelled_classes)
    assert_ranks_everything_once(twins, name)


@given(names, st.integers(1, 30), st.integers(0, 200), st.integers(1, 200), seeds)
def test_a_window_or_batch_larger_than_the_pool_is_ranked(name, n, more, batch, seed):
    assert_ranks_everything_once(some_inputs(n, batch=batch, seed=seed), name, window=n + more)


@given(names, st.integers(1, 30), st.integers(2, 6), st.integers(0, 6), st.booleans(), seeds)
def test_a_label_that_nobody_used_does_not_matter(name, n, c, labelled, is_believed, seed):
    """Nobody gave the last label, whether or not the head thinks it possible."""
    answers = np.random.default_rng(seed).integers(0, c - 1, labelled).astype(np.intp)
    inputs = some_inputs(n, c=c, labelled=labelled, seed=seed, classes=answers)
    values = inputs.probabilities.values.copy()
    if not is_believed:
        values[:, -1] = 0.0
        values /= np.maximum(values.sum(axis=1, keepdims=True), 1e-6)
    unused = Probabilities(inputs.pool.ids, values, "v")
    assert_ranks_everything_once(strategy_input(inputs.pool, unused, inputs.labelled, 5, answers), name)


@given(names, st.integers(1, 30), seeds)
def test_a_pool_without_a_head_is_ranked_or_the_strategy_says_that_it_needs_one(name, n, seed):
    inputs = some_inputs(n, labelled=0, seed=seed)
    bare = strategy_input(inputs.pool, None, inputs.labelled, 5)
    if not needs_probabilities(name):
        assert_ranks_everything_once(bare, name)
        return
    with pytest.raises(ValueError, match="needs probabilities"):
        rank(
            bare,
            strategy=name,
            window=5,
            audit=np.zeros(n, dtype=np.bool_),
            audit_order=np.zeros(n),
            share=0.0,
            rng=np.random.default_rng(seed),
        )


@given(names, st.integers(0, 30), st.integers(1, 4), seeds)
def test_a_pool_of_half_precision_is_ranked_like_the_same_numbers_in_full(name, n, c, seed):
    inputs = some_inputs(n, c=c, seed=seed)
    half = inputs.pool.vectors.astype(np.float16)
    orders = []
    for vectors in (half, half.astype(np.float32)):
        pool = Embeddings(inputs.pool.ids, vectors, ENCODER)
        asked = strategy_input(pool, inputs.probabilities, inputs.labelled, 5, inputs.labelled_classes)
        orders.append(ranked(asked, name, seed=seed).ids.tolist())
    assert orders[0] == orders[1]
