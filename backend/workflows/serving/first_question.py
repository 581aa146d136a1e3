"""Whether a stored version is about the first question as the config asks it today."""

from __future__ import annotations

from backend.label_studio.label_config import LabelConfig
from backend.task_types import is_single_choice
from backend.workflows.intake.earlier_questions import answered_then
from backend.workflows.project.workspace import Workspace
from model.registry import RegistryError


def answers_first_question(workspace: Workspace, config: LabelConfig, version: str) -> bool:
    """Whether a version has a head for the first question that knows one of its labels at least.

    False of one that cannot be read, and of one that has no head for it, as before the first answer.
    """
    first = config.questions[0]
    try:
        head, manifest = workspace.registry.load(workspace.key, version)
    except RegistryError:
        return False
    if is_single_choice(config):
        then = answered_then(workspace, version)
        is_same = head is not None and (then is None or then[0].question.name == first.name)
        known = set(manifest.classes) if is_same else set()
    else:
        known = {
            name
            for entry in manifest.questions
            if entry.name == first.name and entry.kind == first.kind
            for name in entry.classes
        }
    return not known.isdisjoint(label.name for label in first.labels)
