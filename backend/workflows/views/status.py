"""What a person wants to know about a project at a glance."""

from __future__ import annotations

from datetime import UTC, datetime

from backend.context import Context
from backend.json_types import Json
from backend.label_studio.queue_settings import Disturbance, find_disturbances
from backend.workflows.intake.earlier_findings import list_groups, verdict_counts
from backend.workflows.intake.encoding_words import encoding_words
from backend.workflows.intake.published import window_left
from backend.workflows.intake.second_looks import second_looks
from backend.workflows.intake.unread_pictures import unread_pictures
from backend.workflows.project.account import read_account
from backend.workflows.project.damage import notices
from backend.workflows.project.lease import is_running
from backend.workflows.project.parking import read_parked
from backend.workflows.project.workers import living_workers
from backend.workflows.project.workspace import Workspace, connected_workspaces
from backend.workflows.serving.stored import damage
from backend.workflows.views.dashboard.charts import unanswered_labels
from backend.workflows.views.priority import view_priority
from backend.workflows.views.signals import newest_signals
from backend.workflows.views.switched import newest_switch
from backend.workflows.views.versions import active_manifest


def all_statuses(context: Context) -> list[Json]:
    """The status of every connected project."""
    return [project_status(workspace) for workspace in connected_workspaces(context)]


def project_status(workspace: Workspace) -> Json:
    """The status of one project."""
    tasks, labelled = workspace.tasks.count_labelled()
    settings = workspace.settings
    manifest = active_manifest(workspace)
    measured, unread = newest_signals(workspace), unread_pictures(workspace)
    return {
        "project": workspace.label_studio_id,
        "title": workspace.state.title,
        "dashboard": workspace.context.settings.dashboard_link(workspace.label_studio_id),
        "connected": workspace.state.connected,
        "version": workspace.state.active_version,
        "damage": damage(workspace),
        "damaged_columns": workspace.damaged_columns,
        "settings_passed_over": workspace.settings_passed_over,
        "notices": notices(workspace),
        "tasks": tasks,
        "labelled": labelled,
        "switched": newest_switch(workspace),
        "account": read_account(workspace).to_json(),
        "unread_pictures": unread.count,
        "unread_words": unread.words if unread.count else "",
        "window": {"size": settings.queue_window, "left": len(window_left(workspace))},
        "encoding": encoding_words(workspace),
        "priority": view_priority(workspace).to_json(),
        "second_looks": len(second_looks(workspace)),
        "order": {
            "settings": workspace.state.queue_settings,
            "disturbances": [found.to_json() for found in _disturbances(workspace)],
        },
        "pending_hints": workspace.hints.count(),
        "is_pulled": workspace.state.is_pulled,
        "last_webhook": _moment(workspace.state.last_webhook_at),
        "last_loop": _last_loop(workspace),
        "running": is_running(workspace),
        "parked": parked.to_json() if (parked := read_parked(workspace)) else None,
        "workers": living_workers(workspace.context),
        "representation": manifest.representation if manifest else None,
        "metrics": dict(manifest.metrics) if manifest else {},
        "signals": measured.stored if measured else {},
        "unanswered": unanswered_labels(measured.signals) if measured else [],
        "groups": list_groups(workspace),
        "verdicts": verdict_counts(workspace),
        "settings": settings.model_dump(mode="json"),
    }


def _disturbances(workspace: Workspace) -> list[Disturbance]:
    return find_disturbances(workspace.state.queue_settings, project=workspace.label_studio_id)


def _last_loop(workspace: Workspace) -> Json | None:
    loop = workspace.loops.newest()
    if loop is None:
        return None
    return {
        "loop": loop.id,
        "number": workspace.loops.count_to(loop.id),
        "started_at": loop.started_at.isoformat(timespec="seconds") + "Z",
        "finished_at": loop.finished_at.isoformat(timespec="seconds") + "Z" if loop.finished_at else None,
        "reason": loop.reason,
        "outcome": loop.outcome,
        "version": loop.version,
        "error": loop.error,
        "figures": loop.figures,
    }


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
