"""Novelty scores: how unlike the labelled items of every class an item is.

Every score is computed for several variants of the known set at once, each of which leaves some
rows out, so that labelled items can be scored as if nobody had labelled them. Higher means more novel.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from model.novelty.density_ratio import density_ratio
from model.novelty.kernel import closeness, kernel_features, kernel_root
from model.novelty.known_set import KnownSet, Mask, Queries, class_means
from model.records import Floats

NARROW, WIDE = 4.5, 1.0  # kernel widths in units of the spread of the classes
NOISE = 0.1  # how far a label may be off, beside a kernel of 1 at distance 0
_CHUNK = 4096
_TINY = 1e-6


ScoreFunction = Callable[[KnownSet, Mask, Queries], Floats]


def narrow_kernel(known: KnownSet, excluded: Mask, queries: Queries) -> Floats:
    """Less the largest of the classes' Gaussian-process means, with a kernel that sees single items.

    Kemmler, Rodner and Denzler, 2013, One-class classification with Gaussian processes; one a class as
    in Bodesheim et al., 2015. Far from every label all means are 0; where classes meet, none is large.
    """
    return _kernel_score(known, excluded, queries, sharpness=NARROW / known.spread)


def wide_kernel(known: KnownSet, excluded: Mask, queries: Queries) -> Floats:
    """The same with a kernel that sees whole classes: nearly a linear classifier's largest output."""
    return _kernel_score(known, excluded, queries, sharpness=WIDE / known.spread)


def nearest_neighbour(known: KnownSet, excluded: Mask, queries: Queries) -> Floats:
    """Less the cosine to the nearest labelled item (Sun et al., 2022), with k = 1 as labels are few."""
    excluded = excluded[:, : known.items]
    patterns, of_row = np.unique(excluded, axis=1, return_inverse=True)  # (v, p): rows alike in all variants
    order = np.argsort(of_row, kind="stable")
    starts = np.searchsorted(of_row[order], np.arange(patterns.shape[1]))
    rows = known.vectors[order]
    found = np.empty((len(excluded), len(queries)), dtype=np.float32)
    for start in range(0, len(queries), _CHUNK):
        part = slice(start, start + _CHUNK)
        nearest = np.maximum.reduceat(queries.vectors[part] @ rows.T, starts, axis=1)  # (q, p)
        for variant, left_out in enumerate(patterns):
            found[variant, part] = -nearest[:, ~left_out].max(axis=1, initial=-1.0)  # -1: nothing is known
    return found


def relative_mahalanobis(known: KnownSet, excluded: Mask, queries: Queries) -> Floats:
    """Squared Mahalanobis distance to the nearest class mean, less that to the mean of all (Ren et al. 2021).

    Needs many classes: with few, the distance to the mean of all explains everything away.
    """
    found = np.empty((len(excluded), len(queries)), dtype=np.float32)
    for variant, left_out in enumerate(excluded):
        kept = np.flatnonzero(~left_out[: known.items])
        if len(kept) < 2:
            found[variant] = 0.0  # nothing is known, or no spread: nothing is nearer than anything else
            continue
        vectors, classes = known.vectors[kept], known.classes[kept]
        _, places = np.unique(classes, return_inverse=True)
        means = class_means(vectors, classes)
        middle = vectors.mean(axis=0)
        inside = _whitening(vectors - means[places])
        overall = _whitening(vectors - middle)
        centres = means @ inside
        for start in range(0, len(queries), _CHUNK):
            part = queries.vectors[start : start + _CHUNK]
            nearest = _squared_distances(part @ inside, centres).min(axis=1)
            found[variant, start : start + _CHUNK] = nearest - np.square((part - middle) @ overall).sum(
                axis=1
            )
    return found


SCORES: dict[str, ScoreFunction] = {
    "narrow-kernel": narrow_kernel,
    "wide-kernel": wide_kernel,
    "nearest-neighbour": nearest_neighbour,
    "relative-mahalanobis": relative_mahalanobis,
    "density-ratio": density_ratio,
}


def _kernel_score(known: KnownSet, excluded: Mask, queries: Queries, *, sharpness: float) -> Floats:
    landmarks = known.vectors[known.landmarks]
    weights = _kernel_weights(known.vectors, _one_hot(known.classes), excluded, landmarks, sharpness)
    found = np.empty((len(excluded), len(queries)), dtype=np.float32)
    for start in range(0, len(queries), _CHUNK):
        near = closeness(queries.vectors[start : start + _CHUNK], landmarks, sharpness)
        for variant, weight in enumerate(weights):
            found[variant, start : start + _CHUNK] = -(near @ weight).max(axis=1)
    return found


def _kernel_weights(
    rows: Floats, targets: Floats, excluded: Mask, landmarks: Floats, sharpness: float
) -> list[Floats]:
    """Ridge weights (m, c) of the landmarks, one for each variant; exact when all rows are landmarks."""
    root = kernel_root(landmarks, sharpness)
    features = kernel_features(rows, landmarks, sharpness, root)
    wanted = torch.from_numpy(targets)
    gram, moment = features.T @ features, features.T @ wanted
    weights = []
    for left_out in excluded:
        gone = features[torch.from_numpy(left_out)]
        kept_gram = (gram - gone.T @ gone).double()
        kept_gram.diagonal().add_(NOISE)
        kept_moment = (moment - gone.T @ wanted[torch.from_numpy(left_out)]).double()
        found = torch.cholesky_solve(kept_moment, torch.linalg.cholesky(kept_gram))
        weights.append(torch.linalg.solve_triangular(root.T, found, upper=True).float().numpy())
    return weights


def _one_hot(classes: NDArray[np.intp]) -> Floats:
    targets = np.zeros((len(classes), classes.max() + 1), dtype=np.float32)
    targets[np.arange(len(classes)), classes] = 1.0
    return targets


def _whitening(residuals: Floats) -> Floats:
    """Axes (d, d) on which residuals (n, d) have covariance 1, shrunk (Ledoit and Wolf, 2004)."""
    from sklearn.covariance import ledoit_wolf

    covariance, _ = ledoit_wolf(residuals.astype(np.float64), assume_centered=True)
    covariance[np.diag_indices_from(covariance)] += _TINY
    values, axes = np.linalg.eigh(covariance)
    whitening: Floats = (axes / np.sqrt(values)).astype(np.float32)
    return whitening


def _squared_distances(left: Floats, right: Floats) -> Floats:
    lengths = np.square(left).sum(axis=1)[:, None] + np.square(right).sum(axis=1)
    distances: Floats = np.maximum(lengths - 2.0 * (left @ right.T), 0.0)
    return distances
