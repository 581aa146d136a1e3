"""What its neighbours in the pool say of an item: what is new mostly comes in company."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.neighbours import nearest
from model.records import Embeddings, Floats

NEIGHBOURS = 20
REFERENCE = 5000  # items of the pool among which neighbours are looked for
LOCAL = 5  # the distance to this neighbour is what an item of the reference calls near
_STEEPNESS = 4
_TINY = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Items of the pool (r, d) and how far each calls near (r,)."""

    items: Embeddings
    near: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Neighbourhood:
    """For each item: rows (n, k) of the reference that are nearest, and their weights (n, k)."""

    rows: NDArray[np.intp]
    weights: Floats

    def smooth(self, own: Floats, reference: Floats) -> Floats:
        """Each item's score (n,) averaged over its neighbours, given scores (r,) of the reference."""
        total = own + (self.weights * reference[self.rows]).sum(axis=1)
        smoothed: Floats = total / (1.0 + self.weights.sum(axis=1))
        return smoothed

    def take(self, items: NDArray[np.intp]) -> Neighbourhood:
        """The neighbourhoods of some items."""
        return Neighbourhood(self.rows[items], self.weights[items])


def make_reference(items: Embeddings) -> Reference:
    """A reference that knows how dense it is around each of its items."""
    distances, _ = _nearest(items, items, count=LOCAL)
    near = distances.max(axis=1, initial=_TINY)
    near[~np.isfinite(near)] = _TINY  # an item without a neighbour calls nothing near
    return Reference(items, near.astype(np.float32))


def find_neighbourhood(items: Embeddings, reference: Reference) -> Neighbourhood:
    """The neighbours of each item; no item is its own.

    A neighbour weighs exp(-(distance / what it calls near)⁴), beside 1 for the item itself: an item that
    stands apart from a dense region is not drawn towards it (after the local scales of Zelnik-Manor and
    Perona, 2004).
    """
    distances, rows = _nearest(items, reference.items, count=NEIGHBOURS)
    weights = np.exp(-((distances / reference.near[rows]) ** _STEEPNESS))
    return Neighbourhood(rows, weights.astype(np.float32))


def _nearest(items: Embeddings, others: Embeddings, *, count: int) -> tuple[Floats, NDArray[np.intp]]:
    """Distances 1 - cosine (n, k) to the nearest others with another id, and their rows (n, k)."""
    own = None
    if len(others):
        by_id = np.argsort(others.ids)
        found = np.searchsorted(others.ids, items.ids, sorter=by_id)
        places = by_id[np.minimum(found, len(by_id) - 1)]
        own = np.where(others.ids[places] == items.ids, places, -1)
    near = nearest(items.vectors, others.vectors, count=count, own=own)
    return np.maximum(1.0 - near.cosines, _TINY), near.rows
