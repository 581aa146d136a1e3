"""How real the synthetic set looks: a two-sample test, and density and coverage of each class."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from model.heads.fitting import HeadFitter
from model.heads.training_set import assign_folds
from model.neighbours import find_neighbours
from model.records import Embeddings, Floats, Labels, LabelSpace

NEAREST = 5
MOST = 4000  # items of a side from which the classifier learns
_STRENGTH = 1.0


@dataclass(frozen=True, slots=True)
class ClassRealism:
    """One class: density (about 1 where synthetic items lie as real ones do) and coverage of the real."""

    column: int
    real: int
    synthetic: int
    density: float
    coverage: float


@dataclass(frozen=True, slots=True, eq=False)
class Realism:
    """Accuracy of telling real from synthetic (0.5: nobody can), p value, and P(real) of each item (s,)."""

    accuracy: float
    p_value: float
    items: Floats
    classes: tuple[ClassRealism, ...]


def measure_realism(
    real: Embeddings, real_labels: Labels, synthetic: Embeddings, intended: Labels, rng: np.random.Generator
) -> Realism:
    """Two-sample test by a classifier (Lopez-Paz and Oquab, 2017), density and coverage (Naeem et al., 2020).

    Both sides count alike whatever their sizes; every item is judged by a classifier that did not see it.
    """
    if not len(real) or not len(synthetic):
        return Realism(0.5, 1.0, np.full(len(synthetic), 0.5, dtype=np.float32), ())
    test = _test_two_samples(real, synthetic, rng)
    columns = sorted(set(intended.classes.tolist()))
    classes = tuple(
        _of_class(
            column,
            real.vectors[real_labels.classes == column],
            synthetic.vectors[intended.classes == column],
            rng,
        )
        for column in columns
    )
    return replace(test, classes=classes)


def measure_set_realism(
    real: Embeddings, real_labels: Labels, synthetic: Embeddings, intended: Labels, rng: np.random.Generator
) -> Realism:
    """The same where items carry any number of labels: an item counts for each label that it carries."""
    if not len(real) or not len(synthetic):
        return Realism(0.5, 1.0, np.full(len(synthetic), 0.5, dtype=np.float32), ())
    test = _test_two_samples(real, synthetic, rng)
    classes = tuple(
        _of_class(
            int(column),
            real.vectors[real_labels.targets[:, column] > 0],
            synthetic.vectors[intended.targets[:, column] > 0],
            rng,
        )
        for column in np.flatnonzero((intended.targets > 0).any(axis=0))
    )
    return replace(test, classes=classes)


def _test_two_samples(real: Embeddings, synthetic: Embeddings, rng: np.random.Generator) -> Realism:
    probability = _tell_apart(real.vectors, synthetic.vectors, rng)
    seen_real, seen_synthetic = probability[: len(real)], probability[len(real) :]
    accuracy = 0.5 * float((seen_real > 0.5).mean()) + 0.5 * float((seen_synthetic < 0.5).mean())
    spread = math.sqrt(0.0625 / len(real) + 0.0625 / len(synthetic))
    p_value = 0.5 * math.erfc((accuracy - 0.5) / spread / math.sqrt(2.0))
    return Realism(accuracy, p_value, seen_synthetic.astype(np.float32), ())


def _tell_apart(real: Floats, synthetic: Floats, rng: np.random.Generator) -> Floats:
    """P(real) out of fold of all items, the real ones first, when both sides are as likely."""
    is_real = np.concatenate([np.ones(len(real), dtype=np.intp), np.zeros(len(synthetic), dtype=np.intp)])
    total = len(is_real)
    folds = assign_folds(is_real, rng)
    learns = np.zeros(total, dtype=np.bool_)
    for side in (0, 1):
        rows = np.flatnonzero(is_real == side)
        learns[rng.permutation(rows)[:MOST]] = True
    number = np.arange(int(folds.max()) + 1)
    weights = (folds[:, None] != number) * learns[:, None] * 1.0
    for side in (0, 1):
        weights[is_real == side] *= 200.0 / np.maximum(weights[is_real == side].sum(axis=0), 1.0)
    ids = np.arange(total)
    targets = np.eye(2, dtype=np.float32)[is_real]
    fitter = HeadFitter(
        Embeddings(ids, np.concatenate([real, synthetic]), "any"),
        Labels(ids, targets, LabelSpace(("synthetic", "real"))),
        name_vectors=None,
    )
    fit = fitter.fit(
        torch.from_numpy(weights).float(),
        prior_weights=torch.zeros(len(number)),
        inverse_regularisation=_STRENGTH,
        tolerance=0.05,
        max_iterations=50,
    )
    logits = fit.logits.numpy()[ids, folds]
    probability: Floats = 1.0 / (1.0 + np.exp(logits[:, 0] - logits[:, 1]))
    return probability


def _of_class(column: int, mine: Floats, made: Floats, rng: np.random.Generator) -> ClassRealism:
    """Density and coverage of one class; 0 where it has too few real items to have a neighbourhood."""
    nearest = min(NEAREST, len(mine) - 1)
    if nearest < 1:
        return ClassRealism(column, len(mine), len(made), 0.0, 0.0)
    own = np.arange(len(mine))
    radius = find_neighbours(mine, mine, count=nearest, rng=rng, own=own).cosines[:, -1]  # (m,)
    inside = np.zeros(len(mine), dtype=np.intp)
    for start in range(0, len(made), 1024):
        inside += (mine @ made[start : start + 1024].T >= radius[:, None]).sum(axis=1)
    density = float(inside.sum()) / (nearest * len(made))
    return ClassRealism(column, len(mine), len(made), density, float((inside > 0).mean()))
