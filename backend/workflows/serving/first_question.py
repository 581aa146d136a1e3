"""Whether a stored version is about the first question as the config asks it today."""

from __future__ import annotations

from collections.abc import Sequence

from backend.label_studio.controls.question import Question
from backend.label_studio.label_config import LabelConfig
from backend.task_types import is_single_choice
from backend.workflows.intake.earlier_questions import asked_then
from backend.workflows.project.workspace import Workspace
from model.registry import Manifest, RegistryError


def answers_first_question(workspace: Workspace, config: LabelConfig, version: str) -> bool:
    """Whether a version was made for the first question, and for one of its labels at least.

    One from before the first answer, that has no head for it yet, is of no other question for that; where
    nobody knows what was asked then, one without any head answers nothing amiss. False of a version that
    cannot be read.
    """
    first = config.questions[0]
    try:
        head, manifest = workspace.registry.load(workspace.key, version)
    except RegistryError:
        return False
    then = asked_then(workspace, version)
    if is_single_choice(config):
        is_same = head is not None and (then is None or then[0].name == first.name)
        known = set(manifest.classes) if is_same else set()
    else:
        is_untaught = head is None and not manifest.questions
        asked = list(then or ())[:1] or ([first] if is_untaught else [])
        known = _known_to_rows(manifest, asked, first)
    return not known.isdisjoint(label.name for label in first.labels)


def _known_to_rows(manifest: Manifest, asked: Sequence[Question], first: Question) -> set[str]:
    """The labels that a version knows of a question which is learned through its row.

    By its head, or without one by what was `asked` first then.
    """
    heads = [entry for entry in manifest.questions if (entry.name, entry.kind) == (first.name, first.kind)]
    if heads:
        return {name for entry in heads for name in entry.classes}
    same = [one for one in asked if (one.name, one.kind) == (first.name, first.kind)]
    return {label.name for one in same for label in one.labels}
