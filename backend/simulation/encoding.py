"""Encodes what rows show, each different text and picture once, as the live loop does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from backend.context import Context
from backend.label_studio.tasks import content_hash
from backend.simulation.pages import Pages
from backend.workflows.intake.embed import embed_texts
from backend.workflows.intake.encoder_choice import encoder_name_of_texts, encoder_of_texts
from backend.workflows.project.progress import Progress
from model.encoders import Encoder, reads_words
from model.encoders.joined import JoinedEncoder, Layout
from model.records import Floats

_CHUNK = 512
# Rows whose vectors are joined together.
_JOINED_TOGETHER: Final = 256


class Item(Protocol):
    """What a row shows: a text, which may be empty beside pictures, and pictures that were read."""

    @property
    def text(self) -> str:
        """Its text."""
        ...

    @property
    def pictures(self) -> tuple[Pages, ...]:
        """Those of each object that shows any."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class EncodedItems:
    """Unit vectors (n, d) of items and (m, d) of names, None where names say nothing of what items show."""

    items: Floats
    names: Floats | None
    revision: str


def encode_items(
    context: Context, items: Sequence[Item], names: Sequence[str], progress: Progress
) -> EncodedItems:
    """Vectors of one item or more; those of texts and pictures are kept in DATA_DIR for the next time.

    Where items show pictures, all have the blocks of all objects that one of them shows.
    """
    blocks = max(len(item.pictures) for item in items)
    texts = [item.text for item in items if item.text]
    if not blocks:
        encoder = encoder_of_texts(context, texts)
        vectors = encode_unique(context, encoder, [*texts, *names], progress)
        return EncodedItems(vectors[: len(texts)], vectors[len(texts) :], encoder.revision)
    layout = Layout(bool(texts), tuple(f"picture {place}" for place in range(1, blocks + 1)))
    name = encoder_name_of_texts(context, texts) if texts else None
    joined = context.encoders.joined(name, layout).get()
    if joined.text is not None:
        encode_unique(context, joined.text, texts, progress)
    vectors = np.zeros((len(items), joined.dimensions), dtype=np.float32)
    for start in range(0, len(items), _JOINED_TOGETHER):
        part = items[start : start + _JOINED_TOGETHER]
        vectors[start : start + len(part)] = _join(context, joined, part)
    titles = joined.encode(names) if reads_words(joined) else None
    return EncodedItems(vectors, titles, joined.revision)


def encode_unique(context: Context, encoder: Encoder, texts: Sequence[str], progress: Progress) -> Floats:
    """Vectors (n, d) of texts, one or more; they are kept in DATA_DIR for the next time."""
    unique = list(dict.fromkeys(texts))
    progress.stage("encoding texts", total=len(unique))
    found: dict[str, Floats] = {}
    for start in range(0, len(unique), _CHUNK):
        part = unique[start : start + _CHUNK]
        found.update(embed_texts(context, encoder, part))
        progress.advance(len(part))
    return np.stack([found[content_hash(text)] for text in texts])


def _join(context: Context, joined: JoinedEncoder, items: Sequence[Item]) -> Floats:
    """The vectors (n, d) of some items, of what is kept of their texts and pictures."""
    pages = {page.content_hash for item in items for pages in item.pictures for page in pages}
    pictures = {
        key: np.frombuffer(vector, dtype=np.float32)
        for key, vector in context.vectors.read(joined.image.revision, pages).items()
    }
    texts = embed_texts(context, joined.text, [item.text for item in items]) if joined.text else {}
    return np.stack(
        [
            joined.join(
                texts.get(content_hash(item.text)),
                [_stack(pages, pictures, joined.image.dimensions) for pages in item.pictures],
            )
            for item in items
        ]
    )


def _stack(pages: Pages, pictures: dict[str, Floats], dimensions: int) -> Floats:
    """The vectors (k, d) of the pages that one object shows."""
    found = [pictures[page.content_hash] for page in pages]
    return np.stack(found) if found else np.zeros((0, dimensions), dtype=np.float32)
