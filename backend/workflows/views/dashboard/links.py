"""Where in Label Studio people find what the page speaks of."""

from __future__ import annotations

from backend.label_studio.tabs import TITLES
from backend.workflows.project.workspace import Workspace


def project_address(workspace: Workspace) -> str:
    """The Data Manager of a project."""
    return f"{workspace.context.settings.label_studio_link}/projects/{workspace.label_studio_id}/data"


def tab_addresses(workspace: Workspace) -> dict[str, str]:
    """Our tabs there, by flag."""
    address = project_address(workspace)
    return {
        kind: f"{address}?tab={number}" for kind, number in workspace.state.tabs.items() if kind in TITLES
    }
