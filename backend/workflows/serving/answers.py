"""What the heads of a version answer to the questions that are learned through the table of task types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backend.json_types import Json
from backend.label_studio.controls.protocol import Target
from backend.label_studio.controls.question import Question
from backend.label_studio.label_config import LabelConfig
from backend.label_studio.results import target_result
from backend.task_types import questions_beside, task_type
from backend.workflows.intake.question_labels import is_number, to_target
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
    served: Sequence[ServedQuestion], items: Embeddings, version: str
) -> list[tuple[ServedQuestion, Beliefs]]:
    """What each head says of some items."""
    return [(one, one.head.believe(items, version)) for one in served]


def answer_items(
    served: Sequence[ServedQuestion], items: Embeddings, version: str
) -> dict[int, list[Answered]]:
    """The answers to all questions, by item, in the order of the questions."""
    answered: dict[int, list[Answered]] = {item: [] for item in items.ids.tolist()}
    for one, beliefs in believe_all(served, items, version):
        for row, item in enumerate(beliefs.ids.tolist()):
            target = _target(one, beliefs.answers[row])
            answered[item].append(Answered(one.question, target, float(beliefs.confidence[row])))
    return answered


def regions_of(answered: Sequence[Answered], *, floor: float) -> list[Json]:
    """The regions that say these answers; those of kinds that are floored only from the `floor` on."""
    regions: list[Json] = []
    for one in answered:
        if task_type(one.question).is_floored and one.confidence < floor:
            continue
        regions += target_result(one.question, one.target, confidence=one.confidence)
    return regions


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
    return ", ".join(titles.get(name, name) for name in answered.target) or "none of the labels"


def _target(served: ServedQuestion, row: Floats) -> Target:
    """An answer (c,) in names that the config still has; of a number the number in words."""
    space, target = served.head.space, to_target(row, served.head.space)
    gone = set() if is_number(space) else set(space.names) - {one.name for one in served.question.labels}
    return tuple(name for name in target if name not in gone)
