"""What people see of us where an admin wants it: the line above a task, a link in the description."""

from __future__ import annotations

from backend.label_studio.client import LabelStudio
from backend.label_studio.label_config import add_note, has_note, remove_note
from backend.workflows.project.workspace import Workspace

_LINK = "Nextlabel: "


def show_line(workspace: Workspace, remote: LabelStudio) -> list[str]:
    """Lets the labeling config show the line of each task; returns what was done."""
    if (noted := add_note(_config(workspace, remote))) is None:
        return []
    remote.update_project(workspace.label_studio_id, label_config=noted)
    return ["a line that explains tasks added to the labeling config"]


def shows_line(workspace: Workspace, remote: LabelStudio) -> bool:
    """Whether the labeling config shows the line of each task."""
    return has_note(_config(workspace, remote))


def hide_line(workspace: Workspace, remote: LabelStudio) -> list[str]:
    """Takes the line out of the labeling config; returns what was done."""
    if (plain := remove_note(_config(workspace, remote))) is None:
        return []
    remote.update_project(workspace.label_studio_id, label_config=plain)
    return ["the line that explains tasks removed from the labeling config"]


def add_link(workspace: Workspace, remote: LabelStudio) -> list[str]:
    """Adds a link to the dashboard to the project's description; returns what was done."""
    link = _LINK + workspace.context.settings.dashboard_link(workspace.label_studio_id)
    before = _description(workspace, remote)
    lines = [*_without_link(before), link]
    if before.splitlines() == lines:
        return []
    remote.update_project(workspace.label_studio_id, description="\n".join(lines))
    return ["a link to the dashboard added to the project's description"]


def remove_link(workspace: Workspace, remote: LabelStudio) -> list[str]:
    """Takes the link out of the project's description; returns what was done."""
    before = _description(workspace, remote)
    lines = _without_link(before)
    if before.splitlines() == lines:
        return []
    remote.update_project(workspace.label_studio_id, description="\n".join(lines))
    return ["the link to the dashboard removed from the project's description"]


def _config(workspace: Workspace, remote: LabelStudio) -> str:
    # read anew each time: another change of the config must not be written over
    return str(remote.project(workspace.label_studio_id)["label_config"])


def _description(workspace: Workspace, remote: LabelStudio) -> str:
    return str(remote.project(workspace.label_studio_id).get("description") or "")


def _without_link(description: str) -> list[str]:
    return [line for line in description.splitlines() if not line.startswith(f"{_LINK}http")]
