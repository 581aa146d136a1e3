"""Pictures of items as arrays: what tells the same ones and nearly the same ones, and what they look like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.encoders.looks import HASH_BYTES, STATISTICS, Look
from model.neighbours import Rows
from model.records import Floats

_CHUNK = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """What n items show; an item may show several pictures, or none.

    `contents` tells the same ones: equal words for equal pictures, empty for none. `hashes` (n, p, 32) are
    256 bits of each picture in turn, zeros beyond the `counts` (n,). `statistics` and `spoiled` (n, f) are
    means over an item's pictures as they are and as nobody would show them; not a number for none.
    """

    contents: Sequence[str]
    hashes: NDArray[np.uint8]
    counts: NDArray[np.intp]
    statistics: Floats
    spoiled: Floats

    def __len__(self) -> int:
        return len(self.contents)

    def take(self, rows: NDArray[np.intp]) -> Pictures:
        """Those of some items."""
        contents = [self.contents[row] for row in rows.tolist()]
        return Pictures(
            contents, self.hashes[rows], self.counts[rows], self.statistics[rows], self.spoiled[rows]
        )

    def distances(self, left: Rows, right: Rows) -> Floats:
        """Share of the bits that differ between items left[i] and right[i], (m,), in [0, 1].

        Of items with several pictures that of the two that differ most, in their order; 1 for items that do
        not show equally many, 0 for two that show none. The same whichever comes first.
        """
        parts = [np.zeros(0, dtype=np.float32)]
        for start in range(0, len(left), _CHUNK):
            one, other = left[start : start + _CHUNK], right[start : start + _CHUNK]
            bits = np.bitwise_count(self.hashes[one] ^ self.hashes[other]).sum(axis=2)
            share = bits.max(axis=1, initial=0) / (8.0 * HASH_BYTES)
            parts.append(np.where(self.counts[one] == self.counts[other], share, 1.0).astype(np.float32))
        return np.concatenate(parts)


def gather_pictures(contents: Sequence[str], looks: Sequence[Sequence[Look]]) -> Pictures:
    """Arrays of the looks of each item's pictures, in their order; `contents` as `Pictures` has them.

    Raises ValueError where there are not as many of one as of the other.
    """
    if len(contents) != len(looks):
        raise ValueError(f"gather_pictures: {len(contents)} contents and looks of {len(looks)} items")
    counts = np.array([len(shown) for shown in looks], dtype=np.intp)
    hashes = np.zeros((len(looks), max([1, *counts.tolist()]), HASH_BYTES), dtype=np.uint8)
    statistics = np.full((len(looks), len(STATISTICS)), np.nan, dtype=np.float32)
    spoiled = statistics.copy()
    for row, shown in enumerate(looks):
        for place, look in enumerate(shown):
            hashes[row, place] = look.bits
        if shown:
            statistics[row] = np.mean([look.statistics for look in shown], axis=0)
            spoiled[row] = np.mean([look.spoiled for look in shown], axis=0)
    return Pictures(contents, hashes, counts, statistics, spoiled)


def join_pictures(*parts: Pictures) -> Pictures:
    """Those of several groups of items, one after the other."""
    most = max(part.hashes.shape[1] for part in parts)
    hashes = [np.pad(part.hashes, ((0, 0), (0, most - part.hashes.shape[1]), (0, 0))) for part in parts]
    return Pictures(
        [content for part in parts for content in part.contents],
        np.concatenate(hashes),
        np.concatenate([part.counts for part in parts]),
        np.concatenate([part.statistics for part in parts]),
        np.concatenate([part.spoiled for part in parts]),
    )
