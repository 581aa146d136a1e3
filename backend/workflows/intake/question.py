"""Which question of a labeling config is the main one, where it has several."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from backend.errors import NextlabelError
from backend.json_types import Json
from backend.label_studio.client import LabelStudio
from backend.label_studio.label_config import LabelConfig, Preference, parse_label_config
from backend.workflows.project.workspace import Workspace

# A question that is answered less than half as often as another one counts as not answered.
_SHARE_OF_THE_MOST = 0.5


def settle_question(
    remote: LabelStudio, label_studio_id: int, xml: str, preference: Preference
) -> LabelConfig:
    """The config with its main question; people's answers are looked at where nothing else decides.

    Raises UnsupportedConfig.
    """
    config = parse_label_config(xml, preference)
    is_decided = preference.questions or config.from_name == preference.settled
    if is_decided or len(config.questions) == 1:
        return config
    answered = _answered_questions(remote.some_answered_tasks(label_studio_id))
    return parse_label_config(xml, replace(preference, answered=answered))


def remember_question(workspace: Workspace, name: str) -> None:
    """Keeps which question is the main one; a version for another one is made anew by the next loop."""
    before = workspace.state.question
    if before == name:
        return
    workspace.change(question=name)
    if before:
        workspace.change(active_fingerprint=None)


def forget_other_objects(workspace: Workspace, config: LabelConfig) -> None:
    """Lets the next loop make a version anew whose answers name an object that the config calls otherwise.

    Label Studio would not show them. Call it before the config is taken down.
    """
    try:
        before = parse_label_config(workspace.state.label_config, workspace.preference)
    except NextlabelError:  # the project is new, or its config had nothing to answer
        return
    stood = {question.name: question.to_name for question in before.questions}
    if any(stood.get(question.name, question.to_name) != question.to_name for question in config.questions):
        workspace.change(active_fingerprint=None)


def _answered_questions(tasks: list[Json]) -> frozenset[str]:
    counts = Counter(name for task in tasks for name in _names(task))
    most = max(counts.values(), default=0)
    return frozenset(name for name, count in counts.items() if count >= most * _SHARE_OF_THE_MOST)


def _names(task: Json) -> set[str]:
    """The questions that people answered in a task."""
    submitted = [said for said in task.get("annotations") or [] if not said.get("was_cancelled")]
    regions = [region for said in submitted for region in said.get("result") or []]
    return {str(region.get("from_name")) for region in regions if isinstance(region, dict)}
