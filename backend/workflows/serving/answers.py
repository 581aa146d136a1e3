"""What the heads of a version answer to the questions that are learned through the table of task types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backend.json_types import Json
from backend.label_studio.controls.conditions import keep_shown
from backend.label_studio.controls.protocol import Target
from backend.label_studio.controls.question import Question
from backend.label_studio.label_config import LabelConfig
from backend.label_studio.results import target_result
from backend.task_types import TASK_TYPES, questions_beside, task_type
from backend.workflows.intake.question_items import QuestionItems
from backend.workflows.intake.question_labels import to_target
from backend.workflows.project.workspace import Workspace
from model.records import Embeddings, Floats, LabelSpace
from model.registry import VersionBroken
from model.task_type import Beliefs, Head


@dataclass(frozen=True, slots=True, eq=False)
class ServedQuestion:
    """A question of the config, and the head that answers it."""

    question: Question
    head: Head


@dataclass(frozen=True, slots=True)
class Answered:
    """What a head answers to one question of one task, in names of the config, and how sure it is."""

    question: Question
    target: Target
    confidence: float


def load_questions(workspace: Workspace, version: str, config: LabelConfig) -> tuple[ServedQuestion, ...]:
    """The heads of a stored version for questions that the config still asks in the same way.

    Raises RegistryError.
    """
    asked = {question.name: question for question in questions_beside(config)}
    found = []
    for stored in workspace.registry.load_questions(workspace.key, version):
        question = asked.get(stored.entry.name)
        if question is None or question.kind != stored.entry.kind:
            continue
        try:
            head = task_type(question).learner.load(stored.tensors, LabelSpace(stored.entry.classes))
        except (ValueError, KeyError) as error:
            raise VersionBroken(f"Version {version!r} has a head that cannot be read: {error}") from error
        found.append(ServedQuestion(question, head))
    return tuple(found)


def believe_all(
    served: Sequence[ServedQuestion], tasks: Embeddings, version: str, *, items: QuestionItems
) -> list[tuple[ServedQuestion, Beliefs]]:
    """What each head says of those of some tasks that have what its question is about."""
    return [(one, one.head.believe(items.of(one.question, tasks), version)) for one in served]


def answer_items(
    served: Sequence[ServedQuestion], tasks: Embeddings, version: str, *, items: QuestionItems
) -> dict[int, list[Answered]]:
    """The answers to all questions, by task, in the order of the questions."""
    answered: dict[int, list[Answered]] = {task_id: [] for task_id in tasks.ids.tolist()}
    for one, beliefs in believe_all(served, tasks, version, items=items):
        for row, item in enumerate(beliefs.ids.tolist()):
            target = _target(one, beliefs.answers[row])
            answered[item].append(Answered(one.question, target, float(beliefs.confidence[row])))
    return answered


def above_floor(answered: Sequence[Answered], floor: float) -> list[Answered]:
    """The answers that are sure enough to be given: of kinds that are floored only those from `floor` on."""
    return [one for one in answered if one.confidence >= floor or not task_type(one.question).is_floored]


def only_shown(answered: Sequence[Answered], config: LabelConfig) -> list[Answered]:
    """The answers to questions that are shown beside these answers: what hangs on none is not given."""
    if not any(one.question.conditions for one in answered):
        return list(answered)
    kept = keep_shown(config.questions, {one.question.name: one.target for one in answered})
    return [one for one in answered if one.question.name in kept]


def regions_of(answered: Sequence[Answered]) -> list[Json]:
    """The regions that say these answers."""
    return [
        region
        for one in answered
        for region in target_result(one.question, one.target, confidence=one.confidence)
    ]


def answer_new_classes(answered: Sequence[Answered], *, label: str | None, is_novel: bool) -> list[Answered]:
    """The answers to the questions of a task, the first of which may have new classes.

    A task of a class that a person has just made, `label`, has that label beside what the head says; one that
    fits no class gets no answer to the first question.
    """
    first, *others = answered
    if not task_type(first.question).finds_new_classes:
        return list(answered)
    order = [one.name for one in first.question.labels]
    if label in order:
        target = tuple(name for name in order if name == label or name in first.target)
        return [replace(first, target=target), *others]
    return others if is_novel else list(answered)


def in_words(answered: Answered) -> str:
    """An answer as people read it: "coffee, sugar"."""
    titles = {label.name: label.title for label in answered.question.labels}
    return (
        ", ".join(titles.get(name, name) for name in answered.target) or task_type(answered.question).nothing
    )


def _target(served: ServedQuestion, row: Floats) -> Target:
    """An answer (c,) in names that the config still has; of a number the number in words."""
    space, kind = served.head.space, served.question.kind
    target = to_target(row, space, kind)
    known = {label.name for label in served.question.labels}
    gone = set() if TASK_TYPES[kind].is_number else set(space.names) - known
    return tuple(name for name in target if name not in gone)
