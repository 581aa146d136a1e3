"""Ridge regression (Hoerl and Kennard, 1970) that knows how far its answers may be off.

Answer(x) = offset + w · (x − centre). The regularisation is chosen by the absolute error of leave-one-out
answers, which ridge regression gives in closed form (PRESS; Allen, 1974). The spread of an answer grows with
the leverage of its item: with how little the labelled items say of where it lies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.heads.single_label import as_float32
from model.records import Floats

Numbers = NDArray[np.float64]

# What a squared weight costs, against a squared error; the last answers the mean whatever the item.
PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1e6)
_USUAL_PENALTY = 1.0
_MOST_DIRECTIONS = 256  # kept of the labelled items; others count as directions without labels
_KEEP = 1e-9  # directions of less than this share of the largest carry nothing but rounding
_PART = 8192  # rows worked out at a time


@dataclass(frozen=True, slots=True, eq=False)
class RidgeHead:
    """Weights (d,) and centre (d,), offset, and what the leverage needs, all finite.

    `directions` (r, d) are orthonormal, `squares` (r,) the squared length of the labelled items along each;
    `penalty` > 0; `labels` ≥ 1; `noise` ≥ 0 is the spread of one answer around what the head should say, in
    the unit of the numbers.
    """

    weights: Floats
    centre: Floats
    offset: float
    directions: Floats
    squares: Numbers
    penalty: float
    labels: int
    noise: float

    def __post_init__(self) -> None:
        width = (len(self.weights),)
        if self.weights.shape != width or self.centre.shape != width:
            raise ValueError(f"RidgeHead: weights {self.weights.shape}, centre {self.centre.shape}")
        if self.directions.shape != (len(self.squares), *width):
            raise ValueError(
                f"RidgeHead: directions {self.directions.shape}, squares {self.squares.shape} "
                f"for {len(self.weights)} dimensions"
            )
        for found in (self.weights, self.centre, self.directions, self.squares, self.offset, self.noise):
            if not np.isfinite(found).all():
                raise ValueError("RidgeHead: a number is not finite")
        if not (self.penalty > 0 and self.labels >= 1 and self.noise >= 0):
            raise ValueError(f"RidgeHead: penalty {self.penalty}, labels {self.labels}, noise {self.noise}")

    def answers(self, vectors: Floats) -> tuple[Numbers, Numbers]:
        """Answers (n,) to vectors (n, d) and their spread (n,); raises ValueError on other dimensions."""
        if vectors.ndim != 2 or vectors.shape[1] != len(self.weights):
            raise ValueError(f"RidgeHead: vectors {vectors.shape} for {len(self.weights)} dimensions")
        answers, leverages = np.zeros(len(vectors)), np.zeros(len(vectors))
        for part in _parts(len(vectors)):
            rows = as_float32(vectors[part]) - self.centre
            answers[part] = self.offset + (rows @ self.weights).astype(np.float64)
            leverages[part] = self._leverages(rows)
        return answers, self.noise * np.sqrt(1.0 + leverages)

    def _leverages(self, rows: Floats) -> Numbers:
        """How far centred rows (n, d) lie from what the labels tell, (n,) above 0."""
        along = np.square((rows @ self.directions.T).astype(np.float64))
        beside = np.maximum(np.square(rows.astype(np.float64)).sum(axis=1) - along.sum(axis=1), 0.0)
        within = along @ (1.0 / (self.squares + self.penalty))
        found: Numbers = 1.0 / self.labels + within + beside / self.penalty
        return found


@dataclass(frozen=True, slots=True, eq=False)
class RidgeFit:
    """A head, and of each labelled item (n,) the answer and its spread by a head that never saw it."""

    head: RidgeHead
    left_out: Numbers
    spreads: Numbers


def fit_ridge(vectors: Floats, numbers: Numbers) -> RidgeFit:
    """Fits numbers (n,) to vectors (n, d), two rows or more, not all numbers the same. Deterministic."""
    rows = as_float32(vectors).astype(np.float64)
    centre, offset, scale = rows.mean(axis=0), float(numbers.mean()), float(numbers.std())
    squares, basis = _directions(rows - centre)
    shares = np.square((rows - centre) @ basis) / squares  # of each row in each direction (n, r)
    scores = ((rows - centre) @ basis) / np.sqrt(squares)
    wanted = (numbers - offset) / scale
    projected = scores.T @ wanted
    found = []
    for penalty in PENALTIES if len(numbers) > 2 else (_USUAL_PENALTY,):
        shrink = squares / (squares + penalty)
        free = np.maximum(1.0 - 1.0 / len(numbers) - shares @ shrink, 1e-9)  # one less the leverage
        residuals = (wanted - scores @ (shrink * projected)) / free
        found.append((float(np.abs(residuals).mean()), penalty, residuals, free))
    _, penalty, residuals, free = min(found, key=lambda each: each[0])
    # As if one more label had been off by the spread of the numbers: a few are fitted well by chance.
    noise = float(np.sqrt((np.square(residuals) @ free + 1.0) / (len(numbers) + 1.0)))
    weights = basis @ (np.sqrt(squares) / (squares + penalty) * projected)
    most = slice(_MOST_DIRECTIONS)
    head = RidgeHead(
        weights=(scale * weights).astype(np.float32),
        centre=centre.astype(np.float32),
        offset=offset,
        directions=np.ascontiguousarray(basis[:, most].T, dtype=np.float32),
        squares=squares[most].copy(),
        penalty=penalty,
        labels=len(numbers),
        noise=scale * noise,
    )
    return RidgeFit(head, numbers - scale * residuals, scale * noise / np.sqrt(free))


def constant_head(vectors: Floats, number: float, *, noise: float) -> RidgeHead:
    """A head that answers one number; it is surer close to vectors (n, d) of labelled items."""
    rows = as_float32(vectors).astype(np.float64)
    centre = rows.mean(axis=0)
    squares, basis = _directions(rows - centre)
    most = slice(_MOST_DIRECTIONS)
    return RidgeHead(
        weights=np.zeros(rows.shape[1], dtype=np.float32),
        centre=centre.astype(np.float32),
        offset=number,
        directions=np.ascontiguousarray(basis[:, most].T, dtype=np.float32),
        squares=squares[most].copy(),
        penalty=_USUAL_PENALTY,
        labels=len(rows),
        noise=noise,
    )


def _directions(rows: Numbers) -> tuple[Numbers, Numbers]:
    """Squared lengths (r,), the largest first, and directions (d, r) of centred rows (n, d)."""
    few = len(rows) < rows.shape[1]
    values, vectors = np.linalg.eigh(rows @ rows.T if few else rows.T @ rows)
    keep = np.flatnonzero(values > max(_KEEP * float(values[-1]), 1e-12))[::-1]
    values, vectors = values[keep], vectors[:, keep]
    return values, rows.T @ (vectors / np.sqrt(values)) if few else vectors


def _parts(rows: int) -> Iterator[slice]:
    return (slice(start, start + _PART) for start in range(0, rows, _PART))
