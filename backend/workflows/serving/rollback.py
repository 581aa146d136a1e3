"""Lets an earlier version serve again, until new labels come."""

from __future__ import annotations

from backend.errors import BadRequest
from backend.label_studio.label_config import parse_label_config
from backend.task_types import is_single_choice
from backend.workflows.intake.earlier_questions import answered_then
from backend.workflows.intake.published import window_left
from backend.workflows.intake.snapshot import take_snapshot
from backend.workflows.project.hints import leave_hint
from backend.workflows.project.lease import PEOPLE_WAIT_S, lease
from backend.workflows.project.progress import Progress
from backend.workflows.project.registration import find_row
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving import publish
from backend.workflows.serving.serving import Serving, load_serving
from backend.workflows.serving.stored import require_version
from backend.workflows.serving.window import first_window, publish_places, rank_pool


def rollback(
    workspace: Workspace,
    version: str,
    *,
    progress: Progress,
    wait_s: float = PEOPLE_WAIT_S,
) -> int:
    """Publishes the window that an earlier version asks for now, and switches to it; returns its size.

    The loop leaves it alone until the data changes. Raises NotFound for an unknown version,
    BadRequest for one that does not answer the first question of the config.
    """
    require_version(workspace, version)
    label_studio_id = workspace.label_studio_id
    remote = workspace.context.label_studio()
    try:
        with lease(workspace, wait_s=wait_s):
            if workspace.state.active_version == version:
                return len(window_left(workspace))
            config = parse_label_config(remote.project(label_studio_id)["label_config"], workspace.preference)
            backend = find_row(workspace, remote)
            snapshot = take_snapshot(workspace, config)
            serving = load_serving(workspace, snapshot, config=config, version=version)
            _require_same_question(workspace, serving)
            progress.stage("removing old places")
            publish.clear_version(workspace, remote, version=version)
            ranking = rank_pool(workspace, serving)
            window = first_window(workspace, serving, ranking)
            progress.stage("publishing", total=len(window))
            report = publish_places(workspace, remote, serving, ranking=ranking, task_ids=window)
            publish.activate(
                workspace, remote, version=version, fingerprint=snapshot.fingerprint, backend=backend
            )
    finally:
        remote.close()
    # the worker cleans up what served before
    leave_hint(workspace, "timer")
    return report.kept


def _require_same_question(workspace: Workspace, serving: Serving) -> None:
    """Raises BadRequest for a version of another first question, or that knows none of its labels."""
    first = serving.config.questions[0]
    if not is_single_choice(serving.config):
        asked = {one.question.name: set(one.head.space.names) for one in serving.questions}
        known = asked.get(first.name, set())
    else:
        then = answered_then(workspace, serving.version)
        is_same = serving.choice is not None and (then is None or then[0].question.name == first.name)
        known = set(serving.head.space.names) if is_same else set()
    if not known.intersection(label.name for label in first.labels):
        raise BadRequest(
            f"Version {serving.version} was made for another question than {first.name!r} is today.",
            hint=f"Choose a version that was made since: nextlabel versions {workspace.label_studio_id}",
        )
