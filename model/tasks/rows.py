"""Rows that a learner is given: checked, and in an order that does not depend on how they arrived."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.records import Embeddings, Floats, Labels

Rows = NDArray[np.intp]


def require_trainable(kind: str, items: Embeddings, labels: Labels, audit: NDArray[np.bool_]) -> None:
    """Raises ValueError without labels, where rows do not match, or where a number is not finite."""
    if not len(labels):
        raise ValueError(f"{kind}: there are no labels to train on")
    if not np.array_equal(items.ids, labels.ids):
        raise ValueError(f"{kind}: items and labels do not have the same ids in the same order")
    if audit.shape != (len(labels),) or audit.dtype != np.bool_:
        raise ValueError(f"{kind}: audit is {audit.dtype} {audit.shape} for {len(labels)} labels")
    if not np.isfinite(items.vectors).all():
        raise ValueError(f"{kind}: an embedding is not finite; embed these items again")
    if not np.isfinite(labels.targets).all():
        raise ValueError(f"{kind}: an answer is not a finite number; drop or repair it")


def require_one_hot(kind: str, targets: Floats) -> None:
    """Raises ValueError where a row (n, c) does not have a single 1 among zeros."""
    one_hot = np.isin(targets, (0.0, 1.0)).all(axis=1) & (targets.sum(axis=1) == 1.0)
    if not one_hot.all():
        raise ValueError(f"{kind}: {int((~one_hot).sum())} answers are not one of the choices")


def order_by_id(items: Embeddings) -> tuple[Rows, Rows]:
    """The order in which rows are looked at, and the one that undoes it, each (n,).

    Folds are dealt in the order of the ids, so that the same labels give the same head in whatever order
    they arrive.
    """
    there = np.argsort(items.ids, kind="stable")
    back = np.empty_like(there)
    back[there] = np.arange(len(there))
    return there, back


def require_blind(kind: str, labels: Labels, believed: int, blind: NDArray[np.bool_]) -> None:
    """Raises ValueError unless there is a belief and a mark for each label."""
    if believed != len(labels) or blind.shape != (len(labels),):
        raise ValueError(
            f"{kind}: {len(labels)} labels, {believed} beliefs, {blind.shape} marks of blind ones"
        )
