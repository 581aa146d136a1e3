"""What beliefs and answers about held-out labels say of a head, of any kind under the same names."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.calibration import calibration_error, wilson_interval
from model.heads.trained import Metrics
from model.records import Labels, Probabilities

OUT_OF_FOLD = "out-of-fold"


def measure(out_of_fold: Probabilities, labels: Labels, audit: NDArray[np.bool_]) -> Metrics:
    """Metrics of beliefs out of fold about n labels; `audit` (n,) marks those that measure accuracy."""
    classes, rows = labels.classes, len(labels)
    correct = out_of_fold.values.argmax(axis=1) == classes
    likelihood = out_of_fold.values[np.arange(rows), classes].astype(np.float64)
    return measure_answers(correct, labels, audit) | {
        "out_of_fold_nll": float(-np.log(np.maximum(likelihood, 1e-30)).mean()) if rows else None,
        "ece": calibration_error(out_of_fold.values, classes) if rows else None,
    }


def measure_answers(right: NDArray[np.bool_], labels: Labels, audit: NDArray[np.bool_]) -> Metrics:
    """Metrics of a head: `right` (n,) says which held-out answers were given in every part.

    audit (n,) marks rows drawn at random: only they measure accuracy.
    """
    total, correct = int(audit.sum()), int(right[audit].sum())
    low, high = wilson_interval(correct, total) if total else (None, None)
    return {
        "labels": float(len(labels)),
        "classes_seen": float((labels.targets != 0).any(axis=0).sum()) if len(labels) else 0.0,
        "out_of_fold_accuracy": float(right.mean()) if len(right) else None,
        "audit_labels": float(total),
        "audit_correct": float(correct),
        "audit_accuracy": correct / total if total else None,
        "audit_low": low,
        "audit_high": high,
    }
