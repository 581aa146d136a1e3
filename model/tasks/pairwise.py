"""A preference: which of two things is better, the left one, the right one, or neither.

An item is one vector of both sides, the left before the right (2 d,). The utility of a thing is linear in its
vector, and the margin of the left side is w · (left − right): a Bradley–Terry model (1952). Ties follow
Davidson (1970): with the margin m and a weight of ties v, the chances of left, right and neither are as
exp(m / 2) to exp(−m / 2) to v. There is no bias, so swapping the sides swaps the answer, and a pair whose
sides were swapped together with its answer teaches the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.calibration import fit_temperature, log_losses
from model.heads.comparisons import (
    LARGEST_TIE_WEIGHT,
    Numbers,
    fit_comparisons,
    fit_tie_weight,
    pair_chances,
)
from model.heads.single_label import as_float32
from model.heads.training_set import assign_folds
from model.records import Embeddings, Floats, Ids, Labels, LabelSpace
from model.task_type import OUT_OF_FOLD, Beliefs, Figure, Tensors, Trained
from model.tasks.chances import same_rows, share_figure
from model.tasks.rows import order_by_id, require_blind, require_trainable

KIND = "pairwise"
SIDES = ("left", "right")
STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)  # inverse regularisations
FEWEST_TO_CHOOSE = 10  # pairs below which held-out ones do not tell settings apart
_USUAL_STRENGTH = 3.0

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class PairwiseHead:
    """Weights (d,) on left less right, a temperature above 0 and the weight of ties, at least 0; all finite.

    Raises ValueError otherwise.
    """

    weights: Floats
    temperature: float
    tie_weight: float
    sides: LabelSpace

    def __post_init__(self) -> None:
        _require_sides(self.sides)
        if self.weights.ndim != 1 or not np.isfinite(self.weights).all():
            raise ValueError(f"PairwiseHead: weights {self.weights.shape} are not a row of finite numbers")
        if not (np.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"PairwiseHead: temperature is {self.temperature}; it must be above 0")
        if not 0.0 <= self.tie_weight <= LARGEST_TIE_WEIGHT:
            raise ValueError(f"PairwiseHead: the weight of ties is {self.tie_weight}")

    @property
    def space(self) -> LabelSpace:
        """Left and right."""
        return self.sides

    def believe(self, items: Embeddings, model_version: str) -> Beliefs:
        """The chance of each side; raises ValueError on vectors of other dimensions."""
        differences = side_differences(items.vectors)
        if differences.shape[1] != len(self.weights):
            raise ValueError(f"PairwiseHead: sides of {differences.shape[1]}, not {len(self.weights)}")
        margins = (differences @ self.weights).astype(np.float64) / self.temperature
        return beliefs_from_margins(items.ids, margins, self.tie_weight, model_version)

    def tensors(self) -> Tensors:
        """Weights (d,), temperature (1,) and weight of ties (1,)."""
        return {
            "weights": self.weights,
            "temperature": np.array([self.temperature], dtype=np.float64),
            "tie_weight": np.array([self.tie_weight], dtype=np.float64),
        }


class Pairwise:
    """Learns which of two sides a person would prefer."""

    @property
    def kind(self) -> str:
        """`pairwise`."""
        return KIND

    def cold_start(self, names: Floats | None, space: LabelSpace) -> Trained | None:
        """None: left and right say nothing about what is better."""
        return None

    def train(
        self,
        items: Embeddings,
        labels: Labels,
        *,
        names: Floats | None,
        audit: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> Trained:
        """Fits a head whose regularisation, temperature and weight of ties are chosen out of fold.

        An answer of zeros is a tie. Names are not looked at. Raises ValueError without labels, where rows do
        not match, where an answer is more than one side, or where vectors are not of two sides.
        """
        require_trainable(KIND, items, labels, audit)
        _require_one_side(labels)
        there, back = order_by_id(items)
        items, labels = items.take(there), labels.take(there)
        pairs = _towards_the_winner(side_differences(items.vectors), labels.targets)
        strength, held_out = _choose_strength(pairs, assign_folds(pairs.is_tie.astype(np.intp), rng))
        temperature = _temperature(held_out[~pairs.is_tie])
        tie_weight = fit_tie_weight(held_out / temperature, pairs.is_tie)
        weights = fit_comparisons(pairs.rows, pairs.is_tie, strength)
        head = PairwiseHead(weights.astype(np.float32), temperature, tie_weight, labels.space)
        margins = held_out * pairs.signs / temperature
        believed = beliefs_from_margins(labels.ids, margins, tie_weight, OUT_OF_FOLD)
        metrics: dict[str, float | None] = {
            "labels": float(len(labels)),
            "ties": float(pairs.is_tie.sum()),
            "inverse_regularisation": strength,
            "temperature": temperature,
            "tie_weight": tie_weight,
        }
        return Trained(head, believed.take(back), metrics)

    def load(self, tensors: Tensors, space: LabelSpace) -> PairwiseHead:
        """The head that gave these tensors; raises ValueError or KeyError where they are not its own."""
        temperature, tie_weight = tensors["temperature"].item(), tensors["tie_weight"].item()
        return PairwiseHead(tensors["weights"], float(temperature), float(tie_weight), space)

    def agree(self, given: Floats, answers: Floats) -> Floats:
        """1 for the same answer, ½ for a tie beside a side, 0 for the other side."""
        if given.shape != answers.shape:
            raise ValueError(f"agree: answers of {given.shape} beside answers of {answers.shape}")
        alike: Floats = (1.0 - np.abs(given - answers).sum(axis=1) / 2.0).astype(np.float32)
        return alike

    def figures(
        self, labels: Labels, out_of_fold: Beliefs, *, blind: NDArray[np.bool_], rng: np.random.Generator
    ) -> Sequence[Figure]:
        """Accuracy where people named a side, by the side that is the likelier one; and the share of ties."""
        require_blind(KIND, labels, len(out_of_fold), blind)
        given, values = labels.targets[blind], out_of_fold.values[blind]
        is_tie = _ties(given)
        likelier = _likelier_side(values)[~is_tie]
        return (
            share_figure("accuracy where a side was named", same_rows(given[~is_tie], likelier)),
            share_figure("share of ties", is_tie.astype(np.float32)),
        )


def side_differences(vectors: Floats) -> Floats:
    """Left less right (n, d) of pairs (n, 2 d); raises ValueError where the length is not even."""
    if vectors.ndim != 2 or vectors.shape[1] % 2:
        raise ValueError(f"{KIND}: vectors {vectors.shape} are not of two sides")
    width = vectors.shape[1] // 2
    precise = as_float32(vectors)
    differences: Floats = precise[:, :width] - precise[:, width:]
    return differences


def beliefs_from_margins(ids: Ids, margins: Numbers, tie_weight: float, model_version: str) -> Beliefs:
    """Beliefs from margins (n,) of the left side, above 0 where it is the better one.

    The answer is the likeliest of left, right and neither; neither too where both sides are equal. The
    uncertainty is 1 for all: what is undecided is mostly what people cannot decide either, and orders by it
    need more labels than a random one (docs/decisions/0035). With equal ones an order covers the pool.
    """
    chances = pair_chances(margins, tie_weight)
    values = chances[:, :2].astype(np.float32)
    answers = _likelier_side(values)
    answers[chances[:, 2] > chances[:, :2].max(axis=1)] = 0.0
    said = np.where(answers.any(axis=1), chances[:, :2].max(axis=1), chances[:, 2])
    return Beliefs(
        ids=ids,
        values=values,
        answers=answers,
        confidence=np.clip(said, 0.0, 1.0).astype(np.float32),
        uncertainty=np.ones(len(ids), dtype=np.float32),
        mass=values,
        model_version=model_version,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    """Rows (n, d) of winner less loser, the sign (n,) that turns left less right into them, and ties (n,)."""

    rows: Numbers
    signs: Numbers
    is_tie: NDArray[np.bool_]


def _towards_the_winner(differences: Floats, targets: Floats) -> _Pairs:
    """Of a tie the row points where its first number that is not 0 is above 0: as if no side were named."""
    is_tie = _ties(targets)
    first = differences[np.arange(len(differences)), (differences != 0).argmax(axis=1)]
    signs = np.where(is_tie, np.where(first < 0, -1.0, 1.0), targets[:, 0] - targets[:, 1]).astype(np.float64)
    return _Pairs(differences.astype(np.float64) * signs[:, None], signs, is_tie)


def _choose_strength(pairs: _Pairs, folds: Rows) -> tuple[float, Numbers]:
    """The regularisation of least log loss on held-out pairs, and the margins (n,) of the winner there."""
    found = []
    enough = int((~pairs.is_tie).sum()) >= FEWEST_TO_CHOOSE
    for strength in STRENGTHS if enough else (_USUAL_STRENGTH,):
        held_out = np.zeros(len(folds))
        for fold in np.unique(folds):
            mine = folds == fold
            held_out[mine] = pairs.rows[mine] @ fit_comparisons(
                pairs.rows[~mine], pairs.is_tie[~mine], strength
            )
        decided = held_out[~pairs.is_tie]
        losses = log_losses(_logits(decided / _temperature(decided)), np.zeros(len(decided), dtype=np.intp))
        found.append((float(losses.sum()), strength, held_out))
    _, strength, held_out = min(found, key=lambda each: each[0])
    return strength, held_out


def _temperature(margins: Numbers) -> float:
    """The temperature of margins (n,) of winners out of fold."""
    return fit_temperature(_logits(margins), np.zeros(len(margins), dtype=np.intp))


def _logits(left: Numbers) -> Floats:
    """Logits (n, 2) of both sides from the margin of the left one."""
    return np.stack([left / 2.0, -left / 2.0], axis=1).astype(np.float32)


def _likelier_side(values: Floats) -> Floats:
    """1 in the column of the likelier side of each row (n, 2); zeros where both are as likely."""
    sides: Floats = (values > values[:, ::-1]).astype(np.float32)
    return sides


def _ties(targets: Floats) -> NDArray[np.bool_]:
    """Which answers (n, 2) name no side."""
    ties: NDArray[np.bool_] = targets.max(axis=1) < 0.5
    return ties


def _require_one_side(labels: Labels) -> None:
    _require_sides(labels.space)
    targets = labels.targets
    if not (np.isin(targets, (0.0, 1.0)).all() and (targets.sum(axis=1) <= 1.0).all()):
        raise ValueError(f"{KIND}: an answer is neither one side nor a tie")


def _require_sides(space: LabelSpace) -> None:
    if space.names != SIDES:
        raise ValueError(f"{KIND}: the label space is {space.names}, not {SIDES}")
