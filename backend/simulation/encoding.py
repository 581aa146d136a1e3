"""Encodes the texts of a file, each different one once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.context import Context
from backend.label_studio.tasks import content_hash
from backend.workflows.intake.embed import embed_texts
from backend.workflows.project.progress import Progress
from model.encoders import Encoder
from model.records import Floats

_CHUNK = 512


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
