"""Takes the connection of a project apart again."""

from __future__ import annotations

from backend.label_studio.client import LabelStudio
from backend.label_studio.required import free_answer
from backend.label_studio.versions import version_number
from backend.workflows.connection.register import unregister
from backend.workflows.connection.shown import hide_line, remove_link
from backend.workflows.findings.notes import remove_notes
from backend.workflows.project.lease import PEOPLE_WAIT_S, lease
from backend.workflows.project.progress import Progress, Silent
from backend.workflows.project.registration import SAMPLING_DEFAULT, is_deleted
from backend.workflows.project.workspace import Workspace


def disconnect(workspace: Workspace, *, progress: Progress | None = None) -> list[str]:
    """Takes everything back that connect put into Label Studio; returns what was done.

    Of a project that was deleted there nothing is left, and one that has its number now is left alone.
    `progress` is told of each stage: predictions and fields are taken back one by one, which takes minutes
    where there are thousands.
    """
    told = progress or Silent()
    remote = workspace.context.label_studio()
    try:
        with lease(workspace, wait_s=PEOPLE_WAIT_S, progress=told):
            told.stage("looking at Label Studio")
            if is_deleted(workspace, remote):
                done = ["Label Studio has no such project any more, so nothing was left to take back"]
            else:
                done = _take_back(workspace, remote, told)
            _forget_connection(workspace)
    finally:
        remote.close()
    return done


def _take_back(workspace: Workspace, remote: LabelStudio, progress: Progress) -> list[str]:
    label_studio_id = workspace.label_studio_id
    progress.stage("taking the backend out")
    done = unregister(workspace, remote) or ["no ML backend was registered"]
    removed = _remove_predictions(remote, label_studio_id, progress)
    done.append(f"{removed:,} predictions removed")
    cleaned = remove_notes(workspace, remote, progress=progress)
    done.append(f"our fields removed from {cleaned:,} tasks, and our tabs")
    progress.stage("setting Label Studio's settings back")
    done += hide_line(workspace, remote)
    done += remove_link(workspace, remote)
    done += _free_answer(workspace, remote)
    done += _set_sampling_back(workspace, remote)
    if before := workspace.state.settings_before:
        remote.update_project(label_studio_id, **before)
        workspace.change(settings_before={})
        done.append("tasks that several people answer come first again")
    return done


def _set_sampling_back(workspace: Workspace, remote: LabelStudio) -> list[str]:
    sampling = workspace.state.sampling_before or SAMPLING_DEFAULT
    if remote.project(workspace.label_studio_id).get("sampling") == sampling:
        return []
    remote.update_project(workspace.label_studio_id, sampling=sampling)
    return [f"sampling set back to {sampling!r}"]


def _free_answer(workspace: Workspace, remote: LabelStudio) -> list[str]:
    name = workspace.state.required_control
    if name is None:
        return []
    freed = free_answer(remote.project(workspace.label_studio_id)["label_config"], name)
    if freed is not None:
        remote.update_project(workspace.label_studio_id, label_config=freed)
    workspace.change(required_control=None)
    return [f"an answer to {name!r} is not required any more"]


def _remove_predictions(remote: LabelStudio, label_studio_id: int, progress: Progress) -> int:
    ours = {
        version: count
        for version, count in remote.model_versions(label_studio_id).items()
        if version_number(version) is not None
    }
    progress.stage("removing predictions", total=sum(ours.values()))
    removed = 0
    for version, count in ours.items():
        removed += remote.delete_version(label_studio_id, version)
        progress.advance(count)
    return removed


def _forget_connection(workspace: Workspace) -> None:
    workspace.change(connected=False, is_pulled=False, active_version=None, active_fingerprint=None)
