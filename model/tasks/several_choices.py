"""The learner of several choices: any number of labels an item, each a question of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.heads.single_label import NAME_SCALE
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.task_type import OUT_OF_FOLD, Beliefs, Figure, Head, Tensors, Trained
from model.tasks.f1_interval import (
    Triple,
    macro_f1,
    macro_f1_interval,
    micro_f1,
    micro_f1_interval,
    subset_accuracy_interval,
)
from model.tasks.label_calibration import fit_power, fit_scaling, label_calibration_error
from model.tasks.label_fits import fit_labels
from model.tasks.label_folds import assign_label_folds
from model.tasks.label_thresholds import choose_thresholds
from model.tasks.several_choices_head import (
    Decision,
    SeveralChoicesHead,
    calibrated,
    load_head,
    log_all_right,
    names_head,
)

INVERSE_REGULARISATION = 20.0
_CLEARLY = 2.0  # nats by which heads without names must foresee the answers better, to be taken


class SeveralChoices:
    """One-vs-rest logistic regression, calibrated, with thresholds for the best F1.

    Everything that is chosen is chosen out of fold, and so is whether the labels' names
    help. Raises as `Learner` says.
    """

    kind = "several choices"

    def cold_start(self, names: Floats | None, space: LabelSpace) -> Trained | None:
        """The head of the labels' names; None without them, and for one label, with nothing to compare.

        It has no beliefs out of fold.
        """
        if names is None or len(space) == 1:
            return None
        head = names_head(names, space)
        nothing = Embeddings(np.zeros(0, np.int64), np.zeros((0, names.shape[1]), np.float32), "")
        return Trained(head, head.believe(nothing, OUT_OF_FOLD), {})

    def train(
        self,
        items: Embeddings,
        labels: Labels,
        *,
        names: Floats | None,
        audit: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> Trained:
        """A head from one label on. All rows choose thresholds and calibration, audit rows among them."""
        _require_rows(items, labels, names, audit)
        folds = assign_label_folds(labels.targets, rng)
        vectors = np.ascontiguousarray(items.vectors, dtype=np.float32)
        found = _fit(vectors, labels, folds, None)
        if names is not None:
            named = _fit(vectors, labels, folds, names)
            found = named if named.loss < found.loss + _CLEARLY else found
        decision = _decide(found.chances, labels.targets)
        weights, bias = np.ascontiguousarray(found.weights[:-1]), found.weights[-1].copy()
        head = SeveralChoicesHead(weights, bias, found.slope, found.shift, decision, labels.space)
        out_of_fold = decision.beliefs(items.ids, found.chances, OUT_OF_FOLD)
        return Trained(head, out_of_fold, _measure(out_of_fold, labels.targets) | found.metrics)

    def load(self, tensors: Tensors, space: LabelSpace) -> Head:
        """The head that gave these tensors; raises ValueError or KeyError where they are not its own."""
        return load_head(tensors, space)

    def agree(self, given: Floats, answers: Floats) -> Floats:
        """Labels in both over labels in either (Jaccard, 1912), (n,); two empty answers agree fully."""
        if given.shape != answers.shape:
            raise ValueError(f"agree: answers {given.shape} and {answers.shape}")
        both, either = (given > 0) & (answers > 0), (given > 0) | (answers > 0)
        union = either.sum(axis=1)
        shared = both.sum(axis=1) / np.maximum(union, 1)
        return np.where(union > 0, shared, 1.0).astype(np.float32)

    def figures(
        self, labels: Labels, out_of_fold: Beliefs, *, blind: NDArray[np.bool_], rng: np.random.Generator
    ) -> Sequence[Figure]:
        """Micro F1, macro F1 and subset accuracy by the blind rows; nothing drawn at random is needed."""
        if not len(labels) == len(out_of_fold) == len(blind):
            raise ValueError(f"figures: {len(labels)} labels, {len(out_of_fold)} beliefs, {len(blind)} marks")
        answers, targets = out_of_fold.answers[blind], labels.targets[blind]
        return (
            _figure("micro F1", micro_f1_interval(answers, targets), len(answers)),
            _figure("macro F1", macro_f1_interval(answers, targets), len(answers)),
            _figure("subset accuracy", subset_accuracy_interval(answers, targets), len(answers)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Weights (d + 1, c), their calibration, and chances (n, c) out of fold with their log loss in nats."""

    weights: Floats
    slope: float
    shift: float
    chances: Floats
    loss: float
    prior_weight: float

    @property
    def metrics(self) -> dict[str, float | None]:
        """What was chosen, as numbers."""
        return {"slope": self.slope, "shift": self.shift, "prior_weight": self.prior_weight}


def _fit(vectors: Floats, labels: Labels, folds: NDArray[np.intp], names: Floats | None) -> _Found:
    """One fit without each fold and one that misses none; the former calibrate the latter."""
    count = int(folds.max()) + 1
    fits = fit_labels(
        vectors,
        labels.targets,
        learns=(folds[:, None] != np.arange(count + 1)).astype(np.float32),
        prior=_prior(names, vectors.shape[1], len(labels.space)),
        inverse_regularisation=INVERSE_REGULARISATION,
    )
    logits = fits.logits[np.arange(len(labels)), folds]
    slope, shift = fit_scaling(logits, labels.targets)
    chances = calibrated(logits, slope, shift)
    loss = -float(log_all_right(chances, labels.targets).sum())
    return _Found(fits.weights[:, -1], slope, shift, chances, loss, float(names is not None))


def _prior(names: Floats | None, dimensions: int, labels: int) -> Floats:
    """Weights (d + 1, c) before any label: by the names, and as if each item had one label."""
    prior = np.zeros((dimensions + 1, labels), dtype=np.float32)
    if names is not None:
        prior[:-1] = NAME_SCALE * names.T
    prior[-1] = -np.log(max(labels - 1, 1))
    return prior


def _decide(chances: Floats, targets: Floats) -> Decision:
    allows_none = bool((~(targets > 0).any(axis=1)).any())
    decision = Decision(choose_thresholds(chances, targets), allows_none, power=1.0)
    answers = decision.answers(chances)
    right = ((answers > 0) == (targets > 0)).all(axis=1)
    return Decision(decision.thresholds, allows_none, fit_power(log_all_right(chances, answers), right))


def _measure(out_of_fold: Beliefs, targets: Floats) -> dict[str, float | None]:
    answers = out_of_fold.answers
    right = ((answers > 0) == (targets > 0)).all(axis=1)
    return {
        "micro_f1": micro_f1(answers, targets),
        "macro_f1": macro_f1(answers, targets),
        "subset_accuracy": float(right.mean()),
        "calibration_error": label_calibration_error(out_of_fold.values, targets),
    }


def _figure(name: str, found: Triple | None, rows: int) -> Figure:
    value, low, high = (None, None, None) if found is None else found
    return Figure(name, value, low, high, rows)


def _require_rows(items: Embeddings, labels: Labels, names: Floats | None, audit: NDArray[np.bool_]) -> None:
    if not len(labels):
        raise ValueError("train: there are no labels")
    if not np.array_equal(items.ids, labels.ids):
        raise ValueError("train: items and labels differ in their ids")
    if len(audit) != len(labels):
        raise ValueError(f"train: {len(audit)} audit marks for {len(labels)} labels")
    if not np.isin(labels.targets, (0.0, 1.0)).all():
        raise ValueError("train: a target is neither 0 nor 1")
    if not np.isfinite(items.vectors).all():
        raise ValueError("train: a vector is not finite; embed these items again")
    if names is not None and names.shape != (len(labels.space), items.vectors.shape[1]):
        raise ValueError(f"train: name vectors {names.shape} for {len(labels.space)} labels")
