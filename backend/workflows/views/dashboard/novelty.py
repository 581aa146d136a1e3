"""Possible new classes: the groups nobody decided about, with texts that are typical of them."""

from __future__ import annotations

from backend.json_types import Json
from backend.workflows.intake.earlier_findings import list_groups
from backend.workflows.project.figures import Signals
from backend.workflows.project.workspace import Workspace
from backend.workflows.views.snippets import read_snippets
from backend.workflows.views.wording import counted

_MOST_GROUPS = 10
_TYPICAL = 3
_LENGTH = 140


def novel_groups(workspace: Workspace) -> list[Json]:
    """Groups, the most convincing first: number, proposed name, size, and texts that are typical."""
    shown = list_groups(workspace)[:_MOST_GROUPS]
    typical = [task_id for group in shown for task_id in group["typical"][:_TYPICAL]]
    texts = read_snippets(workspace, typical, length=_LENGTH)
    pictured = workspace.pictures.shown_by(typical)
    return [_group(group, texts, pictured) for group in shown]


def novelty_words(signals: Signals, *, in_tab: int) -> str | None:
    """What stands out, and how many of it are `in_tab`; None where nothing does."""
    found = signals.novelty
    if found is None or not (found.flags or found.unanswered):
        return None
    return f"{found.words} {counted(in_tab, 'task')} in groups, still to answer." if in_tab else found.words


def _group(group: Json, texts: dict[int, str], pictured: set[int]) -> Json:
    found = [
        {"task": task_id, "text": texts[task_id], "picture": task_id in pictured}
        for task_id in group["typical"][:_TYPICAL]
        if task_id in texts
    ]
    return {"number": group["group"], "name": group["name"], "size": group["size"], "typical": found}
