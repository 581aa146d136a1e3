"""The map of the pool: where each task of its sample stands, and by what it can be coloured."""

from __future__ import annotations

from backend.json_types import Json
from backend.label_studio.tabs import FLAG_FIELD, TITLES
from backend.workflows.project.workspace import Workspace
from backend.workflows.views.snippets import shorten

_SNIPPET = 120


def map_points(workspace: Workspace) -> Json:
    """One value per point in each list: id, place, label, predicted label, confidence, flag, snippet."""
    rows = workspace.map_points.read_with_tasks(length=2 * _SNIPPET)
    return {
        "task": [row.task_id for row in rows],
        "x": [round(row.x, 4) for row in rows],
        "y": [round(row.y, 4) for row in rows],
        "label": [row.label for row in rows],
        "predicted": [row.predicted for row in rows],
        "confidence": [row.confidence for row in rows],
        "flag": [_flag(row.shown) for row in rows],
        "synthetic": [row.is_synthetic for row in rows],
        "text": [shorten(row.beginning, _SNIPPET) for row in rows],
    }


def _flag(shown: Json | None) -> str | None:
    flag = (shown or {}).get(FLAG_FIELD)
    return TITLES.get(flag, flag) if flag else None
