"""What our row among Label Studio's models says of us: its title is the version, its description the state.

The page of 1.23.2 draws the title and the address of a row; the description is in its API.
"""

from __future__ import annotations

from backend.label_studio.versions import is_by_name, version_number
from backend.workflows.project.workspace import Workspace


def describe(workspace: Workspace) -> str:
    """Who we are, which model serves and from how many labels on, and where the dashboard is."""
    version = workspace.state.active_version
    link = workspace.context.settings.dashboard_link(workspace.label_studio_id)
    return f"Nextlabel: {_state(workspace, version)} Dashboard: {link}"


def _state(workspace: Workspace, version: str | None) -> str:
    if version is None:
        return "the first order of the tasks is being made."
    tasks, labelled = workspace.tasks.count_labelled()
    how = " goes by the label names; it" if is_by_name(version) else ""
    return f"model {version_number(version)}{how} serves since {labelled} of {tasks} tasks had a label."
