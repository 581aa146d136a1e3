"""The k nearest neighbours of unit vectors by cosine: exact, or quicker by cells of a large base."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.records import Floats

Rows = NDArray[np.intp]

COMPARED_AT_ONCE = 4096  # base vectors; of a larger base only the cells around a query are looked at
PROBES = 4  # cells looked at for each query
_CHUNK, _CHUNK_OF_MANY = 4096, 1024  # queries at a time; fewer where the base is large


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """For each query its nearest base rows (q, k) and their cosines (q, k); -1 where none is."""

    rows: Rows
    cosines: Floats


def nearest(
    queries: Floats,
    base: Floats,
    *,
    count: int,
    own: Rows | None = None,
    in_order: bool = False,
    at_once: int = _CHUNK,
) -> Neighbours:
    """The `count` nearest base rows of each query, or all there are; the nearest first if `in_order`.

    Exact, in time q · b. `own` (q,) is the base row of the query itself, or -1: it comes last, its cosine
    -infinity. `at_once` queries are compared at a time, so that memory stays small.
    """
    count = min(count, len(base))
    rows: Rows = np.zeros((len(queries), count), dtype=np.intp)
    cosines = np.zeros((len(queries), count), dtype=np.float32)
    if count < 1:
        return Neighbours(rows, cosines)
    import torch  # takes seconds to import, which those who only predict need not pay

    for part in _parts(len(queries), at_once):
        found = queries[part] @ base.T
        if own is not None:
            itself = np.flatnonzero(own[part] >= 0)
            found[itself, own[part][itself]] = -np.inf
        # torch's selection of the largest is many times quicker than numpy's
        top = torch.topk(torch.from_numpy(found), count, dim=1, sorted=in_order)
        rows[part], cosines[part] = top.indices.numpy(), top.values.numpy()
    return Neighbours(rows, cosines)


def nearest_row(queries: Floats, base: Floats) -> Rows:
    """The nearest base row (q,) of each query; the first of several. Raises ValueError without a base."""
    parts = [(queries[part] @ base.T).argmax(axis=1) for part in _parts(len(queries))]
    return np.concatenate([np.zeros(0, dtype=np.intp), *parts])


def nearest_cosine(queries: Floats, base: Floats) -> Floats:
    """The cosine (q,) of each query to its nearest base row. Raises ValueError without a base."""
    cosines = np.empty(len(queries), dtype=np.float32)
    for part in _parts(len(queries)):
        cosines[part] = (queries[part] @ base.T).max(axis=1)
    return cosines


def find_neighbours(
    queries: Floats, base: Floats, *, count: int, rng: np.random.Generator, own: Rows | None = None
) -> Neighbours:
    """The `count` nearest base rows of each query, nearest first; `own` (q,) is its own base row, or -1.

    Exact for a base of a few thousand. A larger one is parted into cells around drawn vectors, and each query
    looks into the nearest cells only (an inverted file; Sivic and Zisserman, 2003).
    """
    wanted = count + (own is not None)
    rows: Rows = np.full((len(queries), wanted), -1, dtype=np.intp)
    cosines: Floats = np.full((len(queries), wanted), -1.0, dtype=np.float32)
    if not len(base) or not len(queries):
        return Neighbours(rows[:, :count], cosines[:, :count])
    cells = -(-len(base) // COMPARED_AT_ONCE)
    if cells <= PROBES:
        _merge(queries, base, np.arange(len(queries)), np.arange(len(base)), rows, cosines)
    else:
        centres = base[rng.permutation(len(base))[:cells]]
        of_base = nearest_row(base, centres)
        of_queries = np.argsort(-(queries @ centres.T), axis=1)[:, :PROBES]
        for cell in range(cells):
            asking = np.flatnonzero((of_queries == cell).any(axis=1))
            _merge(queries, base, asking, np.flatnonzero(of_base == cell), rows, cosines)
    if own is not None:
        rows, cosines = _without_own(rows, cosines, own)
    return Neighbours(rows[:, :count], cosines[:, :count])


def _merge(queries: Floats, base: Floats, asking: Rows, among: Rows, rows: Rows, cosines: Floats) -> None:
    """Merge the nearest of some base rows into what the asking queries have found so far."""
    wanted = rows.shape[1]
    found = nearest(queries[asking], base[among], count=wanted, in_order=True, at_once=_CHUNK_OF_MANY)
    both_cosines = np.concatenate([cosines[asking], found.cosines], axis=1)
    both_rows = np.concatenate([rows[asking], among[found.rows]], axis=1)
    order = np.argsort(-both_cosines, axis=1, kind="stable")[:, :wanted]
    cosines[asking] = np.take_along_axis(both_cosines, order, axis=1)
    rows[asking] = np.take_along_axis(both_rows, order, axis=1)


def _without_own(rows: Rows, cosines: Floats, own: Rows) -> tuple[Rows, Floats]:
    """Drop each query's own row where it was found, else its farthest neighbour."""
    is_own = (rows == own[:, None]) & (own[:, None] >= 0)
    drop = np.where(is_own.any(axis=1), is_own.argmax(axis=1), rows.shape[1] - 1)
    keep = np.arange(rows.shape[1]) != drop[:, None]
    shape = (len(rows), rows.shape[1] - 1)
    return rows[keep].reshape(shape), cosines[keep].reshape(shape)


def _parts(count: int, at_once: int = _CHUNK) -> Iterator[slice]:
    return (slice(start, start + at_once) for start in range(0, count, at_once))
