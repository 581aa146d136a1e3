"""What a person decides about skipped tasks: a new class, not for this project, ask on; open some again."""

from __future__ import annotations

from backend.database import SkipGroup
from backend.errors import BadRequest, NotFound
from backend.label_studio.label_config import parse_label_config
from backend.workflows.findings.classes import put_label
from backend.workflows.project.hints import leave_hint
from backend.workflows.project.lease import PEOPLE_WAIT_S, check_lease, lease
from backend.workflows.project.skip_states import ANSWERS, CLASS, OPEN, REOPEN, REOPENED
from backend.workflows.project.workspace import Workspace

# A deletion is a call, in which annotators wait on SQLite: who has more presses the button again.
MOST_REOPENED = 200


def answer_skips(
    workspace: Workspace, number: int, answer: str, *, name: str, by: str, wait_s: float = PEOPLE_WAIT_S
) -> SkipGroup:
    """Settles a group of skipped tasks for good, tasks like them included, and asks for a loop.

    `class`: they are of the label `name` (the proposed one if empty), which joins the labeling config unless
    it is there. `exclude`: tasks like
    these wait behind all others, and nobody is asked for a second look at what was skipped. `ask`: they come
    as before. Raises NotFound, BadRequest.
    """
    if answer not in ANSWERS:
        raise BadRequest(f"{answer!r} is no answer.", hint=f"Answer one of: {', '.join(ANSWERS)}.")
    with lease(workspace, wait_s=wait_s):
        group = _find(workspace, number, OPEN)
        label = group.name
        if answer == CLASS:
            label = _label_there_is(workspace, name) or put_label(workspace, name or group.name)
        workspace.skip_groups.decide(group, state=answer, name=label, by=by)
    leave_hint(workspace, "training")
    return group


def reopen_skips(workspace: Workspace, number: int, *, by: str, wait_s: float = PEOPLE_WAIT_S) -> int:
    """Takes the skips of a group of tasks back, so that they are asked again; returns how many tasks.

    Only cancelled annotations go; at most `MOST_REOPENED` tasks at a time. Raises NotFound, BadRequest.
    """
    with lease(workspace, wait_s=wait_s):
        group = _find(workspace, number, REOPEN)
        remote = workspace.context.label_studio()
        try:
            skips = remote.skips(workspace.label_studio_id, set(group.skipped[:MOST_REOPENED]))
            for annotation_id in (annotation for found in skips.values() for annotation in found):
                check_lease(workspace)
                remote.delete_annotation(annotation_id)
        finally:
            remote.close()
        workspace.skip_groups.decide(group, state=REOPENED, name=group.name, by=by)
    leave_hint(workspace, "training")
    return len(skips)


def _label_there_is(workspace: Workspace, name: str) -> str | None:
    """The label of the config that is written just so; one that is nearly so is for `put_label` to refuse."""
    wanted = " ".join(name.split())
    remote = workspace.context.label_studio()
    try:
        config = remote.project(workspace.label_studio_id)["label_config"]
    finally:
        remote.close()
    labels = parse_label_config(config, workspace.preference).labels
    return next((label.name for label in labels if wanted in (label.name, label.title)), None)


def _find(workspace: Workspace, number: int, state: str) -> SkipGroup:
    group = workspace.skip_groups.find(number)
    hint = f"See: nextlabel skips list {workspace.label_studio_id}"
    if group is None:
        raise NotFound(
            f"Project {workspace.label_studio_id} has no group {number} of skipped tasks.", hint=hint
        )
    if group.state != state:
        raise BadRequest(f"Group {number} of skipped tasks waits for no such answer.", hint=hint)
    return group
