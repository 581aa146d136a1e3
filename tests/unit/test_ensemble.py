"""Several heads as one: weighed by what they say of rows they have not seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.calibration import calibrated_losses
from model.heads.ensemble import (
    CAUTION,
    ensemble_coefficients,
    ensemble_head,
    ensemble_logits,
    ensemble_weights,
)
from model.heads.single_label import LinearHead
from model.records import LabelSpace

SPACE = LabelSpace(("a", "b", "c"))


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=9))
def test_weights_sum_to_one_and_never_favour_a_greater_loss(losses):
    weights = ensemble_weights(np.array(losses))
    assert weights.sum() == pytest.approx(1.0)
    assert (np.diff(weights[np.argsort(losses, kind="stable")]) <= 1e-12).all()


def test_a_head_that_is_caution_behind_weighs_a_factor_e_less():
    weights = ensemble_weights(np.array([10.0, 10.0 + CAUTION]))
    assert weights[0] / weights[1] == pytest.approx(np.e)


def heads_and_rows(count, seed=0):
    rng = np.random.default_rng(seed)
    vectors, classes = rng.normal(size=(40, 5)).astype(np.float32), rng.integers(0, 3, 40)
    heads = [
        LinearHead(rng.normal(size=(5, 3)).astype(np.float32), np.zeros(3, dtype=np.float32), 1.0, SPACE)
        for _ in range(count)
    ]
    return heads, vectors, classes


def test_the_head_of_an_ensemble_says_what_the_logits_of_the_ensemble_say():
    heads, vectors, classes = heads_and_rows(4)
    logits = [head.logits(vectors) for head in heads]
    combined = ensemble_head(heads, ensemble_coefficients(logits, classes), temperature=2.0)
    assert combined.logits(vectors) == pytest.approx(ensemble_logits(logits, classes) / 2.0, abs=1e-4)


def test_an_ensemble_of_equal_heads_is_that_head():
    heads, vectors, classes = heads_and_rows(1)
    logits = [heads[0].logits(vectors)] * 3
    one, three = ensemble_logits(logits[:1], classes), ensemble_logits(logits, classes)
    assert three == pytest.approx(one, abs=1e-5)


@given(st.integers(0, 10_000))
def test_an_ensemble_is_never_worse_than_its_worst_member(seed):
    """Log loss is convex in the logits, at equal weights and temperatures as at any others."""
    heads, vectors, classes = heads_and_rows(3, seed)
    logits = [head.logits(vectors) for head in heads]
    worst = max(calibrated_losses(each, classes).mean() for each in logits)
    assert calibrated_losses(ensemble_logits(logits, classes), classes).mean() <= worst + 1e-2
