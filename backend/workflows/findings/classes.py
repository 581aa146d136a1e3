"""What a person decides about a group of novel tasks: a new class of the project, or not a class."""

from __future__ import annotations

from backend.database import NovelGroup
from backend.errors import BadRequest, LabelStudioError, NotFound
from backend.label_studio.client import LabelStudio
from backend.label_studio.label_config import add_label, parse_label_config
from backend.workflows.intake.earlier_findings import ADDED, OPEN, REJECTED
from backend.workflows.project.hints import leave_hint
from backend.workflows.project.lease import PEOPLE_WAIT_S, lease
from backend.workflows.project.workspace import Workspace


def add_class(
    workspace: Workspace,
    number: int,
    *,
    name: str | None,
    by: str,
    wait_s: float = PEOPLE_WAIT_S,
) -> str:
    """Makes a group a class: adds the label to the labeling config and asks for a loop; returns the label.

    The config is read right before it is written, so that nobody's edit is lost. The next loop asks for the
    group's tasks first, pre-annotated with the new label. Raises NotFound, BadRequest.
    """
    with lease(workspace, wait_s=wait_s):
        group = _open_group(workspace, number)
        label = put_label(workspace, name or group.name)
        workspace.groups.decide(group, state=ADDED, label=label, by=by)
    leave_hint(workspace, "training")
    return label


def reject_group(workspace: Workspace, number: int, *, by: str, wait_s: float = PEOPLE_WAIT_S) -> None:
    """Says that a group is no class: tasks like its members are not shown as new again."""
    with lease(workspace, wait_s=wait_s):
        group = _open_group(workspace, number)
        workspace.groups.decide(group, state=REJECTED, label=None, by=by)
    leave_hint(workspace, "training")


def put_label(workspace: Workspace, name: str) -> str:
    """Adds a label to the labeling config, its blanks put right; returns it. Raises BadRequest."""
    label = " ".join(name.split())
    remote = workspace.context.label_studio()
    try:
        _add_label(workspace, remote, label)
    finally:
        remote.close()
    return label


def _add_label(workspace: Workspace, remote: LabelStudio, label: str) -> None:
    label_studio_id, preference = workspace.label_studio_id, workspace.preference
    before = remote.project(label_studio_id)["label_config"]
    remote.update_project(label_studio_id, label_config=add_label(before, label, preference))
    after = parse_label_config(remote.project(label_studio_id)["label_config"], preference)
    if label not in after.space.names:
        raise LabelStudioError(
            "Label Studio did not take the new label.", hint="Add it in the project's labeling interface."
        )


def _open_group(workspace: Workspace, number: int) -> NovelGroup:
    group = workspace.groups.find(number)
    hint = f"See: nextlabel classes list {workspace.label_studio_id}"
    if group is None:
        raise NotFound(f"Project {workspace.label_studio_id} has no group {number}.", hint=hint)
    if group.state != OPEN:
        raise BadRequest(f"Group {number} was {group.state} before.", hint=hint)
    return group
