"""The names of labels, as people read them and as vectors."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from backend.context import Context
from backend.label_studio.controls.question import Label
from backend.label_studio.tasks import content_hash
from backend.workflows.intake.embed import embed_texts
from model.encoders import Encoder
from model.records import Floats


def name_vectors(context: Context, encoder: Encoder, labels: Sequence[Label]) -> Floats:
    """Embeddings of label names as people read them, (c, d) in the order given."""
    names = readable_titles(labels)
    found = embed_texts(context, encoder, names)
    return np.stack([found[content_hash(name)] for name in names])


def readable_titles(labels: Sequence[Label]) -> list[str]:
    """Label names as people read them, in the order given."""
    return [readable_name(label.title) for label in labels]


def readable_name(title: str) -> str:
    """A label name as a sentence would have it: card_arrival → card arrival, cardArrival → card arrival."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", title)
    return re.sub(r"[_\-./]+", " ", spaced).strip() or title
