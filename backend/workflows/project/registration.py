"""What Label Studio is told of this backend: its row among the ML backends, its webhook, its settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from backend.errors import NextlabelError, NotConnected, NotFound
from backend.json_types import Json
from backend.label_studio.versions import version_number
from backend.settings import Settings
from backend.workflows.project.hints import HintKind
from backend.workflows.project.reference import created_stamp
from backend.workflows.project.workspace import Workspace

if TYPE_CHECKING:  # its HTTP library is only for those who call Label Studio
    from backend.label_studio.client import LabelStudio

SAMPLING_DEFAULT = "Sequential sampling"
SECRET_HEADER = "X-Nextlabel-Secret"
WEBHOOK_PATH = "/webhook"
# The events that Label Studio is asked to send, and what each may have changed.
WEBHOOK_EVENTS: Mapping[str, HintKind] = {
    "ANNOTATION_CREATED": "labels",
    "ANNOTATIONS_CREATED": "tasks",
    "ANNOTATION_UPDATED": "labels",
    "ANNOTATIONS_DELETED": "labels",
    "TASKS_CREATED": "tasks",
    "TASKS_DELETED": "tasks",
    "PROJECT_UPDATED": "config",
}
# Where /setup finds a project's own settings in Label Studio's extra_params.
EXTRA_PARAMS_KEY = "nextlabel"


def backend_address(settings: Settings) -> Json:
    """Address and log-in of this backend, which every change of its row in Label Studio must repeat.

    Label Studio tries a change out with what the change itself carries, not with what it has stored.
    """
    fields: Json = {"url": settings.backend_url, "auth_method": "NONE"}
    if settings.basic_auth_user:
        fields |= {
            "auth_method": "BASIC_AUTH",
            "basic_auth_user": settings.basic_auth_user,
            "basic_auth_pass": settings.basic_auth_pass.get_secret_value(),
        }
    return fields


def find_backend(settings: Settings, remote: LabelStudio, label_studio_id: int) -> Json:
    """Our row among a project's ML backends. Raises NotConnected."""
    for row in remote.ml_backends(label_studio_id):
        if str(row["url"]).rstrip("/") == settings.backend_url:
            return row
    raise NotConnected(
        f"Project {label_studio_id} in Label Studio has no ML backend at {settings.backend_url}.",
        hint=f"Run: nextlabel connect {label_studio_id}",
    )


def find_row(workspace: Workspace, remote: LabelStudio) -> Json | None:
    """Our row in a project, None where Label Studio cannot call us and has none. Raises NotConnected."""
    if workspace.state.is_pulled:
        return None
    return find_backend(workspace.context.settings, remote, workspace.label_studio_id)


def earlier_backends(settings: Settings, remote: LabelStudio, label_studio_id: int) -> list[Json]:
    """Rows of this backend under addresses that it had before: they carry the name of a version of ours."""
    return [
        row
        for row in remote.ml_backends(label_studio_id)
        if str(row["url"]).rstrip("/") != settings.backend_url
        and version_number(str(row["title"])) is not None
    ]


def earlier_webhooks(
    settings: Settings, workspace: Workspace, remote: LabelStudio, *, addresses: Iterable[str]
) -> list[Json]:
    """Webhooks that lead to an address this backend had before, Label Studio's own and ours."""
    bases = {f"{address.rstrip('/')}{WEBHOOK_PATH}" for address in addresses}
    query = f"project={workspace.reference}"
    found = []
    for hook in remote.webhooks(workspace.label_studio_id):
        base, _, asked = str(hook["url"]).partition("?")
        is_of_old_row = base in bases and asked in ("", query)
        is_ours = base.endswith(WEBHOOK_PATH) and asked == query
        if (is_of_old_row or is_ours) and base != f"{settings.backend_url}{WEBHOOK_PATH}":
            found.append(hook)
    return found


def is_gone(workspace: Workspace, remote: LabelStudio) -> bool:
    """Whether the project itself, or our row in it, was taken away in Label Studio. In doubt it was not."""
    try:
        if is_deleted(workspace, remote):
            return True
        find_row(workspace, remote)
    except NotConnected:
        return True
    except NextlabelError:
        return False
    return False


def is_deleted(workspace: Workspace, remote: LabelStudio) -> bool:
    """Whether the project was deleted in Label Studio; its number may be another's now."""
    try:
        details = remote.project(workspace.label_studio_id)
    except NotFound:
        return True
    return created_stamp(details) != workspace.state.created_stamp


def webhook_headers(settings: Settings) -> dict[str, str]:
    """Headers by which Label Studio's webhooks prove that they come from it."""
    return {SECRET_HEADER: settings.webhook_secret.get_secret_value()}


def webhook_fields(settings: Settings, workspace: Workspace) -> Json:
    """How the webhook of a project must be.

    The project stands in the address, so that no payload is needed: making one (it counts all tasks and
    annotations) costs the annotator a fifth of every submit.
    """
    return {
        "url": f"{settings.backend_url}{WEBHOOK_PATH}?project={workspace.reference}",
        "send_payload": False,
        "send_for_all_actions": False,
        "actions": list(WEBHOOK_EVENTS),
        "headers": webhook_headers(settings),
        "is_active": True,
    }


def webhook_is_right(settings: Settings, workspace: Workspace, hook: Json) -> bool:
    """Whether a webhook has the right address, the secret and all events we need."""
    wanted = webhook_fields(settings, workspace)
    plain = ("url", "send_payload", "send_for_all_actions", "is_active")
    return (
        all(hook[name] == wanted[name] for name in plain)
        and set(hook["actions"]) == set(wanted["actions"])
        and (hook["headers"] or {}) == wanted["headers"]
    )


def our_webhooks(settings: Settings, remote: LabelStudio, label_studio_id: int) -> list[Json]:
    """The project's webhooks that lead here, Label Studio's own and ours."""
    address = f"{settings.backend_url}{WEBHOOK_PATH}"
    return [
        hook for hook in remote.webhooks(label_studio_id) if str(hook["url"]).partition("?")[0] == address
    ]


def mend_webhooks(workspace: Workspace, remote: LabelStudio) -> list[str]:
    """Makes a project have one webhook that leads here, as it must be; returns what changed."""
    settings = workspace.context.settings
    hooks = our_webhooks(settings, remote, workspace.label_studio_id)
    wanted = webhook_fields(settings, workspace)
    for extra in hooks[1:]:
        remote.delete_webhook(extra["id"])
    if not hooks:
        remote.create_webhook(project=workspace.label_studio_id, **wanted)
        return ["webhook added"]
    if len(hooks) == 1 and webhook_is_right(settings, workspace, hooks[0]):
        return []
    remote.update_webhook(hooks[0]["id"], **wanted)
    return ["webhook mended"]
