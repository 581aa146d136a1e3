"""What is published: versions, and the places of the window."""

from __future__ import annotations

from backend.workflows.project.workspace import Workspace


def published_versions(workspace: Workspace, *, limit: int) -> list[str]:
    """The versions published last, the active one first."""
    names = [workspace.state.active_version, *workspace.loops.published_versions()]
    return list(dict.fromkeys(name for name in names if name))[:limit]


def window_left(workspace: Workspace) -> list[int]:
    """Tasks of the active window that still wait, in order."""
    return workspace.windows.left(workspace.state.active_version)
