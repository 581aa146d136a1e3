"""What an earlier version was asked, and what people had answered by then, from the record beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from numpy.typing import NDArray
from safetensors import SafetensorError

from backend.errors import NextlabelError, NotFound
from backend.json_types import Json
from backend.label_studio.controls.question import Question
from backend.label_studio.label_config import LabelConfig, Preference, parse_label_config
from backend.task_types import is_single_choice, questions_beside
from backend.workflows.intake.question_labels import QuestionLabels
from backend.workflows.project.workspace import Workspace
from model.records import Labels, LabelSpace
from model.registry import ModelRegistry, RegistryError
from model.sealed_tensors import unseal

UNLABELLED = -1  # stands in a record for a task without an answer to a first single choice


def load_record(workspace: Workspace, version: str) -> tuple[dict[str, NDArray[Any]], Json]:
    """The tensors of a version's record and its facts. Raises NotFound where they are gone or damaged."""
    return _load_record(workspace.registry, workspace.key, version)


def _load_record(registry: ModelRegistry, project: str, version: str) -> tuple[dict[str, NDArray[Any]], Json]:
    try:
        content = registry.load_record(project, version)
    except RegistryError:
        raise _unreadable(version) from None
    if content is None:
        raise NotFound(
            f"Version {version} has no record.", hint="Versions from before records were kept have none."
        )
    try:
        tensors = unseal(content)
        return tensors, json.loads(tensors["facts"].tobytes())
    except (ValueError, KeyError, SafetensorError):
        raise _unreadable(version) from None


def _unreadable(version: str) -> NotFound:
    hint = "Its files are damaged. Replay another loop."
    return NotFound(f"The record of version {version} cannot be read.", hint=hint)


def recorded_config(facts: Json) -> LabelConfig:
    """The config of then, with the questions that were answered then; of old only the first one was."""
    xml, names = facts["label_config"], tuple(facts.get("questions", ()))
    if names:
        return parse_label_config(xml, Preference(questions=names, hints=_hints(facts)))
    config = parse_label_config(xml, Preference(settled=facts.get("question", "")))
    return replace(config, questions=config.questions[:1])


def _hints(facts: Json) -> tuple[tuple[str, str], ...]:
    """What a setting said of labels then."""
    said = facts["settings"].get("label_hints", "")
    return tuple(json.loads(said).items()) if said else ()


def recorded_choices(tensors: Mapping[str, NDArray[Any]], config: LabelConfig) -> Labels:
    """The answers of then to a first question that is a single choice."""
    columns, names = tensors["labels"], config.space.names
    labelled = columns != UNLABELLED
    said = [names[column] for column in columns[labelled]]
    return Labels.from_names(tensors["ids"][labelled], said, LabelSpace(names))


def recorded_answers(tensors: Mapping[str, NDArray[Any]], config: LabelConfig) -> tuple[QuestionLabels, ...]:
    """The answers of then to all other questions; records of one single choice have none."""
    return tuple(
        QuestionLabels(
            question,
            Labels(
                tensors[f"question-{at}-ids"],
                tensors[f"question-{at}-targets"],
                LabelSpace(tuple(label.name for label in question.labels)),
            ),
        )
        for at, question in enumerate(questions_beside(config))
    )


def answered_then(workspace: Workspace, version: str) -> tuple[QuestionLabels, ...] | None:
    """All questions of a version with the answers of then, the first one first; None where nobody knows."""
    try:
        tensors, facts = load_record(workspace, version)
        config = recorded_config(facts)
        found = recorded_answers(tensors, config)
        if is_single_choice(config):
            found = (QuestionLabels(config.questions[0], recorded_choices(tensors, config)), *found)
    except (NextlabelError, KeyError, IndexError, ValueError):  # of another release
        return None
    return found


def asked_then(workspace: Workspace, version: str) -> tuple[Question, ...] | None:
    """All questions of a version, the first one first, without their answers; None where nobody knows."""
    try:
        return _asked_in(workspace.registry, workspace.key, version)
    except (NextlabelError, KeyError, ValueError):  # of another release
        return None


# A record is as large as its project, and a page asks this of each version that it lists.
@lru_cache(maxsize=128)
def _asked_in(registry: ModelRegistry, project: str, version: str) -> tuple[Question, ...]:
    _tensors, facts = _load_record(registry, project, version)
    return recorded_config(facts).questions
