"""The sample weight of auxiliary data beside labelled rows: the one with the least loss on held-out rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.calibration import calibrated_losses
from model.heads.ensemble import ensemble_logits
from model.heads.fitting import HeadFitter
from model.heads.selection import FEWEST_TO_CHOOSE, Candidate, choose_candidates
from model.heads.training_set import TrainingSet
from model.records import Floats

AUXILIARY_WEIGHTS = (1.0, 0.3, 0.1, 0.0)  # beside 1 of a labelled row
FEWEST_OF_A_CLASS = 5  # labelled rows of a class without which nobody can say what its auxiliary data do


@dataclass(frozen=True, slots=True, eq=False)
class Selected:
    """The ensemble's candidates, best first, its logits of held-out rows (n, c), and the sample weight."""

    fitter: HeadFitter
    training_set: TrainingSet
    candidates: list[Candidate]
    logits: Floats
    auxiliary_weight: float


def choose_sample_weight(training_set: TrainingSet, *, name_vectors: Floats | None) -> Selected:
    """The settings and the weight of auxiliary data with the least log loss on held-out labelled rows.

    Auxiliary data that help while labels are few can hurt when there are many: then they weigh less, or
    nothing. Those of a class with fewer than five labelled rows always weigh as much as labelled rows
    (after Wu and Dietterich, 2004, Improving SVM accuracy by training on auxiliary data sources).
    """
    fitter = HeadFitter(training_set.embeddings, training_set.labels, name_vectors=name_vectors)
    with_names = name_vectors is not None
    best = _select(fitter, training_set, 1.0, with_names=with_names)
    reducible = _may_weigh_less(training_set)
    if training_set.measured < FEWEST_TO_CHOOSE or not reducible.any():
        return best
    classes, given = training_set.measured_labels.classes, training_set.sample_weights
    least = calibrated_losses(best.logits, classes).mean()
    for weight in AUXILIARY_WEIGHTS[1:]:
        reduced = replace(training_set, sample_weights=np.where(reducible, given * np.float32(weight), given))
        other = _select(fitter, reduced, weight, with_names=with_names)
        if (loss := calibrated_losses(other.logits, classes).mean()) < least:
            best, least = other, loss
    return best


def _select(fitter: HeadFitter, training_set: TrainingSet, weight: float, *, with_names: bool) -> Selected:
    candidates = choose_candidates(fitter, training_set, with_names=with_names)
    logits = ensemble_logits([each.logits for each in candidates], training_set.measured_labels.classes)
    return Selected(fitter, training_set, candidates, logits, weight)


def _may_weigh_less(training_set: TrainingSet) -> NDArray[np.bool_]:
    """Which rows (n + m,) are auxiliary data of a class that enough labelled rows can speak for."""
    classes = training_set.labels.classes
    labelled = np.bincount(classes[: training_set.measured], minlength=len(training_set.labels.space))
    reducible = labelled[classes] >= FEWEST_OF_A_CLASS
    reducible[: training_set.measured] = False
    return reducible
