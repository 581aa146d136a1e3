"""Coverage weighted by any uncertainty."""

import time

import numpy as np
import pytest

from model.records import Embeddings, Probabilities
from model.strategies import STRATEGIES
from model.strategies.coverage import uncertainty_coverage
from model.strategies.inputs import StrategyInput

NOBODY = Embeddings(np.zeros(0, np.int64), np.zeros((0, 8), np.float32), "e")


def a_pool(n=200, *, d=8, seed=0):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, d)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Embeddings(rng.permutation(10 * n)[:n].astype(np.int64), vectors, "e")


def score(uncertainty, pool, labelled=NOBODY, *, batch=10, seed=0):
    return uncertainty_coverage(
        np.asarray(uncertainty, np.float32), pool, labelled, batch=batch, rng=np.random.default_rng(seed)
    )


def test_by_the_margin_it_is_uncertainty_herding():
    pool = a_pool()
    two = np.random.default_rng(1).uniform(0.5, 1.0, 200).astype(np.float32)
    probabilities = Probabilities(pool.ids, np.stack([two, 1 - two], axis=1), "v")
    margin = 2.0 * (1.0 - two)
    known = a_pool(5, seed=3)
    herding = STRATEGIES["uncertainty-herding"](
        StrategyInput(pool, probabilities, known, 10), np.random.default_rng(0)
    )
    ours = score(margin, pool, known)
    assert np.argsort(-ours)[:10].tolist() == np.argsort(-herding.values)[:10].tolist()


@pytest.mark.parametrize("level", [0.0, 0.3, 7.0])
def test_before_there_is_a_model_it_covers_the_pool_as_herding_does(level):
    pool = a_pool()
    herding = STRATEGIES["max-herding"](StrategyInput(pool, None, NOBODY, 10), np.random.default_rng(0))
    ours = score(np.full(200, level), pool)
    assert np.argsort(-ours)[:10].tolist() == np.argsort(-herding.values)[:10].tolist()


def test_it_does_not_depend_on_the_scale_or_on_the_order_of_items():
    pool, uncertainty = a_pool(), np.random.default_rng(1).random(200)
    first = score(uncertainty, pool)
    assert np.allclose(first, score(4.0 * uncertainty, pool))
    order = np.random.default_rng(2).permutation(200)
    assert np.array_equal(score(uncertainty[order], pool.take(order)), first[order])


def test_of_twins_one_is_asked():
    pool = a_pool(20)
    vectors = np.concatenate([pool.vectors, pool.vectors])
    twins = Embeddings(np.arange(40), vectors, "e")
    picked = np.argsort(-score(np.ones(40), twins))[:10] % 20
    assert len(set(picked.tolist())) == 10


def test_what_does_not_fit_is_refused():
    pool = a_pool()
    for wrong in (np.ones(3), np.full(200, np.nan), np.full(200, -1.0)):
        with pytest.raises(ValueError, match="uncertainty_coverage"):
            score(wrong, pool)


def test_an_empty_pool_has_no_scores():
    assert len(score(np.zeros(0), NOBODY)) == 0


def test_ten_thousand_items_take_about_a_second():
    pool = a_pool(10_000, d=384)
    known = Embeddings(np.arange(300) + 10**6, a_pool(300, d=384, seed=5).vectors, "e")
    started = time.process_time()
    score(np.random.default_rng(0).random(10_000), pool, known, batch=100)
    assert time.process_time() - started < 6.0
