"""Beliefs about an item of which exactly one class is the answer."""

from __future__ import annotations

import numpy as np

from model.calibration import wilson_interval
from model.margin import margins
from model.records import Floats, Ids
from model.task_type import Beliefs, Figure


def beliefs_from_chances(ids: Ids, chances: Floats, model_version: str) -> Beliefs:
    """Beliefs from chances (n, c), every row of which sums to 1.

    The answer is the likeliest class, the confidence its chance, and the uncertainty one less the margin:
    in [0, 1], 1 in a tie of the two likeliest.
    """
    values = chances.astype(np.float32)
    return Beliefs(
        ids=ids,
        values=values,
        answers=one_hot(values),
        confidence=np.clip(values.max(axis=1, initial=0.0), 0.0, 1.0),
        uncertainty=np.clip(1.0 - margins(values), 0.0, 1.0).astype(np.float32),
        mass=values,
        model_version=model_version,
    )


def one_hot(values: Floats) -> Floats:
    """1 in the column of the highest value of each row (n, c), the first of equals; zeros elsewhere."""
    answers = np.zeros(values.shape, dtype=np.float32)
    if values.size:
        answers[np.arange(len(values)), values.argmax(axis=1)] = 1.0
    return answers


def same_rows(given: Floats, answers: Floats) -> Floats:
    """1 where two answers (n, c) are the same in every column, else 0; raises ValueError on two shapes."""
    if given.shape != answers.shape:
        raise ValueError(f"agree: answers of {given.shape} beside answers of {answers.shape}")
    same: Floats = (given == answers).all(axis=1).astype(np.float32)
    return same


def share_figure(name: str, right: Floats) -> Figure:
    """The share of ones (n,) with Wilson's interval; no numbers where there are no rows."""
    total, count = len(right), int(np.count_nonzero(right))
    if not total:
        return Figure(name, None, None, None, 0)
    low, high = wilson_interval(count, total)
    return Figure(name, count / total, low, high, total)
