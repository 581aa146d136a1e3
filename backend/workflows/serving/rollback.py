"""Lets an earlier version serve again, until new labels come."""

from __future__ import annotations

from backend.errors import BadRequest
from backend.label_studio.label_config import LabelConfig, parse_label_config
from backend.workflows.intake.published import window_left
from backend.workflows.intake.snapshot import take_snapshot
from backend.workflows.project.hints import leave_hint
from backend.workflows.project.lease import PEOPLE_WAIT_S, lease
from backend.workflows.project.progress import Progress
from backend.workflows.project.registration import find_row
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving import publish
from backend.workflows.serving.first_question import answers_first_question
from backend.workflows.serving.serving import load_serving
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
            _require_same_question(workspace, config, version)
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


def _require_same_question(workspace: Workspace, config: LabelConfig, version: str) -> None:
    """Raises BadRequest for a version of another first question, or that knows none of its labels."""
    if not answers_first_question(workspace, config, version):
        first = config.questions[0].name
        raise BadRequest(
            f"Version {version} was made for another question than {first!r} is today.",
            hint=f"Choose a version that was made since: nextlabel versions {workspace.label_studio_id}",
        )
