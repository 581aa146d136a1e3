"""What keeps a project from working, with the command line's cure; read from the database alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from backend.label_studio.queue_settings import Disturbance, find_disturbances
from backend.workflows.project.damage import passed_over, row_damage
from backend.workflows.project.parking import read_parked
from backend.workflows.project.workers import NO_WORKER, START_A_WORKER, living_workers
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving.stored import damage
from backend.workflows.views.wording import duration, moment, sentence, tried_again

_RUN = "Run: "


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what does not work, why, and what to type (`command`), if that is what helps."""

    key: str
    title: str
    words: str
    command: str = ""
    tone: Literal["warning", "bad"] = "bad"


def find_faults(workspace: Workspace) -> list[Fault]:
    """Everything that is known to be wrong, what stops most first."""
    kinds = (_connection, _last_look, _worker, _order, _damage, _settings)
    return [fault for kind in kinds for fault in kind(workspace)]


def _connection(workspace: Workspace) -> list[Fault]:
    if workspace.state.connected:
        return []
    return [
        Fault(
            "connection",
            "This project is not connected any more",
            "Label Studio no longer knows this backend, so nothing is learned and nothing is ordered.",
            f"nextlabel connect {workspace.label_studio_id}",
        )
    ]


def _worker(workspace: Workspace) -> list[Fault]:
    if living_workers(workspace.context):
        return []
    words = f"{NO_WORKER.capitalize()}. People may go on labeling."
    return [Fault("worker", "Nothing learns at the moment", words, START_A_WORKER)]


def _last_look(workspace: Workspace) -> list[Fault]:
    """The last look at Label Studio failed: since when, why, and that nobody needs to stop."""
    last = workspace.loops.newest_ended()
    if last is None or last.outcome != "failed":
        return []
    begun = moment(workspace.loops.failing_since() or last.started_at)["words"]
    latest = moment(last.finished_at or last.started_at)["words"]
    again = "" if latest == begun else f", the last time {latest}"
    words = (
        f"First {begun}{again}. {_reason(last.error)} Answers stay in Label Studio "
        "and are read as soon as a look succeeds: nothing is lost."
    )
    parked = read_parked(workspace)
    if parked is None:
        return [Fault("look", "Looking at Label Studio fails", words)]
    pause_s = (parked.until - datetime.now(UTC)).total_seconds()
    number = workspace.label_studio_id
    words = f"{words} {tried_again(f'in {duration(pause_s)}', number)}."
    return [Fault("look", "Looking at Label Studio keeps failing", words, f"nextlabel loop {number}")]


def _reason(error: str | None) -> str:
    """Why a look failed, as a whole sentence."""
    words = (error or "No reason was recorded.").rstrip()
    return words if words.endswith((".", "!", "?")) else f"{words}."


def _damage(workspace: Workspace) -> list[Fault]:
    """Files or rows that were lost or cannot be read."""
    faults = []
    command = f"nextlabel loop {workspace.label_studio_id}"
    if words := damage(workspace):
        faults.append(Fault("damage", "Files of the model are damaged", _healing(words), command))
    if words := row_damage(workspace):
        faults.append(Fault("row", "The database holds what cannot be read", _healing(words), command))
    return faults


def _healing(words: str) -> str:
    return f"{sentence(words)} It mends by itself; this does it now."


def _settings(workspace: Workspace) -> list[Fault]:
    """Settings of the project's own that this release does not know."""
    words = passed_over(workspace)
    if words is None:
        return []
    return [Fault("settings", "Some settings are not used", sentence(words), tone="warning")]


def _order(workspace: Workspace) -> list[Fault]:
    """Settings of Label Studio under which the order does not hold."""
    found = find_disturbances(workspace.state.queue_settings, project=workspace.label_studio_id)
    return [_setting(one) for one in found if one.verdict == "fault"]


def _setting(one: Disturbance) -> Fault:
    words, command = f"{one.setting}: {one.words}.", one.cure.removeprefix(_RUN)
    if command == one.cure:
        words, command = f"{words} {one.cure}", ""
    return Fault(f"setting-{one.setting}", "Label Studio does not serve the order", words, command)
