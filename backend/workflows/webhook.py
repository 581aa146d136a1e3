"""Takes Label Studio's events down as hints; the worker finds out what they mean."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from backend.context import Context
from backend.database import Project
from backend.errors import BadRequest, NotFound
from backend.workflows.hints import HintKind, leave_hint
from backend.workflows.projects import created_stamp, find_project

Json = dict[str, Any]

_KINDS: Mapping[str, HintKind] = {
    "ANNOTATION_CREATED": "labels",
    "ANNOTATIONS_CREATED": "labels",
    "ANNOTATION_UPDATED": "labels",
    "ANNOTATIONS_DELETED": "labels",
    "TASKS_CREATED": "tasks",
    "TASKS_DELETED": "tasks",
    "PROJECT_UPDATED": "config",
    "START_TRAINING": "training",
}


def take_event(context: Context, action: str, data: Json) -> bool:
    """Leaves a hint for an event; False when there is nothing to do. Raises BadRequest or NotFound."""
    details = data.get("project")
    if not isinstance(details, dict) or not isinstance(details.get("id"), int):
        # other senders (and the library's own tests) post events without a project
        return False
    project = _known_project(context, details)
    with context.database.session() as session:
        session.get_one(Project, project.id).last_webhook_at = time.time()
    kind = _KINDS.get(action)
    if kind is None or (kind == "config" and details.get("label_config") == project.label_config):
        # our own changes of the project come back as PROJECT_UPDATED
        return False
    leave_hint(context, project, kind, count=_how_many(data) if kind == "labels" else 1)
    return True


def _known_project(context: Context, details: Json) -> Project:
    number = details["id"]
    try:
        stamp = created_stamp(details)
    except (KeyError, ValueError):
        raise BadRequest(
            "`project.created_at` is missing or no time.", hint="Label Studio sends it."
        ) from None
    with context.database.session() as session:
        project = find_project(session, number, stamp)
    if project is None or not project.connected:
        raise NotFound(
            f"Project {number} is not connected to this backend.",
            hint=f"Run: python -m backend connect {number}",
        )
    return project


def _how_many(data: Json) -> int:
    annotations = data.get("annotations")
    return max(1, len(annotations)) if isinstance(annotations, list) else 1
