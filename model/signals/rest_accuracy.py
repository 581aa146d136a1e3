"""How right the model is on the items left without a label, if all that it says of them is accepted."""

from __future__ import annotations

import math

import numpy as np

from model.calibration import Z95
from model.heads.training_set import FOLDS
from model.records import Floats
from model.signals.estimate import Estimate
from model.signals.power_law import learned_more
from model.signals.prediction_powered import Mask, Numbers, Sample, estimate_share

_LEARNED = 1.0 - 1.0 / FOLDS  # of the labels, by the heads that judge
_MOST_LAYERS = 4
_CAUTION = 2.0
_FEWEST_OF_A_LAYER = 4  # blind labels there should be for each layer


def estimate_rest(
    correct: Mask, confidence: Numbers, *, blind: Mask, unlabelled_confidence: Floats
) -> Estimate | None:
    """Share of exactly these unlabelled items that the deployed head has right; None without a blind label.

    correct and confidence (n,) are of labelled rows, out of fold; `blind` (n,) marks those that were drawn
    at random from what had no label then; unlabelled_confidence (u,) is the deployed head's.

    Blind items stand for a pool out of which a strategy has meanwhile taken what is hard. So each counts as
    much as what is left has more of its confidence than the blind items have (post-stratification, Holt and
    Smith, 1979), and the difference estimator takes the rest of the way from their confidences to those of
    what is left. Raises ValueError when nothing is unlabelled.
    """
    if not len(unlabelled_confidence):
        raise ValueError("estimate_rest: no item is left without a label")
    if not blind.any():
        return None
    sure, left = confidence[blind].astype(np.float64), unlabelled_confidence.astype(np.float64)
    sample = Sample(
        right=correct[blind].astype(np.float64),
        sure=sure,
        rest=float(left.mean()),
        known=0.0,
        share=1.0,
        items=len(left),
    )
    found = estimate_share(sample, _stand_for(sure, left))
    return _of_these_items(learned_more(found, _LEARNED), left)


def _of_these_items(found: Estimate, left: Numbers) -> Estimate:
    """The range for exactly these items (u,), a whole number of which is right."""
    luck = Z95 * Z95 * float((left * (1.0 - left)).mean()) / len(left)
    below = math.sqrt((found.value - found.low) ** 2 + luck)
    above = math.sqrt((found.high - found.value) ** 2 + luck)
    low = math.floor(max(found.value - below, 0.0) * len(left)) / len(left)
    high = math.ceil(min(found.value + above, 1.0) * len(left)) / len(left)
    return Estimate(found.value, low, high)


def _stand_for(sure: Numbers, left: Numbers) -> Numbers:
    """Weights (m,) of blind items by confidence, from layers that hold equal parts of what is left (u,).

    A layer counts two blind items more than it has, so that a single one never stands for a whole layer.
    """
    layers = min(max(len(sure) // _FEWEST_OF_A_LAYER, 1), _MOST_LAYERS)
    edges = np.quantile(left, np.arange(1, layers) / layers)
    mine, theirs = (np.searchsorted(edges, one, side="right") for one in (sure, left))
    there = np.bincount(theirs, minlength=layers) / len(left)
    weights: Numbers = (there / (np.bincount(mine, minlength=layers) + _CAUTION))[mine]
    return weights


def accept_all(rest: Estimate, *, labels: int, unlabelled: int) -> Estimate:
    """Share of all items that would be right, the labels of people counted as right."""
    parts = (rest.value, rest.low, rest.high)
    value, low, high = ((labels + unlabelled * part) / (labels + unlabelled) for part in parts)
    return Estimate(value, low, high)
