"""A rating: one grade of several that stand in an order, such as stars.

The head is a mean of two: one of cumulative chances, which knows that 4 lies between 3 and 5, and one of
plain classes, which can learn that a middle grade reads like neither of its neighbours. How much each counts
is chosen by the log loss on held-out labels. The answer is the median of the chances, which has the least
expected absolute error; the likeliest grade would be right more often and further off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.heads.ordinal import (
    Grades,
    Numbers,
    OrdinalHead,
    fit_ordinal,
    fit_ordinal_temperature,
    grade_chances,
)
from model.heads.single_label import LinearHead
from model.heads.training_set import assign_folds
from model.records import Embeddings, Floats, Ids, Labels, LabelSpace
from model.task_type import OUT_OF_FOLD, Beliefs, Figure, Tensors, Trained
from model.tasks.chances import same_rows, share_figure
from model.tasks.error_interval import error_figure
from model.tasks.rows import order_by_id, require_blind, require_one_hot, require_trainable

KIND = "rating"
STRENGTHS = (1.0, 3.0, 10.0, 30.0)  # inverse regularisations of the ordinal head
SHARES = (0.5, 0.75, 1.0, 0.25, 0.0)  # of the ordinal head in the mean; the first unless another is better
FEWEST_TO_CHOOSE = 10  # labels below which held-out ones do not tell settings apart
_USUAL_STRENGTH = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class RatingHead:
    """The mean of an ordinal and a plain head; `share` in [0, 1] of the ordinal one."""

    ordinal: OrdinalHead
    plain: LinearHead
    share: float

    def __post_init__(self) -> None:
        if len(self.ordinal.thresholds) + 1 != len(self.plain.space):
            raise ValueError(
                f"RatingHead: {len(self.ordinal.thresholds)} thresholds for {len(self.plain.space)} grades"
            )
        if len(self.ordinal.weights) != self.plain.dimensions:
            raise ValueError("RatingHead: the two heads take vectors of different dimensions")
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"RatingHead: the share of the ordinal head is {self.share}")

    @property
    def space(self) -> LabelSpace:
        """The grades, the lowest first."""
        return self.plain.space

    def believe(self, items: Embeddings, model_version: str) -> Beliefs:
        """Chances of each grade; raises ValueError on vectors of other dimensions."""
        plain = self.plain.probabilities(items, model_version).values
        chances = _mean(self.ordinal.chances(items.vectors), plain, self.share)
        return beliefs_from_grades(items.ids, chances, model_version)

    def tensors(self) -> Tensors:
        """Both heads: weights, thresholds or bias, temperatures, and the share (1,) of the ordinal one."""
        return {
            "ordinal.weights": self.ordinal.weights,
            "ordinal.thresholds": self.ordinal.thresholds,
            "ordinal.temperature": np.array([self.ordinal.temperature], dtype=np.float64),
            "plain.weights": self.plain.weights,
            "plain.bias": self.plain.bias,
            "plain.temperature": np.array([self.plain.temperature], dtype=np.float64),
            "share": np.array([self.share], dtype=np.float64),
        }


class Rating:
    """Learns which grade a person would give."""

    @property
    def kind(self) -> str:
        """`rating`."""
        return KIND

    def cold_start(self, names: Floats | None, space: LabelSpace) -> Trained | None:
        """None: the names of grades say nothing about items."""
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
        """Fits both heads and what each counts; names are not looked at.

        Raises ValueError without labels, where rows do not match or where an answer is not one grade.
        """
        from model.training import train  # takes seconds to import, which those who only predict need not pay

        require_trainable(KIND, items, labels, audit)
        require_one_hot(KIND, labels.targets)
        there, back = order_by_id(items)
        items, labels = items.take(there), labels.take(there)
        plain = train(items, labels, name_vectors=None, audit=audit[there], rng=rng)
        chosen = _choose_ordinal(items.vectors, labels, rng)
        ordinal = fit_ordinal(
            items.vectors,
            labels.classes,
            len(labels.space),
            inverse_regularisation=chosen.inverse_regularisation,
        )
        ordinal = replace(ordinal, temperature=chosen.temperature)
        share = _choose_share(chosen.held_out, plain.out_of_fold.values, labels.classes)
        chances = _mean(chosen.held_out, plain.out_of_fold.values, share)
        believed = beliefs_from_grades(labels.ids, chances, OUT_OF_FOLD)
        metrics = _metrics(labels, believed) | {
            "ordinal_inverse_regularisation": chosen.inverse_regularisation,
            "ordinal_temperature": ordinal.temperature,
            "ordinal_share": share,
        }
        return Trained(RatingHead(ordinal, plain.head, share), believed.take(back), metrics)

    def load(self, tensors: Tensors, space: LabelSpace) -> RatingHead:
        """The head that gave these tensors; raises ValueError or KeyError where they are not its own."""
        ordinal = OrdinalHead(
            tensors["ordinal.weights"],
            tensors["ordinal.thresholds"],
            float(tensors["ordinal.temperature"].item()),
        )
        plain = LinearHead(
            tensors["plain.weights"],
            tensors["plain.bias"],
            float(tensors["plain.temperature"].item()),
            space,
        )
        return RatingHead(ordinal, plain, float(tensors["share"].item()))

    def agree(self, given: Floats, answers: Floats) -> Floats:
        """1 for the same grade, 0 for the two furthest apart, and evenly between."""
        if given.shape != answers.shape:
            raise ValueError(f"agree: answers of {given.shape} beside answers of {answers.shape}")
        furthest = max(given.shape[1] - 1, 1)
        alike: Floats = (1.0 - _steps_apart(given, answers) / furthest).astype(np.float32)
        return alike

    def figures(
        self, labels: Labels, out_of_fold: Beliefs, *, blind: NDArray[np.bool_], rng: np.random.Generator
    ) -> Sequence[Figure]:
        """Mean absolute error in grades, from ten blind answers on, and the share of exact answers."""
        require_blind(KIND, labels, len(out_of_fold), blind)
        given, answers = labels.targets[blind], out_of_fold.answers[blind]
        error = error_figure(_steps_apart(given, answers), smallest=1.0)
        return error, share_figure("exact agreement", same_rows(given, answers))


def beliefs_from_grades(ids: Ids, chances: Numbers, model_version: str) -> Beliefs:
    """Beliefs from chances of grades (n, g), every row of which sums to 1.

    The answer is the median, the lower of two; confidence is the chance that it is exactly right, and
    uncertainty the expected distance from it, in grades.
    """
    count = chances.shape[1]
    median = np.minimum((chances.cumsum(axis=1) < 0.5 - 1e-9).sum(axis=1), count - 1)
    distances = np.abs(np.arange(count)[None, :] - median[:, None])
    values = chances.astype(np.float32)
    answers = np.eye(count, dtype=np.float32)[median]
    confidence = np.clip(values[np.arange(len(values)), median], 0.0, 1.0)
    uncertainty = (chances * distances).sum(axis=1).astype(np.float32)
    return Beliefs(ids, values, answers, confidence, uncertainty, values, model_version)


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """A regularisation, its best temperature, and the chances (n, g) of heads that missed a row's fold."""

    inverse_regularisation: float
    temperature: float
    held_out: Numbers


def _choose_ordinal(vectors: Floats, labels: Labels, rng: np.random.Generator) -> _Candidate:
    """The regularisation and temperature of least log loss on held-out rows."""
    grades, count = labels.classes, len(labels.space)
    folds = assign_folds(grades, rng)
    strengths = STRENGTHS if len(labels) >= FEWEST_TO_CHOOSE else (_USUAL_STRENGTH,)
    candidates = []
    for strength in strengths:
        places, thresholds = _hold_out(vectors, grades, folds, count, strength)
        temperature = fit_ordinal_temperature(places, thresholds, grades)
        candidates.append(_Candidate(strength, temperature, grade_chances(places, thresholds, temperature)))
    return min(candidates, key=lambda each: _log_loss(each.held_out, grades))


def _hold_out(
    vectors: Floats, grades: Grades, folds: Grades, count: int, strength: float
) -> tuple[Numbers, Numbers]:
    """Places (n,) and thresholds (n, g − 1) of each row by a head that did not learn from its fold."""
    places, thresholds = np.zeros(len(grades)), np.zeros((len(grades), count - 1))
    for fold in np.unique(folds):
        mine = folds == fold
        head = fit_ordinal(vectors[~mine], grades[~mine], count, inverse_regularisation=strength)
        places[mine], thresholds[mine] = head.places(vectors[mine]), head.thresholds
    return places, thresholds


def _choose_share(ordinal: Numbers, plain: Floats, grades: Grades) -> float:
    """What the ordinal head counts in the mean with the least log loss on held-out rows."""
    if len(grades) < FEWEST_TO_CHOOSE:
        return SHARES[0]
    return min(SHARES, key=lambda share: _log_loss(_mean(ordinal, plain, share), grades))


def _mean(ordinal: Numbers, plain: Floats, share: float) -> Numbers:
    mixed: Numbers = share * ordinal + (1.0 - share) * plain
    return mixed


def _log_loss(chances: Numbers, grades: Grades) -> float:
    """In nats a row."""
    return float(-np.log(np.maximum(chances[np.arange(len(grades)), grades], 1e-12)).mean())


def _steps_apart(given: Floats, answers: Floats) -> Floats:
    """How many grades lie between two answers (n, g), each row one-hot."""
    steps: Floats = np.abs(given.argmax(axis=1) - answers.argmax(axis=1)).astype(np.float32)
    return steps


def _metrics(labels: Labels, believed: Beliefs) -> dict[str, float | None]:
    return {
        "labels": float(len(labels)),
        "classes_seen": float(len(np.unique(labels.classes))),
        "out_of_fold_mae": float(_steps_apart(labels.targets, believed.answers).mean()),
        "out_of_fold_accuracy": float(same_rows(labels.targets, believed.answers).mean()),
    }
