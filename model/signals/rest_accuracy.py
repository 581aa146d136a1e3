"""How right the model is on the items left without a label, if all that it says of them is accepted."""

from __future__ import annotations

import numpy as np

from model.heads.training_set import FOLDS
from model.records import Floats
from model.signals.estimate import Estimate
from model.signals.power_law import learned_more
from model.signals.prediction_powered import Mask, Numbers, Sample, estimate_accuracy

_LEARNED = 1.0 - 1.0 / FOLDS  # of the labels, by the heads that judge


def estimate_rest(
    correct: Mask, confidence: Numbers, *, blind: Mask, unlabelled_confidence: Floats
) -> Estimate | None:
    """Share of exactly these unlabelled items that the deployed head has right; None without a blind label.

    correct and confidence (n,) are of labelled rows, out of fold; `blind` (n,) marks those that were drawn
    at random from what had no label then; unlabelled_confidence (u,) is the deployed head's.
    Raises ValueError when nothing is unlabelled.
    """
    if not len(unlabelled_confidence):
        raise ValueError("estimate_rest: no item is left without a label")
    if not blind.any():
        return None
    sample = Sample(
        right=correct[blind].astype(np.float64),
        sure=confidence[blind].astype(np.float64),
        rest=float(unlabelled_confidence.mean(dtype=np.float64)),
        known=0.0,
        share=1.0,
        items=len(unlabelled_confidence),
    )
    return learned_more(estimate_accuracy(sample), _LEARNED)


def accept_all(rest: Estimate, *, labels: int, unlabelled: int) -> Estimate:
    """Share of all items that would be right, the labels of people counted as right."""
    parts = (rest.value, rest.low, rest.high)
    value, low, high = ((labels + unlabelled * part) / (labels + unlabelled) for part in parts)
    return Estimate(value, low, high)
