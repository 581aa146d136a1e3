"""Registers this backend with a project of Label Studio: its row, its webhook, the order of the queue."""

from __future__ import annotations

from backend.context import Context
from backend.errors import AddressBlocked, NotConnected
from backend.json_types import Json
from backend.label_studio.client import LabelStudio
from backend.label_studio.queue_settings import WANTED, read_queue_settings
from backend.settings import Settings
from backend.workflows.project.card import describe
from backend.workflows.project.registration import (
    EXTRA_PARAMS_KEY,
    backend_address,
    earlier_backends,
    earlier_webhooks,
    find_backend,
    mend_webhooks,
    our_webhooks,
)
from backend.workflows.project.workspace import Workspace

REGISTERED = "ML backend registered"
_CONNECTED = "CO"
_ORDER_CHANGES = {
    "sampling": f"sampling set to {WANTED['sampling']!r}",
    "show_collab_predictions": "pre-annotations switched on",
    "show_overlap_first": "tasks that several people answer do not come first any more",
}


def register(workspace: Workspace, remote: LabelStudio, *, details: Json) -> list[str]:
    """Makes this backend the project's ML backend, with its webhook and order; returns what changed.

    Where Label Studio cannot call this backend only the order is set.
    """
    if workspace.state.is_pulled:
        return unregister(workspace, remote) + _set_order(workspace, remote, details)
    changes = []
    number = workspace.label_studio_id
    wanted = _backend_fields(workspace.context.settings, workspace)
    earlier = earlier_backends(workspace.context.settings, remote, number)
    try:
        row = find_backend(workspace.context.settings, remote, number)
    except NotConnected:
        row, change = _move_or_create(workspace.context, remote, wanted, earlier)
        changes.append(change)
    if _differs(row, wanted) or row["state"] != _CONNECTED:
        remote.update_ml_backend(row["id"], **(wanted | {"title": row["title"]}))
        changes.append("ML backend updated")
    changes += _remove_earlier(workspace, remote, earlier, moved=row["id"])
    changes += _set_webhook(workspace, remote, is_new=REGISTERED in changes)
    return changes + _set_order(workspace, remote, details)


def unregister(workspace: Workspace, remote: LabelStudio) -> list[str]:
    """Takes this backend and its webhooks out of a project, under all its addresses; returns what changed."""
    settings, number = workspace.context.settings, workspace.label_studio_id
    changes = []
    for hook in our_webhooks(settings, remote, number):
        remote.delete_webhook(hook["id"])
        changes.append("webhook removed")
    changes += _remove_earlier(workspace, remote, earlier_backends(settings, remote, number), moved=-1)
    try:
        remote.delete_ml_backend(find_backend(settings, remote, number)["id"])
        changes.append("ML backend removed")
    except NotConnected:
        pass
    return changes


def _set_webhook(workspace: Workspace, remote: LabelStudio, *, is_new: bool) -> list[str]:
    changed = mend_webhooks(workspace, remote)
    # the webhook that Label Studio adds by itself is no fault to speak of
    return ["webhook added"] if changed and is_new else changed


def _set_order(workspace: Workspace, remote: LabelStudio, details: Json) -> list[str]:
    """Sets what must be so for our order to be served, and remembers how it was."""
    settings = read_queue_settings(details)
    wrong = {name: value for name, value in WANTED.items() if settings[name] != value}
    if "sampling" in wrong:
        workspace.change(sampling_before=str(settings["sampling"]))
    if "show_overlap_first" in wrong:
        workspace.change(settings_before={"show_overlap_first": settings["show_overlap_first"]})
    for name, value in wrong.items():
        remote.update_project(workspace.label_studio_id, **{name: value})
    return [_ORDER_CHANGES[name] for name in wrong]


def _move_or_create(
    context: Context, remote: LabelStudio, wanted: Json, earlier: list[Json]
) -> tuple[Json, str]:
    """Our row, and how it came: the one of an earlier address keeps the version that serves."""
    if not earlier:
        return _create_backend(context, remote, wanted), REGISTERED
    old = earlier[0]
    remote.update_ml_backend(old["id"], **(wanted | {"title": old["title"]}))
    found = find_backend(context.settings, remote, wanted["project"])
    return found, f"ML backend moved here from {old['url']}"


def _remove_earlier(
    workspace: Workspace, remote: LabelStudio, earlier: list[Json], *, moved: int
) -> list[str]:
    """Takes away what leads to addresses that this backend had before: each costs every submit."""
    changes = []
    for row in earlier:
        if row["id"] != moved:
            remote.delete_ml_backend(row["id"])
            changes.append(f"ML backend at {row['url']} removed")
    addresses = [str(row["url"]) for row in earlier]
    settings = workspace.context.settings
    for hook in earlier_webhooks(settings, workspace, remote, addresses=addresses):
        remote.delete_webhook(hook["id"])
        changes.append(f"webhook to {str(hook['url']).partition('?')[0]} removed")
    return changes


def _backend_fields(settings: Settings, workspace: Workspace) -> Json:
    return backend_address(settings) | {
        "project": workspace.label_studio_id,
        "title": workspace.version,
        "description": describe(workspace),
        "is_interactive": False,
        "extra_params": {EXTRA_PARAMS_KEY: workspace.state.overrides} if workspace.state.overrides else None,
    }


def _differs(row: Json, wanted: Json) -> bool:
    # a log-in that is not used any more stays in the row
    compared = {"extra_params", "auth_method", "basic_auth_user"} & set(wanted)
    return any((row.get(name) or None) != (wanted[name] or None) for name in compared)


def _create_backend(context: Context, remote: LabelStudio, fields: Json) -> Json:
    try:
        return remote.create_ml_backend(**fields)
    except AddressBlocked:
        # Label Studio may have kept a half-made row, which would never get its webhook.
        for row in remote.ml_backends(fields["project"]):
            if str(row["url"]).rstrip("/") == context.settings.backend_url:
                remote.delete_ml_backend(row["id"])
        raise
