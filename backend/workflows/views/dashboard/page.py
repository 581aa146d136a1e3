"""The whole page of a project as one view model, read from the database alone."""

from __future__ import annotations

from datetime import UTC, datetime

from backend.context import Context
from backend.json_types import Json
from backend.label_studio.tabs import TITLES
from backend.workflows.project.damage import notices, row_damage
from backend.workflows.project.figures import Figures, HeadMetrics, Signals
from backend.workflows.project.workspace import Workspace, connected_workspaces
from backend.workflows.serving.stored import damage
from backend.workflows.views.dashboard.answers import advise, answer_questions
from backend.workflows.views.dashboard.charts import (
    calibration,
    class_table,
    learning_curve,
    unanswered_labels,
)
from backend.workflows.views.dashboard.history import decisions, loops, versions
from backend.workflows.views.dashboard.novelty import novel_groups
from backend.workflows.views.dashboard.quality import label_quality
from backend.workflows.views.dashboard.state import read_state
from backend.workflows.views.dashboard.synthetic import synthetic_view
from backend.workflows.views.signals import Measured, newest_signals
from backend.workflows.views.versions import version_metrics
from backend.workflows.views.wording import ago


def build_dashboard(workspace: Workspace) -> Json:
    """Everything the page of a project shows."""
    measured = newest_signals(workspace)
    signals = measured.signals if measured else Signals()
    answers = answer_questions(signals, HeadMetrics.read(version_metrics(workspace)))
    return {
        "project": _project_row(workspace),
        "state": read_state(workspace),
        "damage": damage(workspace) or row_damage(workspace),
        "notices": notices(workspace),
        "measured": _measured_row(workspace, measured),
        "answers": answers,
        "advice": advise(signals, answers[0]),
        "curve": learning_curve(signals),
        "calibration": calibration(signals),
        "classes": class_table(signals),
        "unanswered": unanswered_labels(signals),
        "novelty": novel_groups(workspace, signals),
        "synthetic": synthetic_view(workspace, signals),
        "quality": label_quality(signals),
        "versions": versions(workspace),
        "loops": loops(workspace),
        "decisions": decisions(workspace),
        "map": {"points": workspace.map_points.count()},
    }


def list_projects(context: Context) -> list[Json]:
    """A row for every connected project."""
    return [
        _project_row(workspace) | {"version": workspace.state.active_version}
        for workspace in connected_workspaces(context)
    ]


def _project_row(workspace: Workspace) -> Json:
    address = f"{workspace.context.settings.label_studio_link}/projects/{workspace.label_studio_id}/data"
    return {
        "id": workspace.label_studio_id,
        "title": workspace.state.title or f"Project {workspace.label_studio_id}",
        "is_connected": workspace.state.connected,
        "tasks": workspace.tasks.count(),
        "labels": _count_labels(workspace),
        "address": address,
        "tabs": {
            kind: f"{address}?tab={number}" for kind, number in workspace.state.tabs.items() if kind in TITLES
        },
    }


def _measured_row(workspace: Workspace, measured: Measured | None) -> Json | None:
    if measured is None:
        return None
    at = measured.at.replace(tzinfo=UTC)
    return {
        "version": measured.version,
        "iso": at.isoformat(timespec="seconds"),
        "words": ago((datetime.now(UTC) - at).total_seconds()),
        "is_other_version": measured.version != workspace.state.active_version,
    }


def _count_labels(workspace: Workspace) -> int:
    """As the last loop counted them: to count them here would read the text of every task."""
    return Figures.read(workspace.loops.newest_counted()).labels
