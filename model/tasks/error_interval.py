"""The range of a mean absolute error, from the errors of a sample."""

from __future__ import annotations

import math

import numpy as np

from model.records import Floats
from model.task_type import Figure

FEWEST = 10  # errors below which their spread says too little of their mean
_LOW = 0.025  # of the chance, outside the range at either end


def error_interval(errors: Floats, *, smallest: float) -> tuple[float, float]:
    """Lowest and highest mean that fits errors (n,), all at least 0, at 95 %.

    Student's interval (1908) on the logarithm of the mean (delta method): errors are skewed, so the range
    reaches further up than down. `smallest` > 0 is the least error that counts as one: where all are 0, the
    share of these which may yet turn up is bounded as that of a defect of which no case was seen. Raises
    ValueError with fewer than two errors or one below 0.
    """
    if len(errors) < 2:
        raise ValueError(f"error_interval: {len(errors)} errors are too few")
    if not np.isfinite(errors).all() or errors.min() < 0:
        raise ValueError("error_interval: an error is below 0 or not finite")
    count, precise = len(errors), errors.astype(np.float64)
    mean = float(precise.mean())
    if mean == 0.0:
        return 0.0, smallest * (1.0 - _LOW ** (1.0 / count))
    from scipy.special import stdtrit  # takes a while to import, which those who only predict need not pay

    spread = float(precise.std(ddof=1)) / math.sqrt(count)
    reach = float(stdtrit(count - 1, 1.0 - _LOW)) * spread / mean
    return mean * math.exp(-reach), mean * math.exp(reach)


def error_figure(errors: Floats, *, smallest: float) -> Figure:
    """The mean of absolute errors (n,) with its range; no numbers below ten errors."""
    if len(errors) < FEWEST:
        return Figure("mean absolute error", None, None, None, len(errors), higher_is_better=False)
    low, high = error_interval(errors, smallest=smallest)
    mean = float(errors.astype(np.float64).mean())
    return Figure("mean absolute error", mean, low, high, len(errors), higher_is_better=False)
