"""A preference: which of two things is better, the left one or the right one.

An item is one vector of both sides, the left before the right (2 d,): `pair_vectors` makes it of the
embeddings of the sides. Whoever builds the pool embeds the left and the right thing of each task apart, with
the same encoder, and hands both to `pair_vectors`; the pairs have the ids of the tasks.

The chance of the left side is sigmoid(w · (left − right) / temperature), a Bradley-Terry model (1952) whose
strengths are linear in the vectors. It has no bias, so swapping the sides swaps the chances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from model.calibration import fit_temperature, log_losses
from model.heads.single_label import as_float32
from model.heads.training_set import assign_folds
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.task_type import OUT_OF_FOLD, Beliefs, Figure, Tensors, Trained
from model.tasks.chances import beliefs_from_chances, same_rows, share_figure
from model.tasks.rows import order_by_id, require_blind, require_one_hot, require_trainable

KIND = "preference"
SIDES = ("left", "right")
STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0)  # inverse regularisations
FEWEST_TO_CHOOSE = 10  # labels below which held-out ones do not tell settings apart
_USUAL_STRENGTH = 10.0
_KEEP = 1e-9  # directions of less than this share of the largest carry nothing but rounding
_MOST_STEPS = 100

Numbers = NDArray[np.float64]
Rows = NDArray[np.intp]


def pair_vectors(left: Embeddings, right: Embeddings) -> Embeddings:
    """One vector (n, 2 d) for each pair of the same id: left before right.

    Raises ValueError where ids, dimensions or encoders differ.
    """
    if not np.array_equal(left.ids, right.ids):
        raise ValueError("pair_vectors: the sides do not have the same ids in the same order")
    if left.vectors.shape != right.vectors.shape or left.encoder != right.encoder:
        raise ValueError(
            f"pair_vectors: left {left.vectors.shape} of {left.encoder!r}, "
            f"right {right.vectors.shape} of {right.encoder!r}"
        )
    both = np.concatenate([left.vectors, right.vectors], axis=1)
    return Embeddings(left.ids, both, f"pairs of {left.encoder}")


def side_differences(vectors: Floats) -> Floats:
    """Left less right (n, d) of pairs (n, 2 d); raises ValueError where the length is not even."""
    if vectors.ndim != 2 or vectors.shape[1] % 2:
        raise ValueError(f"preference: vectors {vectors.shape} are not of two sides")
    width = vectors.shape[1] // 2
    precise = as_float32(vectors)
    differences: Floats = precise[:, :width] - precise[:, width:]
    return differences


@dataclass(frozen=True, slots=True, eq=False)
class PreferenceHead:
    """Weights (d,) on left less right, and a temperature above 0; all finite."""

    weights: Floats
    temperature: float
    sides: LabelSpace

    def __post_init__(self) -> None:
        _require_sides(self.sides)
        if self.weights.ndim != 1 or not np.isfinite(self.weights).all():
            raise ValueError(f"PreferenceHead: weights {self.weights.shape} are not a row of finite numbers")
        if not (np.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"PreferenceHead: temperature is {self.temperature}; it must be above 0")

    @property
    def space(self) -> LabelSpace:
        """Left and right."""
        return self.sides

    def believe(self, items: Embeddings, model_version: str) -> Beliefs:
        """The chance of each side; raises ValueError on vectors of other dimensions."""
        differences = side_differences(items.vectors)
        if differences.shape[1] != len(self.weights):
            raise ValueError(f"PreferenceHead: sides of {differences.shape[1]}, not {len(self.weights)}")
        chances = _chances((differences * self.weights).sum(axis=1, dtype=np.float64) / self.temperature)
        return beliefs_from_chances(items.ids, chances, model_version)

    def tensors(self) -> Tensors:
        """Weights (d,) and temperature (1,)."""
        return {"weights": self.weights, "temperature": np.array([self.temperature], dtype=np.float64)}


class Preference:
    """Learns which side a person would prefer."""

    @property
    def kind(self) -> str:
        """`preference`."""
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
        """Fits a head whose regularisation and temperature are chosen out of fold; names are not looked at.

        Raises ValueError without labels, where rows do not match, where an answer is not one side, or where
        vectors are not of two sides.
        """
        require_trainable(KIND, items, labels, audit)
        require_one_hot(KIND, labels.targets)
        _require_sides(labels.space)
        there, back = order_by_id(items)
        items, labels = items.take(there), labels.take(there)
        differences = side_differences(items.vectors).astype(np.float64)
        signs: Numbers = np.where(labels.classes == 0, 1.0, -1.0)  # 1 where the left side is better
        strength, held_out = _choose_strength(differences, signs, assign_folds(labels.classes, rng))
        temperature = fit_temperature(_logits(held_out), labels.classes)
        weights = _fit(differences, signs, strength)
        head = PreferenceHead(weights.astype(np.float32), temperature, labels.space)
        believed = beliefs_from_chances(labels.ids, _chances(held_out / temperature), OUT_OF_FOLD)
        metrics: dict[str, float | None] = {
            "labels": float(len(labels)),
            "left_share": float((signs > 0).mean()),
            "inverse_regularisation": strength,
            "temperature": temperature,
            "out_of_fold_accuracy": float(same_rows(labels.targets, believed.answers).mean()),
        }
        return Trained(head, believed.take(back), metrics)

    def load(self, tensors: Tensors, space: LabelSpace) -> PreferenceHead:
        """The head that gave these tensors; raises ValueError or KeyError where they are not its own."""
        return PreferenceHead(tensors["weights"], float(tensors["temperature"].item()), space)

    def agree(self, given: Floats, answers: Floats) -> Floats:
        """1 for the same side, 0 for the other."""
        return same_rows(given, answers)

    def figures(
        self, labels: Labels, out_of_fold: Beliefs, *, blind: NDArray[np.bool_], rng: np.random.Generator
    ) -> Sequence[Figure]:
        """Accuracy, and beside it the share of the commoner side: what always naming that would reach."""
        require_blind(KIND, labels, len(out_of_fold), blind)
        given, answers = labels.targets[blind], out_of_fold.answers[blind]
        commoner = given.sum(axis=0).argmax() if len(given) else 0
        return (
            share_figure("accuracy", same_rows(given, answers)),
            share_figure("share of the commoner side", given[:, commoner]),
        )


def _choose_strength(differences: Numbers, signs: Numbers, folds: Rows) -> tuple[float, Numbers]:
    """The regularisation of least log loss on held-out rows, and the logits of left (n,) there."""
    classes = (signs < 0).astype(np.intp)
    found = []
    for strength in STRENGTHS if len(signs) >= FEWEST_TO_CHOOSE else (_USUAL_STRENGTH,):
        held_out = np.zeros(len(signs))
        for fold in np.unique(folds):
            mine = folds == fold
            held_out[mine] = differences[mine] @ _fit(differences[~mine], signs[~mine], strength)
        temperature = fit_temperature(_logits(held_out), classes)
        found.append((float(log_losses(_logits(held_out / temperature), classes).sum()), strength, held_out))
    _, strength, held_out = min(found, key=lambda each: each[0])
    return strength, held_out


def _fit(differences: Numbers, signs: Numbers, strength: float) -> Numbers:
    """Weights (d,) of least log loss + ||w||² / (2 C); zeros without rows. Deterministic."""
    from scipy.optimize import minimize  # takes a while to import, which those who only predict need not pay

    if not len(signs):
        return np.zeros(differences.shape[1])
    basis = _row_space(differences)
    rows = (differences @ basis) * signs[:, None]

    def loss(weights: Numbers) -> tuple[float, Numbers]:
        margins = rows @ weights
        value = np.logaddexp(0.0, -margins).sum() + 0.5 / strength * (weights @ weights)
        return float(value), weights / strength - rows.T @ expit(-margins)

    found = minimize(
        loss, np.zeros(basis.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": _MOST_STEPS}
    )
    weights: Numbers = basis @ found.x
    return weights


def _row_space(rows: Numbers) -> Numbers:
    """Orthonormal directions (d, r) that rows (n, d) span: fewer unknowns while labels are few."""
    if len(rows) >= rows.shape[1]:
        return np.eye(rows.shape[1])
    values, vectors = np.linalg.eigh(rows @ rows.T)
    keep = values > max(_KEEP * float(values[-1]), 1e-12)
    basis: Numbers = rows.T @ (vectors[:, keep] / np.sqrt(values[keep]))
    return basis


def _logits(left: Numbers) -> Floats:
    """Logits (n, 2) of both sides from that of the left one."""
    return np.stack([left / 2.0, -left / 2.0], axis=1).astype(np.float32)


def _chances(left: Numbers) -> Floats:
    """Chances (n, 2) of both sides from the logit of the left one; the negative logit gives them swapped."""
    return np.stack([expit(left), expit(-left)], axis=1).astype(np.float32)


def _require_sides(space: LabelSpace) -> None:
    if space.names != SIDES:
        raise ValueError(f"preference: the label space is {space.names}, not {SIDES}")
