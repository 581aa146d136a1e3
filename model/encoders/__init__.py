"""Frozen networks that turn items into unit vectors, and the shape they all share.

Importing this package loads no network library: take `text` or `hashing` for that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from model.records import Floats

Progress = Callable[[int], None]


class Encoder(Protocol):
    """What turns texts into vectors: the same text and revision always give the same vector."""

    @property
    def revision(self) -> str:
        """Name and fingerprint: `name@fingerprint`; vectors of different revisions never mix."""
        ...

    @property
    def dimensions(self) -> int:
        """Length d of every vector."""
        ...

    def encode(
        self, texts: Sequence[str], *, batch_size: int = 64, progress: Progress | None = None
    ) -> Floats:
        """Unit vectors (n, d) in the order of the texts; no texts give (0, d).

        `progress` is called after every batch with the number of texts just finished.
        """
        ...


@runtime_checkable
class ReadsPieces(Protocol):
    """An encoder that reads long texts in pieces, and may leave out the end of the longest."""

    @property
    def one_piece_revision(self) -> str:
        """Its revision if it read one piece of each text: the vector of a text of one piece is the same."""
        ...

    def reads_at_once(self, texts: Sequence[str]) -> list[bool]:
        """Whether each text is one piece."""
        ...

    def count_cut(self, texts: Sequence[str]) -> int:
        """How many texts are longer than what is read of them."""
        ...


@runtime_checkable
class MayReadNoWords(Protocol):
    """An encoder of items that may have no texts, so that a text has no vector to be compared with them."""

    @property
    def reads_words(self) -> bool:
        """Whether a text has a vector."""
        ...


@runtime_checkable
class EncodesNames(Protocol):
    """An image encoder that puts words beside pictures: a name lies where pictures of it lie."""

    def encode_names(self, names: Sequence[str]) -> Floats:
        """Unit vectors (n, d) in the space of the pictures; no names give (0, d)."""
        ...


def reads_words(encoder: Encoder) -> bool:
    """Whether texts can be compared with the items of an encoder."""
    return not isinstance(encoder, MayReadNoWords) or encoder.reads_words


@runtime_checkable
class CountsUnknown(Protocol):
    """An encoder that can say how much of some texts it does not know."""

    def unknown_share(self, texts: Sequence[str]) -> float:
        """Share of the pieces of all texts that stand for what is not in the vocabulary, 0 to 1."""
        ...
