"""The nearest of many unit vectors, in time that grows with the number of items and no faster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from model.records import Floats

Rows = NDArray[np.intp]

COMPARED_AT_ONCE = 4096  # base vectors; of a larger base only the cells around a query are looked at
PROBES = 4  # cells looked at for each query
_CHUNK = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """For each query its nearest base rows (q, k), nearest first, and cosines (q, k); -1 where none is."""

    rows: Rows
    cosines: Floats


def find_neighbours(
    queries: Floats, base: Floats, *, count: int, rng: np.random.Generator, own: Rows | None = None
) -> Neighbours:
    """The `count` nearest base rows of each query; `own` (q,) is the base row of the query itself, or -1.

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
        _search(queries, base, np.arange(len(queries)), np.arange(len(base)), rows, cosines)
    else:
        centres = base[rng.permutation(len(base))[:cells]]
        of_base = (base @ centres.T).argmax(axis=1)
        of_queries = np.argsort(-(queries @ centres.T), axis=1)[:, :PROBES]
        for cell in range(cells):
            asking = np.flatnonzero((of_queries == cell).any(axis=1))
            _search(queries, base, asking, np.flatnonzero(of_base == cell), rows, cosines)
    if own is not None:
        rows, cosines = _without_own(rows, cosines, own)
    return Neighbours(rows[:, :count], cosines[:, :count])


def _search(queries: Floats, base: Floats, asking: Rows, among: Rows, rows: Rows, cosines: Floats) -> None:
    """Merge the nearest of some base rows into what the asking queries have found so far."""
    wanted = rows.shape[1]
    part = base[among]
    for start in range(0, len(asking), _CHUNK):
        some = asking[start : start + _CHUNK]
        closeness = torch.from_numpy(queries[some] @ part.T)
        best = torch.topk(closeness, min(wanted, len(among)), dim=1)
        found_cosines = np.concatenate([cosines[some], best.values.numpy()], axis=1)
        found_rows = np.concatenate([rows[some], among[best.indices.numpy()]], axis=1)
        order = np.argsort(-found_cosines, axis=1, kind="stable")[:, :wanted]
        cosines[some] = np.take_along_axis(found_cosines, order, axis=1)
        rows[some] = np.take_along_axis(found_rows, order, axis=1)


def _without_own(rows: Rows, cosines: Floats, own: Rows) -> tuple[Rows, Floats]:
    """Drop each query's own row where it was found, else its farthest neighbour."""
    is_own = (rows == own[:, None]) & (own[:, None] >= 0)
    drop = np.where(is_own.any(axis=1), is_own.argmax(axis=1), rows.shape[1] - 1)
    keep = np.arange(rows.shape[1]) != drop[:, None]
    shape = (len(rows), rows.shape[1] - 1)
    return rows[keep].reshape(shape), cosines[keep].reshape(shape)
