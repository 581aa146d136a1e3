"""Embeddings by content: read where they are kept, made once for what is new."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping

import numpy as np

from backend.context import Context
from backend.database import in_chunks
from backend.errors import DiskUnavailable
from backend.label_studio.tasks import content_hash
from backend.workflows.project.progress import Progress
from backend.workflows.project.workspace import Workspace
from model.encoders import Encoder, ReadsPieces
from model.records import Floats

logger = logging.getLogger(__name__)

# Saved this often, so that a kill in the middle of a long encoding loses seconds.
_SAVE_EVERY = 512


def embed_project(workspace: Workspace, *, progress: Progress, encoder: Encoder | None = None) -> int:
    """Encodes every content of a project that has no vector yet; returns how many that were.

    By the project's encoder, unless another is given, which reads the texts of tasks with pictures too.
    """
    if encoder is None:
        missing = workspace.tasks.alone_not_encoded(workspace.encoder.revision)
    else:
        missing = workspace.tasks.not_encoded(encoder.revision)
    if not missing:
        return 0
    progress.stage("encoding texts", total=len(missing))
    encode_missing(workspace, encoder or workspace.encoder.get(), missing, progress)
    return len(missing)


def encode_missing(
    workspace: Workspace, encoder: Encoder, missing: Mapping[str, str], progress: Progress
) -> None:
    """Keeps the vectors of texts by their hash."""
    cut = 0
    for chunk in in_chunks(list(missing.items()), _SAVE_EVERY):
        known = _take_short(workspace.context, encoder, dict(chunk))
        progress.advance(len(known))
        rest = {key: text for key, text in chunk if key not in known}
        texts = list(rest.values())
        _save(workspace.context, encoder, rest, encoder.encode(texts, progress=progress.advance))
        cut += encoder.count_cut(texts) if isinstance(encoder, ReadsPieces) else 0
    if cut:
        logger.warning("texts cut project=%s cut=%d of=%d", workspace.label_studio_id, cut, len(missing))


def embed_texts(
    context: Context, encoder: Encoder, texts: Iterable[str], *, budget_s: float = float("inf")
) -> dict[str, Floats]:
    """Vectors of an encoder by content hash for some texts, encoding what is new until the time is used up.

    Empty texts have none; neither have texts that the time did not suffice for. Where the vectors cannot be
    kept (a full disk) or read, they are made and given all the same.
    """
    by_hash = {content_hash(text): text for text in texts if text}
    found = read_kept(context, encoder.revision, by_hash)
    missing = [(key, text) for key, text in by_hash.items() if key not in found]
    deadline = time.monotonic() + budget_s
    for chunk in in_chunks(missing, _SAVE_EVERY):
        if time.monotonic() >= deadline:
            break
        vectors = encoder.encode([text for _, text in chunk])
        with context.survived.failures_of("keeping vectors"):
            _save(context, encoder, dict(chunk), vectors)
        found.update({key: vector for (key, _), vector in zip(chunk, vectors, strict=True)})
    return found


def read_kept(context: Context, revision: str, keys: Iterable[str]) -> dict[str, Floats]:
    """The vectors that are there by content hash; none where the disk does not let this user read them."""
    try:
        found = context.vectors.read(revision, keys)
    except DiskUnavailable as error:
        logger.warning("vectors are made again, and not kept: %s", error)
        return {}
    return {key: np.frombuffer(vector, dtype=np.float32) for key, vector in found.items()}


def _take_short(context: Context, encoder: Encoder, texts: Mapping[str, str]) -> set[str]:
    """Keeps the vectors that short texts have of the same encoder by one piece; says which these are."""
    if not isinstance(encoder, ReadsPieces) or encoder.one_piece_revision == encoder.revision:
        return set()
    found = context.vectors.read(encoder.one_piece_revision, texts)
    keys = list(found)
    at_once = encoder.reads_at_once([texts[key] for key in keys])
    short = {key: found[key] for key, is_short in zip(keys, at_once, strict=True) if is_short}
    context.vectors.write(encoder.revision, short)
    return set(short)


def _save(context: Context, encoder: Encoder, texts: Iterable[str], vectors: Floats) -> None:
    rows = {key: vector.tobytes() for key, vector in zip(texts, vectors, strict=True)}
    context.vectors.write(encoder.revision, rows)
