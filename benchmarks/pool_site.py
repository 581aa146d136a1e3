"""A project of any size without a Label Studio: made-up texts and vectors, and answers at no cost.

What a loop costs by itself is measured on it: the calls that a loop makes are answered from a few dicts, so
that neither Label Studio's time nor its memory is in the figures.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from backend.context import Context
from backend.database import Task, upsert
from backend.json_types import Json
from backend.label_studio.tasks import content_hash
from backend.workflows.project.workspace import Workspace, ensure_workspace
from model.records import Floats, Ids

CLASSES = 24
_CREATED = "2026-01-01T00:00:00Z"
_STAMP = int(datetime.fromisoformat(_CREATED).timestamp())
_NUMBER = 1
_WORDS_OF_A_CLASS, _ALL_WORDS, _LENGTH = 40, 4000, 12
_AT_ONCE = 10_000
# Of a task that nobody has answered.
_EMPTY: Json = (
    dict.fromkeys(("is_labeled", "is_skipped", "is_synthetic"), False)
    | dict.fromkeys(("answers", "missing_fields"), [])
    | dict.fromkeys(("targets", "parts", "pictures", "shown", "order_fields"), {})
    | {"annotations": 0, "outcome": "", "words": "", "flag": ""}
)
LABELS = tuple(f"class {number}" for number in range(CLASSES))
CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="label" toName="text">'
    + "".join(f'<Choice value="{label}"/>' for label in LABELS)
    + "</Choices></View>"
)


class PoolSite:
    """What a loop asks of Label Studio, in place of the client: the methods that a loop calls.

    `served_at` is when the version last changed, in monotonic seconds, `served_processor_s` by the clock of
    this process's processor time.
    """

    # ruff: noqa: D102 - the client says what each does

    def __init__(self, size: int) -> None:
        self.size = size
        self.writes = 0
        self.seconds = 0.0
        self.served_at = 0.0
        self.served_processor_s = 0.0
        self.now = datetime.now(UTC)
        self._details: Json = {
            "id": _NUMBER,
            "title": "A pool",
            "label_config": CONFIG,
            "created_at": _CREATED,
            "model_version": "",
            "sampling": "Sequential sampling",
            "show_collab_predictions": True,
        }
        self._answered: dict[int, Json] = {}
        self._changed: list[int] = []
        self._predictions: dict[str, list[Json]] = {}
        self._tabs: list[Json] = []

    def answer(self, task_ids: Sequence[int]) -> None:
        """A person gives some tasks their true class."""
        moment = datetime.now(UTC).isoformat()
        for task_id in task_ids:
            value = {"choices": [LABELS[class_of(task_id)]]}
            region = {"from_name": "label", "to_name": "text", "type": "choices", "value": value}
            said = {
                "id": task_id,
                "result": [region],
                "was_cancelled": False,
                "completed_by": 1,
                "created_at": moment,
            }
            task = {"id": task_id, "data": {"text": text_of(task_id)}, "updated_at": moment}
            self._answered[task_id] = task | {"is_labeled": True, "annotations": [said]}
            self._changed.append(task_id)

    def project(self, _number: int) -> Json:
        return dict(self._details)

    def update_project(self, _number: int, **fields: object) -> None:
        self.writes += 1
        self._details |= fields
        if "model_version" in fields:
            self.served_at, self.served_processor_s = time.monotonic(), time.process_time()

    def counts(self, _number: int) -> tuple[int, int]:
        return self.size, len(self._answered)

    def tasks(self, _number: int, *, updated_after: str | None = None) -> Iterator[list[Json]]:
        self.now = datetime.now(UTC)
        page, self._changed = [self._answered[task_id] for task_id in self._changed], []
        if page and updated_after is not None:
            yield page

    def task_ids(self, _number: int) -> Iterator[list[int]]:
        yield list(range(1, self.size + 1))

    def some_answered_tasks(self, _number: int) -> list[Json]:
        return list(self._answered.values())[:50]

    def predictions(self, _number: int) -> list[Json]:
        return []

    def predictions_of(self, _number: int, version: str) -> list[Json]:
        return list(self._predictions.get(version, []))

    def import_predictions(self, _number: int, predictions: Sequence[Json]) -> int:
        self.writes += 1
        for row in predictions:
            self._predictions.setdefault(str(row["model_version"]), []).append(dict(row))
        return len(predictions)

    def model_versions(self, _number: int) -> dict[str, int]:
        return {version: len(rows) for version, rows in self._predictions.items()}

    def set_task_field(self, _number: int, _task_ids: Sequence[int], _name: str, _value: str) -> None:
        self.writes += 1

    def task_data(self, _number: int, task_ids: Sequence[int]) -> dict[int, Json]:
        return {task_id: {"text": text_of(task_id)} for task_id in task_ids}

    def count_columns_anew(self, _number: int) -> None:
        self.writes += 1

    def data_columns(self, _number: int) -> list[str]:
        return ["text"]

    def tabs(self, _number: int) -> list[Json]:
        return list(self._tabs)

    def create_tab(self, _number: int, data: Json) -> Json:
        self.writes += 1
        self._tabs.append({"id": len(self._tabs) + 1, "data": data})
        return self._tabs[-1]

    def update_tab(self, _tab: int, _number: int, _data: Json) -> None:
        self.writes += 1

    def delete_tab(self, _tab: int) -> None:
        self.writes += 1

    def skips(self, _number: int, _task_ids: Collection[int]) -> dict[int, list[int]]:
        return {}

    def ml_backends(self, _number: int) -> list[Json]:
        return []

    def webhooks(self) -> list[Json]:
        return []

    def users(self) -> list[Json]:
        return [{"id": 1, "email": "somebody@example.org"}]

    def close(self) -> None:
        """Nothing is open."""


def add_pool(context: Context, site: PoolSite, *, seed: int = 0) -> Workspace:
    """A project with all tasks of a site, read and encoded, before its first loop."""
    workspace = ensure_workspace(context, _NUMBER, _STAMP)
    workspace.change(title="A pool", label_config=CONFIG, is_pulled=True, connected=True)
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((CLASSES, workspace.encoder.get().dimensions), dtype=np.float32)
    for start in range(1, site.size + 1, _AT_ONCE):
        ids = np.arange(start, min(start + _AT_ONCE, site.size + 1))
        texts = _texts(ids)
        keys = list(map(content_hash, texts))
        tasks = zip(ids.tolist(), texts, keys, strict=True)
        rows = [
            {"project_id": workspace.id, "task_id": task_id, "content": text, "content_hash": key} | _EMPTY
            for task_id, text, key in tasks
        ]
        with context.database.session() as session:
            upsert(session, Task, rows)
        vectors = _draw(centres[_classes(ids)], rng)
        context.vectors.write(
            workspace.encoder.revision,
            {key: vector.tobytes() for key, vector in zip(keys, vectors, strict=True)},
        )
    return workspace


def class_of(task_id: int) -> int:
    """The column of the true class of a task; classes differ in size as in life."""
    return int(_classes(np.array([task_id]))[0])


def text_of(task_id: int) -> str:
    """What a task says: some words of its class among any others, no two tasks the same."""
    return _texts(np.array([task_id]))[0]


def _classes(ids: Ids) -> Ids:
    shares = _drawn(ids, 0) / 2.0**64
    return (CLASSES * shares**1.5).astype(np.int64)


def _texts(ids: Ids) -> list[str]:
    own = _LENGTH // 3
    numbers = np.stack([_drawn(ids, place) for place in range(1, _LENGTH + 1)], axis=1)
    of_class = _classes(ids)[:, None] * _WORDS_OF_A_CLASS + (numbers[:, :own] % _WORDS_OF_A_CLASS).astype(int)
    words = np.concatenate([of_class, (numbers[:, own:] % _ALL_WORDS).astype(int)], axis=1)
    return [
        " ".join(f"w{word}" for word in row) + f" n{task_id}"
        for row, task_id in zip(words.tolist(), ids.tolist(), strict=True)
    ]


def _drawn(ids: Ids, place: int) -> NDArray[np.uint64]:
    """Numbers that look random and hang on task and place alone: the last steps of SplitMix64."""
    mixed = ids.astype(np.uint64) * np.uint64(2**20) + np.uint64(place)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB), (31, 1)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed


def _draw(centres: Floats, rng: np.random.Generator) -> Floats:
    vectors = 0.35 * centres + rng.standard_normal(centres.shape, dtype=np.float32)
    unit: Floats = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
