"""The parts of tasks that questions are about: each is an item of its own, a text or the pictures of one tag.

A part has one vector wherever it stands, so that what is compared can change sides: the pictures of all parts
are in the same block. It is kept by the hash of what the part shows and the encoder of the question's parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import islice
from typing import TYPE_CHECKING, Final

from backend.context import Context, Lazy, LazyEncoder
from backend.label_studio.controls.question import Question
from backend.label_studio.objects.image import ImageTemplate
from backend.label_studio.tasks import item_hash
from backend.store.pictures import PictureTask
from backend.workflows.intake.embed import encode_missing
from backend.workflows.intake.fetch_pictures import fetch_items
from backend.workflows.intake.share import tasks_left
from backend.workflows.project.progress import Progress
from backend.workflows.project.workspace import Workspace, joined_encoder

if TYPE_CHECKING:
    from model.encoders.joined import JoinedEncoder

# What the pictures of a part are called, whatever tag shows them.
_PART: Final = "part"
# Tasks whose parts are looked up together.
_AT_A_TIME: Final = 256


def joined_parts_encoder(
    context: Context, name: str | None, question: Question
) -> Lazy[JoinedEncoder] | None:
    """What gives the parts of a question their vectors where some are pictures; None where all are texts.

    `name` is that of the project's text encoder.
    """
    are_pictures = [isinstance(part, ImageTemplate) for part in question.parts]
    return joined_encoder(context, name, (not all(are_pictures), (_PART,) if any(are_pictures) else ()))


def parts_encoder(workspace: Workspace, question: Question) -> LazyEncoder:
    """What gives the parts of a question of a project their vectors; of texts the encoder of tasks does."""
    joined = joined_parts_encoder(workspace.context, workspace.state.encoder, question)
    return joined or workspace.encoder


def part_items(
    question: Question, task_id: int, texts: Sequence[str], pictures: Mapping[str, Sequence[str]]
) -> list[PictureTask]:
    """The parts of a task as items; of one that the task lacks the content hash is empty.

    `texts` are those of the parts, `pictures` all addresses of the task by the name of what shows them. A
    task that was read before the question was asked has no parts.
    """
    return [
        _item(task_id, text, pictures.get(part.name, ()) if isinstance(part, ImageTemplate) else ())
        for part, text in zip(question.parts, texts, strict=False)
    ]


def _item(task_id: int, text: str, addresses: Sequence[str]) -> PictureTask:
    shown = {_PART: addresses} if addresses else {}
    return PictureTask(task_id, item_hash(text, shown), text, shown)


def read_part_items(workspace: Workspace, question: Question) -> Iterator[list[PictureTask]]:
    """The parts of each task that has any, in the order of the tasks."""
    for task_id, texts, pictures in workspace.tasks.read_parts():
        if question.name in texts:
            yield part_items(question, task_id, texts[question.name], pictures)


def embed_parts(workspace: Workspace, questions: Iterable[Question], *, progress: Progress) -> int:
    """Encodes parts of tasks that have no vector yet, and whose pictures can be read; returns how many.

    Those of tasks that workers have yet to encode as a whole wait with them.
    """
    asked = [one for one in questions if one.parts]
    left = tasks_left(workspace) if asked else set[int]()
    return sum(_embed_parts_of(workspace, one, left, progress) for one in asked)


def _embed_parts_of(workspace: Workspace, question: Question, left: Set[int], progress: Progress) -> int:
    encoder = parts_encoder(workspace, question)
    missing = _missing(workspace, question, encoder.revision, left)
    texts = {part.content_hash: part.content for part in missing if not part.pictures}
    if texts:
        progress.stage("encoding parts of tasks", total=len(texts))
        encode_missing(workspace, encoder.get(), texts, progress)
    joined = joined_parts_encoder(workspace.context, workspace.state.encoder, question)
    if joined is None:
        return len(texts)

    def unfinished() -> Iterator[PictureTask]:
        return (part for part in _missing(workspace, question, joined.revision, left) if part.pictures)

    return len(texts) + fetch_items(workspace, joined, unfinished, progress=progress)


def _missing(
    workspace: Workspace, question: Question, revision: str, left: Set[int]
) -> Iterator[PictureTask]:
    """The parts that have no vector of an encoder, looked up some at a time; not those of tasks `left`."""
    every = read_part_items(workspace, question)
    tasks = (parts for parts in every if parts and parts[0].task_id not in left)
    while page := list(islice(tasks, _AT_A_TIME)):
        parts = {part.content_hash: part for of_task in page for part in of_task if part.content_hash}
        known = workspace.vectors.known(revision, parts)
        yield from (part for key, part in parts.items() if key not in known)
