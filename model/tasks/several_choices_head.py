"""Heads of several choices: one chance for every label, and a threshold from which it is given."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.heads.single_label import NAME_SCALE, as_float32, softmax
from model.records import Embeddings, Floats, Ids, LabelSpace
from model.task_type import Beliefs, Tensors

_SMALLEST = 1e-6  # chance; a logarithm of it is finite

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """How chances become an answer: thresholds (c,), whether no label at all is an answer, and a power.

    The chance that every label is right is the product of each label's, to this power (> 0).
    """

    thresholds: Floats
    allows_none: bool
    power: float

    def answers(self, chances: Floats) -> Floats:
        """Multi-hot (n, c): every label that reaches its threshold; the likeliest where one is needed."""
        given = chances >= self.thresholds
        if not self.allows_none:
            empty = np.flatnonzero(~given.any(axis=1))
            given[empty, chances[empty].argmax(axis=1)] = True
        return given.astype(np.float32)

    def beliefs(self, ids: Ids, chances: Floats, model_version: str) -> Beliefs:
        """All that is believed of n items whose labels have these chances (n, c)."""
        answers = self.answers(chances)
        confidence = np.exp(self.power * log_all_right(chances, answers)).astype(np.float32)
        uncertainty = _entropy(chances).sum(axis=1).astype(np.float32)
        return Beliefs(ids, chances, answers, confidence, uncertainty, chances, model_version)


@dataclass(frozen=True, slots=True, eq=False)
class SeveralChoicesHead:
    """Chance of a label = sigmoid(slope · (x W + b) + shift), with weights (d, c) and bias (c,)."""

    weights: Floats
    bias: Floats
    slope: float
    shift: float
    decision: Decision
    space: LabelSpace

    def __post_init__(self) -> None:
        _require_shapes(self.weights, self.decision, self.space)
        if self.bias.shape != (len(self.space),) or not np.isfinite(self.bias).all():
            raise ValueError("SeveralChoicesHead: its bias is not one finite number a label")
        if not (np.isfinite([self.slope, self.shift]).all() and self.slope > 0):
            raise ValueError(f"SeveralChoicesHead: slope {self.slope}, shift {self.shift}")

    @property
    def allows_none(self) -> bool:
        """Whether "none of them" is an answer, as it was in the labels."""
        return self.decision.allows_none

    def believe(self, items: Embeddings, model_version: str) -> Beliefs:
        """Chances and answers for n items; raises ValueError when their vectors are of another length."""
        logits = _product(items.vectors, self.weights) + self.bias
        chances = calibrated(logits, self.slope, self.shift)
        return self.decision.beliefs(items.ids, chances, model_version)

    def tensors(self) -> Tensors:
        """Weights, bias, calibration and decision, as `load_head` takes them."""
        calibration = np.array([self.slope, self.shift], dtype=np.float64)
        return {
            "weights": self.weights,
            "bias": self.bias,
            "calibration": calibration,
            **_pack(self.decision),
        }


@dataclass(frozen=True, slots=True, eq=False)
class NamesHead:
    """The head before any label: about one label an item, by the cosine of item and label name (d, c)."""

    name_weights: Floats
    decision: Decision
    space: LabelSpace

    def __post_init__(self) -> None:
        _require_shapes(self.name_weights, self.decision, self.space)

    @property
    def allows_none(self) -> bool:
        """Always so: an unclear item gets no label yet."""
        return self.decision.allows_none

    def believe(self, items: Embeddings, model_version: str) -> Beliefs:
        """Chances that sum to one in each row, and the likeliest label where it is likelier than not.

        All items are equally uncertain: where names alone are unsure says little, and going by it asks for
        one kind of items first.
        """
        chances = _clipped(softmax(_product(items.vectors, self.name_weights)))
        beliefs = self.decision.beliefs(items.ids, chances, model_version)
        return replace(beliefs, uncertainty=np.ones(len(items), dtype=np.float32))

    def tensors(self) -> Tensors:
        """Name weights and decision, as `load_head` takes them."""
        return {"name_weights": self.name_weights, **_pack(self.decision)}


def names_head(names: Floats, space: LabelSpace) -> NamesHead:
    """The head of unit vectors (c, d) of what the labels are called."""
    if names.ndim != 2 or len(names) != len(space):
        raise ValueError(f"names_head: name vectors {names.shape} for {len(space)} labels")
    weights = np.ascontiguousarray(NAME_SCALE * names.T, dtype=np.float32)
    half = np.full(len(space), 0.5, dtype=np.float32)
    return NamesHead(weights, Decision(half, allows_none=True, power=1.0), space)


def load_head(tensors: Tensors, space: LabelSpace) -> SeveralChoicesHead | NamesHead:
    """The head that gave these tensors; raises KeyError or ValueError where they are not its own."""
    power, allows_none = tensors["decision"]
    decision = Decision(np.asarray(tensors["thresholds"]), bool(allows_none), float(power))
    if "name_weights" in tensors:
        return NamesHead(np.asarray(tensors["name_weights"]), decision, space)
    slope, shift = tensors["calibration"]
    weights, bias = np.asarray(tensors["weights"]), np.asarray(tensors["bias"])
    return SeveralChoicesHead(weights, bias, float(slope), float(shift), decision, space)


def calibrated(logits: Floats, slope: float, shift: float) -> Floats:
    """Chances (n, c) of logits (n, c), float32, never 0 or 1."""
    chances: Floats = 0.5 * (1.0 + np.tanh(0.5 * (np.float32(slope) * logits + np.float32(shift))))
    return _clipped(chances)


def log_all_right(chances: Floats, answers: Floats) -> Numbers:
    """Logarithm of the chance (n,) that every label of answers (n, c) is right, were labels independent."""
    right = np.where(answers > 0, chances, 1.0 - chances).astype(np.float64)
    summed: Numbers = np.log(right).sum(axis=1)
    return summed


def _entropy(chances: Floats) -> Numbers:
    """Entropy (n, c) of each label by itself, in nats."""
    p = chances.astype(np.float64)
    entropy: Numbers = -(p * np.log(p) + (1.0 - p) * np.log1p(-p))
    return entropy


def _clipped(chances: Floats) -> Floats:
    clipped: Floats = np.clip(chances, _SMALLEST, 1.0 - _SMALLEST).astype(np.float32)
    return clipped


def _product(vectors: Floats, weights: Floats) -> Floats:
    if vectors.ndim != 2 or vectors.shape[1] != len(weights):
        raise ValueError(f"several choices: vectors {vectors.shape} for {len(weights)} dimensions")
    product: Floats = as_float32(vectors) @ weights
    return product


def _pack(decision: Decision) -> dict[str, NDArray[np.floating]]:
    settings = np.array([decision.power, float(decision.allows_none)], dtype=np.float64)
    return {"thresholds": decision.thresholds, "decision": settings}


def _require_shapes(weights: Floats, decision: Decision, space: LabelSpace) -> None:
    labels = len(space)
    if weights.ndim != 2 or weights.shape[1] != labels or decision.thresholds.shape != (labels,):
        raise ValueError(
            f"several choices: weights {weights.shape} and {len(decision.thresholds)} thresholds "
            f"for {labels} labels"
        )
    if not (np.isfinite(weights).all() and np.isfinite(decision.thresholds).all()):
        raise ValueError("several choices: a weight or threshold is not finite")
    if not (np.isfinite(decision.power) and decision.power > 0):
        raise ValueError(f"several choices: power is {decision.power}; it must be above 0")
