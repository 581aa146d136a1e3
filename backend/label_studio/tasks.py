"""Turns Label Studio's task JSON into what the loop needs: the text, and what people said about it."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Any

from backend.label_studio.label_config import LabelConfig

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TaskState:
    """One task as the loop sees it.

    `label` is the majority of its annotations, None without annotations, on a tie, or when the label has
    left the config. `is_skipped`: somebody skipped it and nobody labelled it.
    """

    task_id: int
    content: str
    label: str | None
    annotations: int
    is_labeled: bool
    is_skipped: bool
    updated_at: str

    @property
    def content_hash(self) -> str:
        """Identity of the content; empty for a task without text."""
        return content_hash(self.content)


def read_task(task: Json, config: LabelConfig) -> TaskState:
    """Reads one task of `GET /api/tasks`."""
    annotations = task.get("annotations") or []
    submitted = [annotation for annotation in annotations if not annotation.get("was_cancelled")]
    return TaskState(
        task_id=int(task["id"]),
        content=task_content(task.get("data"), config),
        label=majority_label(submitted, config),
        annotations=len(submitted),
        is_labeled=bool(task.get("is_labeled")),
        is_skipped=not submitted and len(annotations) > 0,
        updated_at=str(task.get("updated_at", "")),
    )


def task_content(data: object, config: LabelConfig) -> str:
    """The text that the annotator sees, one line per text tag; empty when the task has none."""
    if not isinstance(data, dict):
        return ""
    values = (_text(data, field) for field in config.text_fields)
    return "\n".join(value for value in values if value)


def content_hash(content: str) -> str:
    """SHA-256 of a text, in hex; the empty text has the empty hash."""
    return hashlib.sha256(content.encode("utf-8", "replace")).hexdigest() if content else ""


def majority_label(annotations: list[Json], config: LabelConfig) -> str | None:
    """The label that most annotations give; None on a tie or when none is in the config."""
    votes = Counter(label for label in (_chosen(annotation, config) for annotation in annotations) if label)
    ranked = votes.most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]


def _text(data: Json, field: str) -> str:
    value: object = data.get(field)
    if value is None and "." in field:
        value = data
        for part in field.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        # JSON can carry what no database stores: halves of a surrogate pair, and the zero byte
        return str(value).replace("\0", " ").encode("utf-8", "replace").decode().strip()
    return ""


def _chosen(annotation: Json, config: LabelConfig) -> str | None:
    known = {label.name for label in config.labels}
    result = annotation.get("result")
    for region in result if isinstance(result, list) else []:
        if not isinstance(region, dict) or region.get("from_name") != config.from_name:
            continue
        value = region.get("value")
        choices = value.get("choices") if isinstance(value, dict) else None
        if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], str):
            continue
        if choices[0] in known:
            return choices[0]
    return None
