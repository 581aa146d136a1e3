"""Which tasks hold which keywords of the labels' hints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.label_studio.controls.question import Label
from backend.label_studio.label_config import LabelConfig
from backend.label_studio.label_hints import read_hint
from backend.workflows.project.workspace import Workspace
from model.encoders.keywords import find_keywords
from model.heads.keywords import KeywordHits


@dataclass(frozen=True, slots=True, eq=False)
class TaskKeywords:
    """The keywords of all questions, each once, and which of n tasks hold them, (n, k)."""

    keywords: tuple[str, ...]
    found: NDArray[np.bool_]

    def of_labels(self, labels: Sequence[Label]) -> KeywordHits:
        """The hits of the keywords of some labels, label after label; the columns are the labels' places."""
        pairs = keyword_pairs(labels)
        places = [self.keywords.index(keyword) for _, keyword in pairs]
        columns = np.array([column for column, _ in pairs], dtype=np.intp)
        return KeywordHits(self.found[:, places], columns)


def keyword_pairs(labels: Sequence[Label]) -> list[tuple[int, str]]:
    """Place of the label and keyword, label after label."""
    return [
        (column, keyword) for column, label in enumerate(labels) for keyword in read_hint(label.hint).keywords
    ]


def config_keywords(config: LabelConfig) -> tuple[str, ...]:
    """The keywords of all questions that are answered, each once."""
    pairs = (pair for question in config.questions for pair in keyword_pairs(question.labels))
    return tuple(dict.fromkeys(keyword for _, keyword in pairs))


def said_hints(config: LabelConfig) -> list[list[str]]:
    """Question, label and hint, wherever there is one; empty without hints."""
    return [
        [question.name, label.name, label.hint]
        for question in config.questions
        for label in question.labels
        if label.hint
    ]


def look_for_keywords(
    workspace: Workspace, config: LabelConfig, task_ids: Sequence[int]
) -> TaskKeywords | None:
    """The keywords in some tasks, in their order; None where no label has any."""
    keywords = config_keywords(config)
    if not keywords:
        return None
    texts = workspace.tasks.read_texts(task_ids)
    return TaskKeywords(keywords, find_keywords([texts.get(one, "") for one in task_ids], keywords))


def pack_keywords(found: TaskKeywords | None) -> dict[str, NDArray[Any]]:
    """The hits as a tensor of a record, eight a byte; nothing without keywords."""
    return {} if found is None else {"keyword-hits": np.packbits(found.found, axis=1)}


def unpack_keywords(tensors: dict[str, NDArray[Any]], config: LabelConfig) -> TaskKeywords | None:
    """The hits of a record; None where it has none."""
    packed, keywords = tensors.get("keyword-hits"), config_keywords(config)
    if packed is None or not keywords:
        return None
    found = np.unpackbits(packed, axis=1, count=len(keywords)).astype(np.bool_)
    return TaskKeywords(keywords, found)
