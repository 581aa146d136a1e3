"""Gives every task outside the window its pre-annotation at once, when the admin asks for it."""

from __future__ import annotations

from backend.errors import NotConnected
from backend.label_studio.label_config import parse_label_config
from backend.label_studio.queue_order import live_score
from backend.label_studio.results import prediction
from backend.workflows.intake.batches import encode_rest
from backend.workflows.intake.snapshot import take_snapshot
from backend.workflows.loop import run_loop
from backend.workflows.project.lease import PEOPLE_WAIT_S, check_lease, lease
from backend.workflows.project.progress import Progress
from backend.workflows.project.registration import find_row
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving import publish
from backend.workflows.serving.serving import load_serving
from backend.workflows.serving.window import place, rank_pool

_CHUNK = 1000


def publish_project(workspace: Workspace, *, everything: bool, progress: Progress) -> int:
    """Runs a loop; with `everything`, also pre-annotates all tasks outside the window. Returns how many."""
    with lease(workspace, wait_s=PEOPLE_WAIT_S):
        run_loop(workspace, reason="publish", progress=progress)
        if everything and workspace.batches.count_tasks():
            progress.stage("encoding the rest of the texts")
            encode_rest(workspace)
            run_loop(workspace, reason="publish", progress=progress)
        return _publish_rest(workspace, progress=progress) if everything else 0


def _publish_rest(workspace: Workspace, *, progress: Progress) -> int:
    label_studio_id = workspace.label_studio_id
    version = workspace.state.active_version
    if version is None:
        raise NotConnected("Nothing is published yet.", hint=f"Run: nextlabel connect {label_studio_id}")
    remote = workspace.context.label_studio()
    try:
        config = parse_label_config(workspace.state.label_config, workspace.preference)
        snapshot = take_snapshot(workspace, config)
        serving = load_serving(workspace, snapshot, config=config, version=version)
        ranking = rank_pool(workspace, serving)
        there = {int(row["task"]) for row in remote.predictions_of(label_studio_id, version)}
        missing = [task_id for task_id in ranking.ids.tolist() if task_id not in there]
        progress.stage("pre-annotating", total=len(missing))
        sent = 0
        for start in range(0, len(missing), _CHUNK):
            chunk = missing[start : start + _CHUNK]
            check_lease(workspace)
            placements = place(serving, ranking, task_ids=chunk)
            payload = [
                {"task": placed.task_id}
                | prediction(
                    placed.result, version=version, score=live_score(1.0 - (start + row) / len(missing))
                )
                for row, placed in enumerate(placements)
            ]
            kept, _gone = publish.send(remote, label_studio_id, payload)
            sent += kept
            progress.advance(len(chunk))
        publish.align(workspace, remote, backend=find_row(workspace, remote))
        return sent
    finally:
        remote.close()
