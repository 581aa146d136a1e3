"""The names of labels and what is said of them beside, as people read them and as vectors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from backend.context import Context
from backend.label_studio.controls.question import Label, Question
from backend.label_studio.label_hints import read_hint
from backend.label_studio.tasks import content_hash
from backend.task_types import task_type
from backend.workflows.intake.embed import embed_texts
from backend.workflows.intake.snapshot import Snapshot
from backend.workflows.project.workspace import Workspace
from model.encoders import Encoder, reads_words
from model.heads.keywords import join_keywords, keyword_weights
from model.records import Floats, Labels


def name_vectors(context: Context, encoder: Encoder, labels: Sequence[Label]) -> Floats | None:
    """Embeddings of label names as people read them, (c, d) in the order given.

    Where a label has a hint, the direction between its name and the hint. None where tasks show no text that
    names could be compared with.
    """
    if not reads_words(encoder):
        return None
    names, hints = readable_titles(labels), [_readable_hint(label) for label in labels]
    found = embed_texts(context, encoder, [*names, *hints])
    vectors = np.stack([found[content_hash(name)] for name in names])
    hinted = [row for row, hint in enumerate(hints) if hint]
    if hinted:
        vectors[hinted] += np.stack([found[content_hash(hints[row])] for row in hinted])
        lengths = np.linalg.norm(vectors[hinted], axis=1, keepdims=True)
        vectors[hinted] /= np.maximum(lengths, np.finfo(np.float32).tiny)
    return vectors


def learned_name_vectors(
    workspace: Workspace, snapshot: Snapshot, question: Question, answers: Labels
) -> Floats | None:
    """The same, but keywords by the tasks that hold them, each trusted as far as answers (k, c) bear it out.

    A keyword that no task holds says nothing.
    """
    context, encoder, labels = workspace.context, workspace.encoder.get(), question.labels
    if snapshot.keywords is None or task_type(question).is_number:
        return name_vectors(context, encoder, labels)
    names = name_vectors(context, encoder, [_without_keywords(label) for label in labels])
    if names is None:
        return None
    hits = snapshot.keywords.of_labels(labels)
    answered = hits.found[np.isin(snapshot.embeddings.ids, answers.ids)]
    weights = keyword_weights(answered, hits.columns, answers.targets)
    return join_keywords(names, snapshot.embeddings.vectors, hits, weights)


def readable_titles(labels: Sequence[Label]) -> list[str]:
    """Label names as people read them, in the order given."""
    return [readable_name(label.title) for label in labels]


def readable_name(title: str) -> str:
    """A label name as a sentence would have it: card_arrival → card arrival, cardArrival → card arrival."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", title)
    return re.sub(r"[_\-./]+", " ", spaced).strip() or title


def _readable_hint(label: Label) -> str:
    hint = read_hint(label.hint)
    return hint.description or ", ".join(hint.keywords)


def _without_keywords(label: Label) -> Label:
    return replace(label, hint=read_hint(label.hint).description)
