"""What the head of each question looks at: the vector of the whole task, unless the question is about parts.

The features of a question that is about parts are the vectors of its parts, joined in their order. Each is
made by the encoder of these parts and found by the hash of its content, as those of whole tasks are, so a
record need only hold the hashes. A task that lacks a part has none: nothing is learned from it or said of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from backend.context import LazyEncoder
from backend.label_studio.controls.question import Question
from backend.workflows.intake.part_items import parts_encoder, read_part_items
from backend.workflows.project.workspace import Workspace
from model.records import Embeddings, Floats, Ids

_HASH_SIZE = hashlib.sha256().digest_size

Contents = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class OwnItems:
    """Joined vectors (n, p d) of the p parts of n tasks, and the hashes (n, p, 32) of these; ids ascend."""

    embeddings: Embeddings
    contents: Contents

    def rows_of(self, whole: Embeddings) -> Embeddings:
        """Those of some tasks that have all their parts, in the order given."""
        ids = self.embeddings.ids
        places = np.searchsorted(ids, whole.ids)
        is_there = np.isin(whole.ids, ids)
        return self.embeddings.take(places[is_there])


@dataclass(frozen=True, slots=True, eq=False)
class QuestionItems:
    """The items of those questions, by name, that have items of their own."""

    own: Mapping[str, OwnItems] = field(default_factory=dict)

    def of(self, question: Question, whole: Embeddings) -> Embeddings:
        """What the head of a question sees of some tasks: `whole` (n, d), or m ≤ n rows of its own items."""
        own = self.own.get(question.name)
        return whole if own is None else own.rows_of(whole)

    def digest(self) -> bytes:
        """SHA-256 of which parts which tasks have; empty where no question has items of its own."""
        if not self.own:
            return b""
        found = hashlib.sha256()
        for name, own in sorted(self.own.items()):
            found.update(repr((name, own.contents.shape)).encode())
            found.update(own.embeddings.ids.tobytes() + own.contents.tobytes())
        return found.digest()


def read_question_items(workspace: Workspace, questions: Iterable[Question]) -> QuestionItems:
    """The items of the questions that are about parts, of all tasks whose parts are encoded."""
    asked = [question for question in questions if question.parts]
    if not asked:
        return QuestionItems()
    return QuestionItems({question.name: _read_own_items(workspace, question) for question in asked})


def _read_own_items(workspace: Workspace, question: Question) -> OwnItems:
    encoder = parts_encoder(workspace, question)
    hashes = {
        parts[0].task_id: [part.content_hash for part in parts]
        for parts in read_part_items(workspace, question)
        if parts
    }
    needed = {key for keys in hashes.values() for key in keys}
    vectors = from_bytes(workspace.vectors.read(encoder.revision, needed))
    return join_parts(
        hashes,
        vectors,
        parts=len(question.parts),
        dimensions=dimensions_of(vectors, encoder),
        encoder=encoder.revision,
    )


def dimensions_of(vectors: Mapping[str, Floats], encoder: LazyEncoder) -> int:
    """Length of the vectors; the encoder, which takes seconds to load, is only asked where there are none."""
    return next((len(vector) for vector in vectors.values()), None) or encoder.get().dimensions


def join_parts(
    hashes: Mapping[int, Sequence[str]],
    vectors: Mapping[str, Floats],
    *,
    parts: int,
    dimensions: int,
    encoder: str,
) -> OwnItems:
    """The items of tasks by the hashes of their parts; a task that lacks a vector of a part is left out.

    vectors: (d,) by hash, d the `dimensions`.
    """
    there = {
        task_id: keys
        for task_id, keys in sorted(hashes.items())
        if len(keys) == parts and all(key in vectors for key in keys)
    }
    ids: Ids = np.array(list(there), dtype=np.int64)
    joined = np.empty((len(there), parts * dimensions), dtype=np.float32)
    for row, keys in enumerate(there.values()):
        np.concatenate([vectors[key] for key in keys], out=joined[row])
    digests = bytes.fromhex("".join(key for keys in there.values() for key in keys))
    contents = np.frombuffer(digests, dtype=np.uint8).reshape(len(there), parts, _HASH_SIZE)
    return OwnItems(Embeddings(ids, joined, encoder), contents)


def from_bytes(vectors: Mapping[str, bytes]) -> dict[str, Floats]:
    """Vectors (d,) as the store holds them."""
    return {key: np.frombuffer(vector, dtype=np.float32) for key, vector in vectors.items()}


def to_hashes(contents: Contents) -> list[list[str]]:
    """The hashes (n, p) in hex."""
    return [[part.tobytes().hex() for part in row] for row in contents]
