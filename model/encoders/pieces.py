"""Where a text that is longer than a network reads at once is cut: after a sentence, else after a word."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

Offsets = Sequence[tuple[int, int]]

_ENDS_OF_SENTENCES = ".!?…。！？"
# A piece that ends with a sentence is at least this full: else a text of short sentences fell to crumbs.
_FULLEST_SHARE = 0.5


def cut(text: str, offsets: Offsets, *, size: int, pieces: int) -> list[tuple[int, int]]:
    """First token and the one after the last of each piece, in order; the pieces follow without a gap.

    `offsets` say where in `text` each token stands (start, end, in characters), as a tokenizer gives them.
    No piece has more than `size` tokens. What is left after `pieces` of them is in none.
    Raises ValueError when `size` or `pieces` is below 1.
    """
    if size < 1 or pieces < 1:
        raise ValueError(f"cut: size is {size} and pieces {pieces}; both must be 1 or more")
    sentences, words = _ends(text, offsets)
    found: list[tuple[int, int]] = []
    start = 0
    while start < len(offsets) and len(found) < pieces:
        end = min(start + size, len(offsets))
        if end < len(offsets):
            half = start + max(1, int(size * _FULLEST_SHARE))
            end = _last(sentences, half, end) or _last(words, half, end) or end
        found.append((start, end))
        start = end
    return found


def _ends(text: str, offsets: Offsets) -> tuple[list[bool], list[bool]]:
    """Whether a sentence, and whether a word, ends before each token."""
    sentences, words = [False] * len(offsets), [False] * len(offsets)
    for place, ((_, end), (start, after)) in enumerate(pairwise(offsets), start=1):
        # some tokenizers count the blank before a word to its token
        begun = text[start:after]
        gap = text[end:start] + begun[: len(begun) - len(begun.lstrip())]
        words[place] = bool(gap)
        last = text[end - 1 : end]
        sentences[place] = "\n" in gap or (last in _ENDS_OF_SENTENCES and (bool(gap) or not last.isascii()))
    return sentences, words


def _last(ends: Sequence[bool], first: int, last: int) -> int:
    """The last place from `first` to `last` before which something ends; 0 where there is none."""
    return next((place for place in range(last, first - 1, -1) if ends[place]), 0)
