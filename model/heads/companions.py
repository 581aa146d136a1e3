"""How loudly companions speak beside labelled rows: as loudly as held-out rows are foreseen best."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.calibration import calibrated_losses
from model.heads.fitting import HeadFitter
from model.heads.material import Material
from model.heads.pooling import pool_logits
from model.heads.selection import FEWEST_TO_CHOOSE, Candidate, choose_candidates
from model.records import Floats

LOUDNESS = (1.0, 0.3, 0.1, 0.0)
FEWEST_OF_A_CLASS = 5  # labelled rows of a class without which nobody can say what its companions do


@dataclass(frozen=True, slots=True, eq=False)
class Basis:
    """Candidates to pool, best first, what their pool says of held-out rows (n, c), and the loudness."""

    fitter: HeadFitter
    material: Material
    candidates: list[Candidate]
    logits: Floats
    loudness: float


def choose_basis(material: Material, *, name_vectors: Floats | None) -> Basis:
    """The settings and the loudness of companions with the least log loss on held-out labelled rows.

    Companions that help while labels are few can hurt when there are many: then they speak more softly, or
    not at all. Those of a class with fewer than five labelled rows always speak.
    """
    fitter = HeadFitter(material.embeddings, material.labels, name_vectors=name_vectors)
    with_names = name_vectors is not None
    best = _look_at(fitter, material, 1.0, with_names=with_names)
    quiet = _may_be_quiet(material)
    if material.measured < FEWEST_TO_CHOOSE or not quiet.any():
        return best
    classes = material.measured_labels.classes
    least = calibrated_losses(best.logits, classes).mean()
    for loudness in LOUDNESS[1:]:
        weights = np.where(quiet, material.weights * np.float32(loudness), material.weights)
        other = _look_at(fitter, replace(material, weights=weights), loudness, with_names=with_names)
        if (loss := calibrated_losses(other.logits, classes).mean()) < least:
            best, least = other, loss
    return best


def _look_at(fitter: HeadFitter, material: Material, loudness: float, *, with_names: bool) -> Basis:
    candidates = choose_candidates(fitter, material, with_names=with_names)
    logits = pool_logits([each.logits for each in candidates], material.measured_labels.classes)
    return Basis(fitter, material, candidates, logits, loudness)


def _may_be_quiet(material: Material) -> NDArray[np.bool_]:
    """Which rows (n + m,) are companions of a class that enough labelled rows can speak for."""
    classes = material.labels.classes
    labelled = np.bincount(classes[: material.measured], minlength=len(material.labels.space))
    quiet = labelled[classes] >= FEWEST_OF_A_CLASS
    quiet[: material.measured] = False
    return quiet
