"""Vectors of tasks as a request brings them: of whole tasks, and of the parts that questions are about."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from backend.context import Context, LazyEncoder
from backend.json_types import Json
from backend.label_studio.controls.question import Question
from backend.label_studio.label_config import LabelConfig
from backend.label_studio.tasks import item_hash, task_content, task_parts, task_pictures
from backend.store.pictures import PictureTask
from backend.workflows.intake.embed import embed_texts, read_kept
from backend.workflows.intake.fetch_pictures import Kept, embed_shown
from backend.workflows.intake.part_items import joined_parts_encoder, part_items
from backend.workflows.intake.question_items import (
    OwnItems,
    QuestionItems,
    dimensions_of,
    join_parts,
)
from model.encoders.joined import JoinedEncoder
from model.records import Floats


@dataclass(frozen=True, slots=True)
class LiveEncoder:
    """What gives tasks of a request their vectors, `until` then (monotonic seconds).

    `whole` is the encoder of tasks, which is loaded for what has no vector yet; `name` is that of the
    project's text encoder. `kept` is where it is written what came of pictures.
    """

    context: Context
    whole: LazyEncoder
    name: str | None
    kept: Kept
    until: float

    def embed(self, tasks: Sequence[PictureTask]) -> dict[str, Floats]:
        """Vectors of tasks by content hash; of those that have one, and in time."""
        return self._embed(self.whole, tasks)

    def embed_parts(
        self, questions: Sequence[Question], tasks: Sequence[Json], shown: Sequence[PictureTask]
    ) -> QuestionItems:
        """What the heads see of questions that are about parts; tasks are numbered by their places."""
        return QuestionItems({one.name: self._own(one, tasks, shown) for one in questions if one.parts})

    def _own(self, question: Question, tasks: Sequence[Json], shown: Sequence[PictureTask]) -> OwnItems:
        joined = joined_parts_encoder(self.context, self.name, question)
        encoder = self.whole if joined is None else joined
        parts = {
            place: part_items(question, whole.task_id, task_parts(task.get("data"), question), whole.pictures)
            for place, (task, whole) in enumerate(zip(tasks, shown, strict=True))
        }
        vectors = self._embed(encoder, [part for of_task in parts.values() for part in of_task])
        return join_parts(
            {place: [part.content_hash for part in of_task] for place, of_task in parts.items()},
            vectors,
            parts=len(question.parts),
            dimensions=dimensions_of(vectors, encoder),
            encoder=encoder.revision,
        )

    def _embed(self, lazy: LazyEncoder, items: Sequence[PictureTask]) -> dict[str, Floats]:
        shown = [item for item in items if item.content or item.pictures]
        known = read_kept(self.context, lazy.revision, {item.content_hash for item in shown})
        missing = [item for item in shown if item.content_hash not in known]
        if not missing:
            return known
        encoder = lazy.get()
        texts = [item.content for item in missing if not item.pictures]
        vectors = known | embed_texts(self.context, encoder, texts, budget_s=self.until - time.monotonic())
        if isinstance(encoder, JoinedEncoder):
            pictures = [item for item in missing if item.pictures]
            vectors |= embed_shown(self.context, encoder, pictures, self.kept, until=self.until)
        return vectors


def live_item(task: Json, config: LabelConfig, *, task_id: int) -> PictureTask:
    """What a task of a request shows."""
    content, pictures = task_content(task.get("data"), config), task_pictures(task.get("data"), config)
    return PictureTask(task_id, item_hash(content, pictures), content, pictures)
