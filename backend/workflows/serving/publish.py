"""Brings a ranking into Label Studio: predictions of the window first, then the switch, then the sweep.

Whatever instant the process is killed at, the version that Label Studio serves has a full window.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backend.errors import LabelStudioError
from backend.json_types import Json
from backend.label_studio.client import LabelStudio, UnknownTask
from backend.label_studio.queue_order import window_score
from backend.label_studio.results import prediction
from backend.label_studio.versions import version_number
from backend.workflows.project.card import describe
from backend.workflows.project.lease import check_lease, is_held_by_another
from backend.workflows.project.registration import backend_address
from backend.workflows.project.workspace import Workspace
from model.records import Lane

logger = logging.getLogger(__name__)

# Tasks may be deleted while a loop runs; more than this many in one loop is no coincidence.
_MOST_UNKNOWN_TASKS = 20
# Old predictions are deleted one by one with a pause: the bulk call blocks annotators on SQLite.
_SWEEP_PAUSE_S = 0.05
# What older versions may leave while loops follow each other closely: so many windows.
_MOST_WINDOWS_LEFT = 3


@dataclass(frozen=True, slots=True)
class Placement:
    """One task of the window: its lane, the regions of its pre-annotation (none if it is blank), its line."""

    task_id: int
    lane: Lane
    result: list[Json]
    line: str = ""


@dataclass(frozen=True, slots=True)
class PublishReport:
    """How many predictions Label Studio kept, and which tasks it did not take."""

    kept: int
    rejected: tuple[int, ...]


def import_window(
    workspace: Workspace,
    remote: LabelStudio,
    *,
    version: str,
    placements: Sequence[Placement],
    first_position: int = 0,
) -> PublishReport:
    """Sends a window's predictions and writes down which places were taken. Raises LeaseLost."""
    check_lease(workspace)
    window = workspace.settings.queue_window
    places = list(enumerate(placements, start=first_position))
    payload = [
        {"task": place.task_id}
        | prediction(place.result, version=version, score=window_score(position, window=window))
        for position, place in places
    ]
    kept, rejected = send(remote, workspace.label_studio_id, payload)
    if kept + len(rejected) < len(places):
        stored = {int(row["task"]) for row in remote.predictions_of(workspace.label_studio_id, version)}
        unseen = {place.task_id for _, place in places} - stored
        rejected += sorted(unseen - set(rejected))
    if rejected:
        logger.warning(
            "label studio took no prediction project=%s tasks=%s", workspace.label_studio_id, rejected
        )
    gone = set(rejected)
    taken = [
        (position, place.task_id, place.lane, place.line)
        for position, place in places
        if place.task_id not in gone
    ]
    workspace.windows.add(version, taken)
    return PublishReport(kept=kept, rejected=tuple(rejected))


def send(remote: LabelStudio, label_studio_id: int, predictions: Sequence[Json]) -> tuple[int, list[int]]:
    """Imports predictions; returns how many were kept, and the tasks that are not there any more."""
    gone: list[int] = []
    left = list(predictions)
    while left:
        try:
            return remote.import_predictions(label_studio_id, left), gone
        except UnknownTask as error:
            if len(gone) >= _MOST_UNKNOWN_TASKS:
                raise
            gone.append(error.task_id)
            left = [row for row in left if row["task"] != error.task_id]
    return 0, gone


def activate(
    workspace: Workspace, remote: LabelStudio, *, version: str, fingerprint: str, backend: Json | None
) -> None:
    """Makes a version the one that serves: here first (one row), then in Label Studio. Raises LeaseLost."""
    check_lease(workspace)
    workspace.change(active_version=version, active_fingerprint=fingerprint)
    align(workspace, remote, backend=backend)


def align(workspace: Workspace, remote: LabelStudio, *, backend: Json | None) -> list[str]:
    """Makes Label Studio's two version strings equal to ours; returns what had to be mended.

    `backend` is our row, which carries one of them; None where there is none. Raises LeaseLost.
    """
    version = workspace.state.active_version
    mended = []
    if backend is not None and {backend["title"], backend["model_version"]} != {version}:
        address = backend_address(workspace.context.settings)
        check_lease(workspace)
        fields = address | {"title": version, "description": describe(workspace)}
        remote.update_ml_backend(backend["id"], project=workspace.label_studio_id, **fields)
        mended.append("backend title")
    if remote.project(workspace.label_studio_id)["model_version"] != version:
        check_lease(workspace)
        remote.update_project(workspace.label_studio_id, model_version=version)
        if remote.project(workspace.label_studio_id)["model_version"] != version:
            raise LabelStudioError(
                f"Label Studio did not switch project {workspace.label_studio_id} to version {version}.",
                hint=f"Run: nextlabel doctor {workspace.label_studio_id}",
            )
        mended.append("project version")
    return mended


def forget_lost(workspace: Workspace, remote: LabelStudio) -> int:
    """Forgets places whose prediction somebody deleted, so that they are filled again; returns how many."""
    version = workspace.state.active_version or ""
    places = workspace.windows.task_ids(version)
    if len(places) <= remote.model_versions(workspace.label_studio_id).get(version, 0):
        return 0
    lost = places - {int(row["task"]) for row in remote.predictions_of(workspace.label_studio_id, version)}
    workspace.windows.remove(version, lost)
    return len(lost)


def sweep(
    workspace: Workspace,
    remote: LabelStudio,
    *,
    kept: Callable[[], set[str]],
    interrupted: Callable[[], bool],
) -> int:
    """Deletes predictions of our older versions, one by one, until done or interrupted; returns how many.

    Whoever rolls back meanwhile makes an old version one of those `kept`: it is left alone from then on.
    """
    counts = {
        name: count
        for name, count in remote.model_versions(workspace.label_studio_id).items()
        if version_number(name) is not None and name not in kept()
    }
    left, swept = sum(counts.values()), 0
    most_left = _MOST_WINDOWS_LEFT * workspace.settings.queue_window
    for version in counts:
        rows = remote.predictions_of(workspace.label_studio_id, version)
        if is_held_by_another(workspace):
            # it may be a rollback to this very version: these rows could be new ones
            return swept
        for row in rows:
            if (left - swept <= most_left and interrupted()) or version in kept():
                return swept
            remote.delete_prediction(int(row["id"]))
            swept += 1
            time.sleep(_SWEEP_PAUSE_S)
    if not is_held_by_another(workspace):
        # a rollback writes down the places of a version before it serves
        workspace.windows.keep_only(kept())
    return swept


def clear_version(workspace: Workspace, remote: LabelStudio, *, version: str) -> None:
    """Removes what is left of a version that does not serve, so that its window can be published anew."""
    for row in remote.predictions_of(workspace.label_studio_id, version):
        remote.delete_prediction(int(row["id"]))
    workspace.windows.clear(version)
