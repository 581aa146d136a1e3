"""Folds of rows that hold several labels each."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.heads.training_set import FOLDS
from model.records import Floats


def assign_label_folds(targets: Floats, rng: np.random.Generator) -> NDArray[np.intp]:
    """The fold (n,) of each row of multi-hot targets (n, c): at most 5, every label spread as it can be.

    Iterative stratification (Sechidis et al., 2011): rows of the rarest label are dealt out first, each to
    the fold that has fewest rows of that label, then fewest rows. Rows without a label come last.
    """
    rows, labels = targets.shape
    count = min(FOLDS, max(rows, 1))
    folds = np.full(rows, -1, dtype=np.intp)
    held = np.zeros((count, labels + 1))  # rows of each label in each fold; the last column counts all rows
    shuffled = rng.permutation(rows)
    given = targets > 0
    for label in np.argsort(given.sum(axis=0), kind="stable"):
        for row in shuffled[given[shuffled, label] & (folds[shuffled] < 0)]:
            _deal(row, int(label), given, folds, held)
    for row in shuffled[folds[shuffled] < 0]:
        _deal(row, labels, given, folds, held)
    return folds


def _deal(
    row: int, label: int, given: NDArray[np.bool_], folds: NDArray[np.intp], held: NDArray[np.float64]
) -> None:
    fold = int(np.lexsort((held[:, -1], held[:, label]))[0])
    folds[row] = fold
    held[fold, :-1] += given[row]
    held[fold, -1] += 1.0
