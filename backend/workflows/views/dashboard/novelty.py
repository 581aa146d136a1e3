"""Possible new classes: the groups nobody decided about, with texts that are typical of them."""

from __future__ import annotations

from backend.json_types import Json
from backend.workflows.intake.earlier_findings import list_groups
from backend.workflows.project.figures import Signals
from backend.workflows.project.workspace import Workspace
from backend.workflows.views.snippets import read_snippets

_MOST_GROUPS = 20
_TYPICAL = 3
_LENGTH = 180


def novel_groups(workspace: Workspace, signals: Signals) -> Json:
    """Groups, the most convincing first, and how many flags are expected to be false."""
    found = signals.novelty
    groups = list_groups(workspace)
    shown = groups[:_MOST_GROUPS]
    typical = [task_id for group in shown for task_id in group["typical"][:_TYPICAL]]
    texts = read_snippets(workspace, typical, length=_LENGTH)
    return {
        "words": found.words if found else None,
        "flags": found.flags if found else None,
        "expected_false": found.expected_false if found else None,
        "groups": [_group(group, texts) for group in shown],
        "not_shown": len(groups) - len(shown),
    }


def _group(group: Json, texts: dict[int, str]) -> Json:
    cohesion = group["cohesion"]
    return {
        "number": group["group"],
        "name": group["name"],
        "size": group["size"],
        "cohesion": None if cohesion is None else f"{cohesion:.2f}",
        "typical": [
            {"task": task_id, "text": texts[task_id]}
            for task_id in group["typical"][:_TYPICAL]
            if task_id in texts
        ],
    }
