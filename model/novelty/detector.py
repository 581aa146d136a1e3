"""Which items of a pool fit no known class, at a promised rate of false alarms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.novelty.conformal import Doubles, p_values, share_of_known
from model.novelty.crossfit import CrossFit
from model.novelty.known_set import KnownSet, make_known_set
from model.novelty.narrow import along, items_along, principal_axes
from model.novelty.scores import SCORES
from model.records import Embeddings, Floats, Ids, Labels, ThresholdSource

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """What is novel in a pool: scores (n,), p-values (n,) and flags (n,) by id.

    `weights` say which scores were added up, `calibration` how many labels set the threshold, and where
    those came from. `expected_false` flags are expected to be of known classes. Without enough labels to
    judge, `reason` says so, nothing is flagged and all p-values are 1. `singles` are the scores (n,) that
    each score alone would give, when they were asked for.
    """

    ids: Ids
    scores: Floats
    p_values: Doubles
    flagged: Mask
    alpha: float
    weights: dict[str, float]
    calibration: int
    source: ThresholdSource
    reason: str | None
    singles: dict[str, Floats] = field(default_factory=dict)

    @property
    def expected_false(self) -> float:
        """Flags expected to be false: alpha times the items that seem to belong to known classes."""
        if self.reason is not None:
            return 0.0
        return min(float(self.flagged.sum()), self.alpha * share_of_known(self.p_values) * len(self.ids))


def fewest_labels(alpha: float) -> int:
    """Labels below which nothing can be flagged at this rate."""
    return int(np.ceil(1.0 / alpha))


def detect(
    labelled: Embeddings,
    labels: Labels,
    pool: Embeddings,
    *,
    audit: Mask,
    alpha: float,
    rng: np.random.Generator,
    name_vectors: Floats | None = None,
    rejected: Floats | None = None,
    compare: bool = False,
) -> Detection:
    """Score a pool for novelty and flag what is too novel for a known class, at most `alpha` of it wrongly.

    audit (n,) marks labelled rows that were drawn at random from the pool. name_vectors (c, d): unit vectors
    of the class names in the order of the space. rejected (j, d): unit vectors of items that a person said
    are no class; whatever is like them is not flagged. `compare` asks for each score alone, too. Raises
    ValueError on rows that do not match, an alpha outside (0, 1) or a vector that is not finite.
    """
    _require_detectable(labelled, labels, pool, audit, alpha, name_vectors, rejected)
    needed = fewest_labels(alpha)
    if len(labels) < needed:
        reason = f"not enough labels to judge: {len(labels)} of {needed}"
        return _nothing_flagged(pool, alpha, reason)
    given = np.argsort(labels.ids, kind="stable")  # by id, so that the order of the rows decides nothing
    asked = np.argsort(pool.ids, kind="stable")
    labelled, labels, audit = labelled.take(given), labels.take(given), audit[given]
    axes = principal_axes(labelled.vectors, pool.vectors[asked])
    labelled, pool = items_along(axes, labelled), items_along(axes, pool)
    name_vectors = None if name_vectors is None else along(axes, name_vectors)
    rejected = None if rejected is None else along(axes, rejected)
    known = _make_known_set(labelled, labels, name_vectors, rejected)
    crossfit = CrossFit(known, labelled, labels, pool.take(asked), audit=audit, rng=rng)
    weights = crossfit.choose_weights()
    scores = crossfit.score_pool(weights)
    calibration = crossfit.calibrate(weights, scores)
    p = p_values(calibration.scores, scores, tie=1.0 - rng.random(), weights=calibration.weights)
    scores, p = _put_back(scores, asked), _put_back(p, asked)
    return Detection(
        pool.ids,
        scores,
        p,
        p <= alpha,
        alpha,
        weights,
        len(calibration.scores),
        calibration.source,
        reason=None,
        singles={
            name: _put_back(crossfit.score_pool({name: 1.0}), asked) for name in (SCORES if compare else ())
        },
    )


def _make_known_set(
    labelled: Embeddings, labels: Labels, name_vectors: Floats | None, rejected: Floats | None
) -> KnownSet:
    """What is known, and what a person said is no class: that is one more class of its own."""
    vectors, classes = labelled.vectors, labels.classes
    if rejected is not None and len(rejected):
        vectors = np.concatenate([vectors, rejected])
        classes = np.concatenate([classes, np.full(len(rejected), len(labels.space), dtype=np.intp)])
    return make_known_set(vectors, classes, name_vectors)


def _put_back(values: NDArray[Any], order: NDArray[np.intp]) -> NDArray[Any]:
    """Values (n,) that followed `order` as the rows were given."""
    found = np.empty_like(values)
    found[order] = values
    return found


def _nothing_flagged(pool: Embeddings, alpha: float, reason: str) -> Detection:
    nothing = np.zeros(len(pool), dtype=np.float32)
    ones = np.ones(len(pool), dtype=np.float64)
    return Detection(pool.ids, nothing, ones, ones < 0, alpha, {}, 0, "none", reason)


def _require_detectable(
    labelled: Embeddings,
    labels: Labels,
    pool: Embeddings,
    audit: Mask,
    alpha: float,
    name_vectors: Floats | None,
    rejected: Floats | None,
) -> None:
    if not np.array_equal(labelled.ids, labels.ids) or audit.shape != labels.ids.shape:
        raise ValueError("detect: labelled items, labels and audit differ in their rows")
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"detect: alpha is {alpha}; it must be between 0 and 1")
    for what, vectors in (
        ("labelled", labelled.vectors),
        ("pool", pool.vectors),
        ("name", name_vectors),
        ("rejected", rejected),
    ):
        if vectors is not None and not np.isfinite(vectors).all():
            raise ValueError(f"detect: a {what} vector is not finite")
