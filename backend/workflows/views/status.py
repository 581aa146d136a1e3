"""What a person wants to know about a project at a glance."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from backend.context import Context
from backend.database import Hint, Loop, Project, Task
from backend.workflows.findings.classes import list_groups
from backend.workflows.project.projects import get_project, project_settings
from backend.workflows.serving.publish import window_left
from backend.workflows.views.dashboard.state import is_running
from backend.workflows.views.dashboard.synthetic import verdict_counts
from backend.workflows.views.signals import newest_signals
from backend.workflows.work import living_workers
from model.registry import Manifest, RegistryError

Json = dict[str, Any]


def all_statuses(context: Context) -> list[Json]:
    """The status of every connected project."""
    with context.database.session() as session:
        projects = session.scalars(select(Project).where(Project.connected).order_by(Project.id)).all()
    return [_status(context, project) for project in projects]


def project_status(context: Context, label_studio_id: int) -> Json:
    """The status of one project. Raises NotFound."""
    return _status(context, get_project(context, label_studio_id))


def list_versions(context: Context, label_studio_id: int) -> list[Json]:
    """Every model version of a project, newest first, with what it was measured to be worth."""
    project = get_project(context, label_studio_id)
    rows = []
    for name in sorted(context.registry.versions(project.key), reverse=True):
        active = name == project.active_version
        try:
            _head, manifest = context.registry.load(project.key, name)
        except RegistryError:
            rows.append(_unreadable_row(name, active=active))
            continue
        rows.append(_version_row(manifest, active=active))
    return rows


def version_metrics(context: Context, project: Project) -> Json:
    """What the version in use was measured to be worth; empty when there is none that can be read."""
    manifest = _active_manifest(context, project)
    return dict(manifest.metrics) if manifest else {}


def _unreadable_row(name: str, *, active: bool) -> Json:
    empty: Json = {"created_at": "", "representation": "", "strategy": "", "classes": 0, "metrics": {}}
    return {"version": name, "active": active, "kind": "unreadable"} | empty


def _version_row(manifest: Manifest, *, active: bool) -> Json:
    return {
        "version": manifest.version,
        "active": active,
        "kind": manifest.kind,
        "representation": manifest.representation,
        "created_at": manifest.created_at,
        "strategy": manifest.strategy,
        "classes": len(manifest.classes),
        "metrics": manifest.metrics,
    }


def _status(context: Context, project: Project) -> Json:
    with context.database.session() as session:
        tasks, labelled = session.execute(
            select(func.count(), func.count(Task.label)).where(Task.project_id == project.id)
        ).one()
        hints = session.scalar(select(func.count()).where(Hint.project_id == project.id)) or 0
        loop = session.scalar(
            select(Loop).where(Loop.project_id == project.id).order_by(Loop.id.desc()).limit(1)
        )
    settings = project_settings(context, project)
    manifest = _active_manifest(context, project)
    measured = newest_signals(context, project)
    return {
        "project": project.label_studio_id,
        "title": project.title,
        "connected": project.connected,
        "version": project.active_version,
        "tasks": tasks,
        "labelled": labelled,
        "window": {"size": settings.queue_window, "left": len(window_left(context, project))},
        "pending_hints": hints,
        "last_webhook": _moment(project.last_webhook_at),
        "last_loop": _loop_row(loop),
        "running": is_running(project),
        "workers": living_workers(context),
        "representation": manifest.representation if manifest else None,
        "metrics": dict(manifest.metrics) if manifest else {},
        "signals": measured.stored if measured else {},
        "groups": list_groups(context, project.label_studio_id),
        "verdicts": verdict_counts(context, project),
        "settings": settings.model_dump(mode="json"),
    }


def _active_manifest(context: Context, project: Project) -> Manifest | None:
    if project.active_version is None:
        return None
    try:
        _head, manifest = context.registry.load(project.key, project.active_version)
    except RegistryError:
        return None
    return manifest


def _loop_row(loop: Loop | None) -> Json | None:
    if loop is None:
        return None
    return {
        "loop": loop.id,
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
