"""What is published: versions, and the places of the window."""

from __future__ import annotations

from backend.workflows.intake.second_looks import second_looks
from backend.workflows.project.workspace import Workspace


def published_versions(workspace: Workspace, *, limit: int) -> list[str]:
    """The versions published last, the active one first."""
    names = [workspace.state.active_version, *workspace.loops.published_versions()]
    return list(dict.fromkeys(name for name in names if name))[:limit]


def window_left(workspace: Workspace) -> list[int]:
    """Tasks of the active window that wait for their first answer, in order: anybody is served these."""
    return workspace.windows.left(workspace.state.active_version)


def window_for(workspace: Workspace, person: int) -> list[int]:
    """Tasks of the active window that this person is served, in order, second looks included."""
    candidates = second_looks(workspace)
    answers = workspace.tasks.read_answers_of(candidates)
    others = {
        task_id for task_id in candidates if all(said["by"] != person for said in answers[task_id] or [])
    }
    return workspace.windows.left(workspace.state.active_version, also=others)
