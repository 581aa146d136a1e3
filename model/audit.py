"""The audit sample: which items measure accuracy, decided by their ids alone.

Every id has a fixed number in [0, 1). The items with the smallest numbers are the audit set: a uniform
sample of the pool, the same on every machine and after every crash, that only ever grows at its end.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from model.records import Ids

ENOUGH_LABELS = 100  # audit labels after which the share falls to a third
DEFAULT_SHARE = 0.15

# Of items that get vectors, every so many-th is one that the audit asks for soon.
_EVERY = 4
# Items of either kind that get vectors before all others.
_AT_ONCE = 512

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = 0xFFFFFFFFFFFFFFFF


def audit_hash(ids: Ids, seed: int) -> NDArray[np.float64]:
    """A number in [0, 1) per id, as good as uniform and independent between ids and between seeds.

    splitmix64 (Steele, Lea and Flood, 2014) of id + splitmix64(seed), the upper 53 bits as a fraction.
    Never change it: it decides which of the stored labels were asked blind.
    """
    start = _splitmix(np.array([seed & _MASK], dtype=np.uint64))
    mixed = _splitmix(ids.astype(np.int64).view(np.uint64) + start)
    return (mixed >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def audit_quota(labels: int, *, share: float = DEFAULT_SHARE) -> int:
    """How many audit items belong to so many labels: `share` until 100 of them, then a third of it.

    Rounded up, so that the first label asked is an audit label; never falls as labels grow.
    """
    if labels < 0:
        raise ValueError(f"audit_quota: labels is {labels}; it cannot be negative")
    _require_share(share)
    if share == 0.0:
        return 0
    first = min(float(labels), ENOUGH_LABELS / share)
    return math.ceil(round(first * share + (labels - first) * share / 3.0, 9))


def labels_until(more: int, labels: int, *, share: float = DEFAULT_SHARE) -> int | None:
    """How many labels after `labels` bring so many `more` audit items; None when none ever come."""
    if share == 0.0 and more > 0:
        return None
    wanted = audit_quota(labels, share=share) + more
    low, high = 0, 1
    while audit_quota(labels + high, share=share) < wanted:
        low, high = high, 2 * high
    while low < high:
        middle = (low + high) // 2
        if audit_quota(labels + middle, share=share) < wanted:
            low = middle + 1
        else:
            high = middle
    return low


def audit_threshold(ids: Ids, seed: int, quota: int) -> float:
    """The number below which an id's audit hash makes it an audit item: `quota` of these ids are below."""
    if quota <= 0 or not len(ids):
        return 0.0
    if quota >= len(ids):
        return 1.0
    return float(np.partition(audit_hash(ids, seed), quota)[quota])


def audit_slots(window: int, share: float) -> NDArray[np.intp]:
    """Positions in a window of so many items that belong to audit items: evenly spread, ascending."""
    _require_share(share)
    count = round(max(window, 0) * share)
    slots: NDArray[np.intp] = np.floor((np.arange(count) + 0.5) * (window / max(count, 1))).astype(np.intp)
    return slots


def encoding_order(ids: Ids, seed: int, *, first: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Rows (n,) of items in the order in which they get vectors, by their audit hash.

    Where only a part of the pool has vectors, that part is a fair sample of it: a hash knows nothing of a
    text. Every fourth row has the smallest hash of those left, so that the audit items are there as early as
    they are asked for, the others have the largest: what a strategy asks of them comes into the audit sample
    last of all, and takes no blind place from it. `first` (n,) marks rows that come before the others, but
    for one part of these, so that there is something to order at once.
    """
    by_hash = np.argsort(audit_hash(ids, seed), kind="stable")
    soon, rest = by_hash[first[by_hash]], _from_both_ends(by_hash[~first[by_hash]])
    parts = (soon[:_AT_ONCE], rest[:_AT_ONCE], soon[_AT_ONCE:], rest[_AT_ONCE:])
    return np.concatenate(parts)


def _from_both_ends(rows: NDArray[np.intp]) -> NDArray[np.intp]:
    """Every fourth from the beginning, the others from the end."""
    early = -(-len(rows) // _EVERY)
    mixed = np.empty_like(rows)
    from_start = np.arange(len(rows)) % _EVERY == 0
    mixed[from_start], mixed[~from_start] = rows[:early], rows[early:][::-1]
    return mixed


def _splitmix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    with np.errstate(over="ignore"):  # arithmetic modulo 2^64 is what is meant
        mixed = values + np.uint64(_GOLDEN)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _require_share(share: float) -> None:
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"audit share is {share}; it must be from 0 to 1")
