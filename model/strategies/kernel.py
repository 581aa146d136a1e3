"""What the strategies share: uncertainty, closeness of unit vectors, and picking greedily by coverage.

k(x, y) = exp(-||x - y||² / bandwidth²), which for unit vectors is exp(-2 (1 - x·y) / bandwidth²).
"""

from __future__ import annotations

import heapq

import numpy as np

from model.margin import margins
from model.neighbours import nearest_cosine
from model.records import Floats
from model.strategies.inputs import Rows

SMALLEST_BANDWIDTH = 0.05  # twins have distance 0; a kernel needs some width
NEIGHBOUR = 20  # whose distance sets the bandwidth while nothing is labelled
_CHUNK = 4096  # rows of a matrix product at a time, so that memory stays small


def margin_uncertainty(probabilities: Floats) -> Floats:
    """1 - margin of each row (n, c): 0 when sure, 1 in a tie; 0 when there is one class."""
    uncertainty = 1.0 - margins(probabilities)
    return np.clip(uncertainty, 0.0, 1.0, out=uncertainty)


def class_balance(probabilities: Floats) -> Floats:
    """How rare the likely classes of each item are, (n,) in (0, 1]: the mean of 1 / sqrt(share), over p."""
    shares = np.maximum(probabilities.mean(axis=0), 1e-6)
    balance = probabilities @ (1.0 / np.sqrt(shares)).astype(np.float32)
    return np.asarray(balance / balance.max(), dtype=np.float32)


def kernel(vectors: Floats, others: Floats, *, bandwidth: float) -> Floats:
    """Closeness of every vector (n, d) to every other (m, d): (n, m) in (0, 1]."""
    return _from_cosine(vectors @ others.T, bandwidth)


def coverage(vectors: Floats, centres: Floats, *, bandwidth: float) -> Floats:
    """Closeness of each vector (n, d) to its nearest centre (m, d): (n,) in [0, 1]; 0 without centres."""
    if not len(centres):
        return np.zeros(len(vectors), dtype=np.float32)
    return _from_cosine(nearest_cosine(vectors, centres), bandwidth)


def spread_bandwidth(sample: Floats) -> float:
    """Median distance to the 20th neighbour in a sample (s, d): the bandwidth before any label."""
    neighbour = min(NEIGHBOUR, len(sample) - 1)
    if neighbour < 1:
        return 1.0
    cosines = -np.partition(-(sample @ sample.T), neighbour, axis=1)[:, neighbour]
    return max(float(np.median(_distance(cosines))), SMALLEST_BANDWIDTH)


def labelled_bandwidth(sample: Floats, labelled: Floats) -> float:
    """Median distance from a sample (s, d) to the nearest labelled item: shrinks as labels come in."""
    return max(float(np.median(_distance(nearest_cosine(sample, labelled)))), SMALLEST_BANDWIDTH)


def pick_sample(size: int, wanted: int, rng: np.random.Generator) -> Rows:
    """At most `wanted` of `size` rows, uniform, without repetition, ascending."""
    if size <= wanted:
        return np.arange(size)
    return np.sort(rng.choice(size, wanted, replace=False))


def most_uncertain(uncertainty: Floats, wanted: int, rng: np.random.Generator) -> Rows:
    """Rows of the `wanted` highest values, ascending by row; ties are broken at random.

    Takes time in proportion to the pool: nothing is sorted but what is chosen.
    """
    if len(uncertainty) <= wanted:
        return np.arange(len(uncertainty))
    least = np.partition(uncertainty, len(uncertainty) - wanted)[len(uncertainty) - wanted]
    above, ties = np.flatnonzero(uncertainty > least), np.flatnonzero(uncertainty == least)
    return np.sort(np.concatenate([above, ties[pick_sample(len(ties), wanted - len(above), rng)]]))


def pick_by_coverage(closeness: Floats, weights: Floats, *, covered: Floats, count: int) -> Rows:
    """Candidates in the order in which each adds the most weighted coverage of the reference.

    closeness (m, r) of candidates to reference items, weights (r,), covered (r,) so far. A gain can only
    shrink as others are picked, so an old gain is a bound and most candidates are never looked at again
    (lazy greedy; Minoux, 1978).
    """
    covered = covered.copy()
    gains = _gains(closeness, weights, covered)
    queue = [(-float(gain), row) for row, gain in enumerate(gains)]
    heapq.heapify(queue)
    picks: list[int] = []
    while queue and len(picks) < count:
        _, row = heapq.heappop(queue)
        gain = float(np.maximum(closeness[row] - covered, 0.0) @ weights)
        if queue and (-gain, row) > queue[0]:
            heapq.heappush(queue, (-gain, row))
            continue
        picks.append(row)
        np.maximum(covered, closeness[row], out=covered)
    return np.array(picks, dtype=np.intp)


def score_picks(picks: Rows, rest: Floats) -> Floats:
    """Scores (n,): the picks fall from 2 towards 1 in their order, all others keep `rest`, in [0, 1]."""
    values = np.clip(rest, 0.0, 1.0).astype(np.float32)
    values[picks] = 1.0 + (len(picks) - np.arange(len(picks), dtype=np.float32)) / max(len(picks), 1)
    return values


def _gains(closeness: Floats, weights: Floats, covered: Floats) -> Floats:
    gains = np.empty(len(closeness), dtype=np.float32)
    for start in range(0, len(closeness), _CHUNK):
        part = slice(start, start + _CHUNK)
        gains[part] = np.maximum(closeness[part] - covered, 0.0) @ weights
    return gains


def _from_cosine(cosines: Floats, bandwidth: float) -> Floats:
    closeness: Floats = np.minimum(cosines, 1.0) - np.float32(1.0)
    closeness *= np.float32(2.0 / bandwidth**2)
    np.exp(closeness, out=closeness)
    return closeness


def _distance(cosines: Floats) -> Floats:
    distance: Floats = np.sqrt(np.maximum(2.0 - 2.0 * cosines, 0.0))
    return distance
