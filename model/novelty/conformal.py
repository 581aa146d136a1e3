"""Conformal p-values: flags with a promised rate of false alarms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.records import Floats

Doubles = NDArray[np.float64]

PI0_SPLIT = 0.5  # p-values above this come from items of known classes (Storey, 2002)


def p_values(
    calibration: Floats, scores: Floats, *, tie: float = 1.0, weights: Floats | None = None
) -> Doubles:
    """How likely an item of a known class is at least as novel as each item, (n,), in (0, 1].

    Bates, Candès, Lei, Romano and Sesia, 2023, Testing for outliers with conformal p-values. `calibration`
    (m,) are scores of items of known classes that the score did not learn from. With weights (m,) they count
    as if drawn with these odds (Tibshirani et al., 2019). `tie` in (0, 1] is the share by which an equal
    score counts, the item itself included: 1 is the cautious p-value, a uniform draw the exact one (Vovk et
    al., 2005). Falls as the score rises. Raises ValueError on values that are not finite.
    """
    if not (np.isfinite(calibration).all() and np.isfinite(scores).all()):
        raise ValueError("p_values: a score is not finite")
    if not 0.0 < tie <= 1.0:
        raise ValueError(f"p_values: tie is {tie}; it must be above 0 and at most 1")
    weights = np.ones(len(calibration), dtype=np.float32) if weights is None else weights
    if weights.shape != calibration.shape or not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ValueError(
            "p_values: weights must be finite, none negative, and one for each calibration score"
        )
    order = np.argsort(calibration, kind="stable")
    values, ascending = calibration[order], weights[order].astype(np.float64)
    from_here = np.append(np.cumsum(ascending[::-1])[::-1], 0.0)  # the weight of this one and all above
    own = float(ascending.mean()) if ascending.sum() > 0 else 1.0
    not_below = from_here[np.searchsorted(values, scores, side="left")]
    above = from_here[np.searchsorted(values, scores, side="right")]
    found: Doubles = (above + tie * (not_below - above + own)) / (from_here[0] + own)
    return np.clip(found, np.finfo(np.float64).tiny, 1.0)


def share_of_known(p: Doubles) -> float:
    """The share of items that belong to known classes, at most 1 (Storey, 2002); 1 without items."""
    if not len(p):
        return 1.0
    above = 1 + int((p > PI0_SPLIT).sum())
    return min(1.0, above / (len(p) * (1.0 - PI0_SPLIT)))
