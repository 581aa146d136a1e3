"""Published scores for novelty: labelled vectors, classes and a pool in, scores out; higher is more novel.

Those that ask a classifier ask a logistic regression on the same vectors; none knows which labels are of an
audit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import LocalOutlierFactor
from sklearn.svm import OneClassSVM

from model.records import Floats

STRENGTH = 30.0  # of the logistic regression: the inverse of its penalty
NEIGHBOURS = 5
SHRUNK = 0.1  # share of a covariance that is the same in every direction

Doubles = NDArray[np.float64]
Scores = dict[str, Doubles]


def rival_scores(vectors: Floats, classes: NDArray[np.intp], pool: Floats) -> Scores:
    """Scores (n,) of a pool (n, d) by name, from labelled unit vectors (m, d) and their classes (m,)."""
    known, asked = vectors.astype(np.float64), pool.astype(np.float64)
    cosines = asked @ known.T
    _, places = np.unique(classes, return_inverse=True)
    means = np.stack([known[places == place].mean(axis=0) for place in range(places.max() + 1)])
    centres = means / np.linalg.norm(means, axis=1, keepdims=True)
    return {
        **_by_classifier(known, classes, asked),
        "nearest centroid": -(asked @ centres.T).max(axis=1),
        "nearest neighbour (Sun et al., 2022)": -cosines.max(axis=1),
        f"{NEIGHBOURS}th neighbour (Sun et al., 2022)": -np.sort(cosines, axis=1)[:, -NEIGHBOURS],
        **_mahalanobis(known, places, means, asked),
        "local outlier factor (Breunig et al., 2000)": -_local_outlier_factor(known, asked),
        "one-class SVM (Schölkopf et al., 2001)": -OneClassSVM(nu=0.1).fit(known).score_samples(asked),
    }


def _by_classifier(known: Doubles, classes: NDArray[np.intp], asked: Doubles) -> Scores:
    span, _ = np.linalg.qr(known.T)  # the weights lie in the span of the labelled: along it all is quicker
    head = LogisticRegression(C=STRENGTH, max_iter=300).fit(known @ span, classes)
    logits = asked @ span @ head.coef_.T + head.intercept_
    if logits.shape[1] == 1:
        logits = np.concatenate([-logits, logits], axis=1) / 2.0
    return {
        "highest probability (Hendrycks and Gimpel, 2017)": -softmax(logits, axis=1).max(axis=1),
        "highest logit (Hendrycks et al., 2022)": -logits.max(axis=1),
        "energy (Liu et al., 2020)": -logsumexp(logits, axis=1),
    }


def _mahalanobis(known: Doubles, places: NDArray[np.intp], means: Doubles, asked: Doubles) -> Scores:
    """Lee et al., 2018, with one covariance for all classes, and less the distance to the mean of all."""
    inside = _Metric.of(known - means[places])
    middle = known.mean(axis=0)
    overall = _Metric.of(known - middle)
    nearest = np.min([inside.lengths(asked - mean) for mean in means], axis=0)
    return {
        "Mahalanobis (Lee et al., 2018)": nearest,
        "relative Mahalanobis (Ren et al., 2021)": nearest - overall.lengths(asked - middle),
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Metric:
    """Directions (k, d) in which residuals spread, their variances (k,), and that in every other one."""

    directions: Doubles
    variances: Doubles
    elsewhere: float

    @classmethod
    def of(cls, residuals: Doubles) -> _Metric:
        """The shrunk covariance of residuals (m, d), which may be fewer than d."""
        _, values, directions = np.linalg.svd(residuals, full_matrices=False)
        variances = np.square(values) / len(residuals)
        level = SHRUNK * float(variances.sum()) / residuals.shape[1]
        return cls(directions, (1.0 - SHRUNK) * variances + level, level)

    def lengths(self, differences: Doubles) -> Doubles:
        """Squared lengths (n,) of differences (n, d)."""
        along = np.square(differences @ self.directions.T)
        rest = np.maximum(np.square(differences).sum(axis=1) - along.sum(axis=1), 0.0)
        found: Doubles = (along / self.variances).sum(axis=1) + rest / self.elsewhere
        return found


def _local_outlier_factor(known: Doubles, asked: Doubles) -> Doubles:
    fitted = LocalOutlierFactor(n_neighbors=min(20, len(known) - 1), novelty=True).fit(known)
    found: Doubles = fitted.score_samples(asked)
    return found
