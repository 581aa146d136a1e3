"""The distance by which novel items are grouped: what varies inside known classes counts less."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.records import Floats, Labels

STRENGTH = 0.1  # 0.5 would whiten the classes: that trusts axes which the known classes say nothing about
_CAUTION = 10  # classes whose means tell as much about the middle as they hide: of few it is their own
_TINY = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """Moves vectors by `middle` (d,) and turns them onto `axes` (d, d); then cosines are taken."""

    middle: Floats
    axes: Floats

    def apply(self, vectors: Floats) -> Floats:
        """Unit vectors (n, d) whose cosines tell novel classes apart."""
        turned = (vectors - self.middle) @ self.axes
        lengths = np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), _TINY)
        found: Floats = (turned / lengths).astype(np.float32)
        return found


def learn_metric(vectors: Floats, labels: Labels) -> Metric:
    """A metric from labelled unit vectors (n, d) of two classes or more.

    The mean of the class means is the middle, drawn towards 0 when classes are few: what all items of a
    project share says nothing. Axes along which items of one class vary count less (after Hastie and
    Tibshirani, 1996), mildly, as the classes to be found are others; the covariance is shrunk (Ledoit and
    Wolf, 2004), so that few labels change little.
    """
    from sklearn.covariance import ledoit_wolf

    means = labels.targets.T @ vectors / np.maximum(labels.targets.sum(axis=0), 1.0)[:, None]
    present = labels.targets.any(axis=0)
    middle = means[present].sum(axis=0) / (present.sum() + _CAUTION)
    residuals = (vectors - means[labels.classes]).astype(np.float64)
    covariance, _ = ledoit_wolf(residuals, assume_centered=True)
    values, axes = np.linalg.eigh(covariance)
    return Metric(middle.astype(np.float32), _scale(values, axes))


def _scale(values: NDArray[np.float64], axes: NDArray[np.float64]) -> Floats:
    scaled: Floats = (axes / np.maximum(values, _TINY) ** STRENGTH).astype(np.float32)
    return scaled
