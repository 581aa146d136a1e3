"""Where the vector of a key lies, by the keys of all segments of an encoder.

Looked up by the first eight bytes of the key in a sorted array; what that finds is compared as a whole. Keys
are SHA-256, so that two with the same beginning come from somebody who looked for them: the array is walked
back then. New keys gather in a dict, which goes into the array once it has an eighth of its size, so that a
million keys that come in small batches are sorted a few dozen times and not two thousand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backend.vector_files.segment import KEY_BYTES, Keys, Rows

# A place is the number of its segment and its row: segment * _ROWS + row.
_ROWS: Final = 1 << 40
NOWHERE: Final = -1
_OF_NOTHING: Final = "00" * KEY_BYTES
_FEWEST_TO_SORT = 4096
_SHARE_TO_SORT = 8


def place_of(segment: int, rows: Rows) -> Rows:
    """Places of rows of a segment, by its number."""
    return segment * _ROWS + rows


def split_places(places: Rows) -> tuple[Rows, Rows]:
    """The numbers of segments, and the rows in them."""
    return places // _ROWS, places % _ROWS


class KeyIndex:
    """Places by key; of a key that was added twice, the later one."""

    def __init__(self, read_keys: Callable[[Rows], Keys]) -> None:
        """`read_keys` gives the whole keys (n, 32) that lie at some places (n,)."""
        self._read_keys = read_keys
        self._beginnings = np.zeros(0, dtype=np.uint64)
        self._places: Rows = np.zeros(0, dtype=np.int64)
        self._recent: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self._places) + len(self._recent)

    def add(self, keys: Keys, places: Rows) -> None:
        """Takes in keys (n, 32) and their places (n,)."""
        if len(keys) < _FEWEST_TO_SORT and self._are_new(names := _as_bytes(keys)):
            self._recent.update(zip(names, places.tolist(), strict=True))
        else:
            self._sort_in_recent()
            self._sort_in(_beginnings(keys), places)
        if len(self._recent) > max(_FEWEST_TO_SORT, len(self._places) // _SHARE_TO_SORT):
            self._sort_in_recent()

    def drop(self, places: Rows) -> None:
        """Forgets some places, in whatever order; a key that was also added elsewhere is found there."""
        self._sort_in_recent()
        kept = ~np.isin(self._places, places)
        self._beginnings, self._places = self._beginnings[kept], self._places[kept]

    def find(self, keys: Keys) -> Rows:
        """Places (n,) of keys (n, 32); NOWHERE for those that were never added."""
        found = np.full(len(keys), NOWHERE, dtype=np.int64)
        if len(self._places):
            found = self._search(keys)
        if self._recent:
            recent = self._recent
            found[:] = [
                recent.get(key, place) for key, place in zip(_as_bytes(keys), found.tolist(), strict=True)
            ]
        return found

    def _are_new(self, names: list[bytes]) -> bool:
        """Whether keys are different and not among the recent ones: a dict would forget the earlier place."""
        return len(set(names)) == len(names) and self._recent.keys().isdisjoint(names)

    def _search(self, keys: Keys) -> Rows:
        wanted = _beginnings(keys)
        # the last of equal ones is the one that was added last
        at = np.searchsorted(self._beginnings, wanted, side="right") - 1
        begins_so = (at >= 0) & (self._beginnings[at] == wanted)
        found = np.full(len(keys), NOWHERE, dtype=np.int64)
        found[begins_so] = self._places[at[begins_so]]
        candidates = np.flatnonzero(begins_so)
        is_other = (self._read_keys(found[candidates]) != keys[candidates]).any(axis=1)
        for row in candidates[is_other].tolist():
            found[row] = self._walk_back(keys[row], wanted[row], int(at[row]) - 1)
        return found

    def _walk_back(self, key: Keys, beginning: np.uint64, at: int) -> int:
        while at >= 0 and self._beginnings[at] == beginning:
            if (self._read_keys(self._places[at : at + 1])[0] == key).all():
                return int(self._places[at])
            at -= 1
        return NOWHERE

    def _sort_in_recent(self) -> None:
        if not self._recent:
            return
        keys = np.frombuffer(b"".join(self._recent), dtype=np.uint8).reshape(-1, KEY_BYTES)
        self._sort_in(_beginnings(keys), np.array(list(self._recent.values()), dtype=np.int64))
        self._recent = {}

    def _sort_in(self, beginnings: NDArray[np.uint64], places: Rows) -> None:
        together = np.concatenate([self._beginnings, beginnings])
        order = np.argsort(together, kind="stable")
        self._beginnings = together[order]
        self._places = np.concatenate([self._places, places])[order]


def pack_keys(keys: Sequence[str]) -> Keys:
    """Hashes in hex as bytes (n, 32). Raises ValueError where one is no SHA-256.

    An empty one is that of what shows nothing, which nobody ever encodes.
    """
    packed = np.frombuffer(bytes.fromhex("".join(key or _OF_NOTHING for key in keys)), dtype=np.uint8)
    if len(packed) != len(keys) * KEY_BYTES:
        raise ValueError("vectors are kept by SHA-256 alone")
    return packed.reshape(len(keys), KEY_BYTES)


def _beginnings(keys: Keys) -> NDArray[np.uint64]:
    return np.ascontiguousarray(keys[:, :8]).view(np.uint64).reshape(len(keys))


def _as_bytes(keys: Keys) -> list[bytes]:
    buffer = np.ascontiguousarray(keys).tobytes()
    return [buffer[start : start + KEY_BYTES] for start in range(0, len(buffer), KEY_BYTES)]
