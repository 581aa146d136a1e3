"""F1 of answers of several labels, with the range that it has in the whole pool, from a random sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from model.calibration import exact_interval
from model.records import Floats

FEWEST = 10  # rows below which nothing is said

Numbers = NDArray[np.float64]
Triple = tuple[float, float, float]


def micro_f1(answers: Floats, targets: Floats) -> float:
    """2 hits / (labels given + labels true) over all rows (n, c); 1 where neither has a label."""
    hits, sizes = _hits_and_sizes(answers, targets)
    return _share(hits.sum(), sizes.sum())


def macro_f1(answers: Floats, targets: Floats) -> float:
    """Mean F1 of the labels that are given or true anywhere (n, c); 1 where there are none."""
    hits = 2.0 * ((answers > 0) & (targets > 0)).sum(axis=0)
    sizes = (answers > 0).sum(axis=0) + (targets > 0).sum(axis=0)
    seen = sizes > 0
    return float((hits[seen] / sizes[seen]).mean()) if seen.any() else 1.0


def micro_f1_interval(answers: Floats, targets: Floats) -> Triple | None:
    """Micro F1 of n random rows and its 95 % range in the pool; None with fewer than 10 rows.

    F1 is a ratio of sums over rows, so its variance is that of the residuals hits - F1 · sizes
    (Cochran, 1977, 6.4). The range is Wilson's of a share with that variance (Korn & Graubard, 1998).
    """
    if len(answers) < FEWEST:
        return None
    hits, sizes = _hits_and_sizes(answers, targets)
    value = _share(hits.sum(), sizes.sum())
    mean_size = max(sizes.mean(), 1e-9)
    residuals = (hits - value * sizes) / mean_size
    return _range(value, _variance(value, residuals), len(hits))


def macro_f1_interval(answers: Floats, targets: Floats) -> Triple | None:
    """Macro F1 of n random rows and its 95 % range; None with fewer than 10 rows.

    The variance is the jackknife's (Efron & Stein, 1981), the range as that of the micro F1.
    """
    rows = len(answers)
    if rows < FEWEST:
        return None
    value = macro_f1(answers, targets)
    both, either = (answers > 0) & (targets > 0), (answers > 0).astype(np.int64) + (targets > 0)
    hits, sizes = 2.0 * (both.sum(axis=0) - both), either.sum(axis=0) - either  # (n, c), each without a row
    seen = sizes > 0
    each = np.where(seen, hits / np.maximum(sizes, 1), 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    return _range(value, _variance(value, (rows - 1) * (each - each.mean())), rows)


def subset_accuracy_interval(answers: Floats, targets: Floats) -> Triple | None:
    """Share of n rows with exactly the true labels, and its 95 % range; None with fewer than 10 rows."""
    if len(answers) < FEWEST:
        return None
    right = int(((answers > 0) == (targets > 0)).all(axis=1).sum())
    return (right / len(answers), *exact_interval(right, len(answers)))


def _hits_and_sizes(answers: Floats, targets: Floats) -> tuple[Numbers, Numbers]:
    """Twice the labels that are both given and true (n,), and labels given plus labels true (n,)."""
    given, true = answers > 0, targets > 0
    hits = 2.0 * (given & true).sum(axis=1)
    return hits, (given.sum(axis=1) + true.sum(axis=1)).astype(np.float64)


def _share(hits: float, sizes: float) -> float:
    return float(hits / sizes) if sizes else 1.0


def _variance(value: float, residuals: Numbers) -> float:
    """Variance of a mean whose rows' influences these are (n,)."""
    rows = len(residuals)
    return float((residuals**2).sum() / (rows * (rows - 1)))


def _range(value: float, variance: float, rows: int) -> Triple:
    """Wilson's range with as many draws as give this variance, and Student's t for its own doubt."""
    size = value * (1.0 - value) / variance if variance > 0 else float(rows)
    z = float(stdtrit(rows - 1, 0.975))
    middle = (value + z * z / (2 * size)) / (1 + z * z / size)
    half = z * np.sqrt(value * (1 - value) / size + z * z / (4 * size * size)) / (1 + z * z / size)
    return value, float(min(max(middle - half, 0.0), value)), float(max(min(middle + half, 1.0), value))
