"""Takes Label Studio's events down as hints; the worker finds out what they mean."""

from __future__ import annotations

import time
from collections.abc import Mapping

from backend.context import Context
from backend.errors import BadRequest, NotFound
from backend.json_types import Json
from backend.store.events import Arrived, Event
from backend.workflows.project.hints import HintKind, wake_row
from backend.workflows.project.reference import LARGEST_ID, created_stamp, parse_reference
from backend.workflows.project.registration import WEBHOOK_EVENTS
from backend.workflows.project.workspace import find_workspace

# The button "Start training" is no event that a webhook can ask for: it comes by the ML protocol.
_KINDS: Mapping[str, HintKind] = {**WEBHOOK_EVENTS, "START_TRAINING": "training"}


def take_event(context: Context, action: str, data: Json, *, reference: str | None = None) -> bool:
    """Leaves a hint for an event; False when there is nothing to do. Raises BadRequest or NotFound.

    The project is named by `reference` (from the webhook's address), or by the payload where there is one.
    """
    identity = parse_reference(reference) if reference else _identity(data)
    if identity is None:
        # other senders (and the library's own tests) post events without a project
        return False
    number, stamp = identity
    kind = _KINDS.get(action)
    if kind == "config" and _config_is_known(context, number, stamp, data):
        kind = None
    arrived = _taken_down(context, Event(number, stamp, kind, time.time()))
    if arrived.wakes:
        wake_row(context, arrived.project, number)
    return kind is not None


def _identity(data: Json) -> tuple[int, int] | None:
    details = data.get("project")
    if not isinstance(details, dict) or not isinstance(details.get("id"), int):
        return None
    try:
        return details["id"], created_stamp(details)
    except (KeyError, ValueError):
        raise BadRequest(
            "`project.created_at` is missing or no time.", hint="Label Studio sends it."
        ) from None


def _config_is_known(context: Context, number: int, stamp: int, data: Json) -> bool:
    details = data.get("project")
    if not isinstance(details, dict) or "label_config" not in details:
        return False
    workspace = find_workspace(context, number, stamp)
    return workspace is not None and details["label_config"] == workspace.state.label_config


def _taken_down(context: Context, event: Event) -> Arrived:
    arrived = context.events.take(event) if 0 <= event.number <= LARGEST_ID else None
    if arrived is None:
        raise NotFound(
            f"Project {event.number} is not connected to this backend.",
            hint=f"Run: nextlabel connect {event.number}",
        )
    return arrived
