"""For a Label Studio that cannot call us: a worker asks it every few seconds what changed."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from backend.context import Context
from backend.errors import NotFound
from backend.json_types import Json
from backend.label_studio.client import LabelStudio
from backend.label_studio.queue_settings import read_queue_settings
from backend.workflows.project.hints import leave_hint
from backend.workflows.project.lease import is_running
from backend.workflows.project.workspace import Workspace, connected_workspaces

# More answers than this between two looks are worth a loop whatever the project's settings say.
_MOST_HINTS = 50


def pull_forever(context: Context, stop: threading.Event) -> None:
    """Every few seconds: a look at each project in which nothing is registered. Ends when it is told to."""
    puller = Puller()
    while not stop.wait(context.settings.pull_every_seconds):
        with context.survived.failures_of("asking Label Studio what changed"):
            for workspace in connected_workspaces(context):
                if workspace.state.is_pulled:
                    with context.survived.failures_of(f"asking for project {workspace.label_studio_id}"):
                        puller.look(workspace)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a look saw of a project: when a task changed last, numbers of tasks and annotations, settings."""

    until: str | None
    tasks: int
    annotations: int
    settings: Json

    def lacks_annotations_of(self, before: _Seen) -> bool:
        """Whether annotations went, which touches no task; what touched one was counted, maybe elsewhere."""
        return self.annotations != before.annotations and self.until == before.until


class Puller:
    """Leaves the hints that a webhook would have left. Remembers what it saw of each project."""

    def __init__(self) -> None:
        self._seen: dict[int, _Seen] = {}

    def look(self, workspace: Workspace) -> None:
        """A hint for each task that was answered since the last look, and one for whatever else changed.

        While a loop runs nothing is asked: what comes meanwhile is counted at the next look.
        """
        if is_running(workspace):
            return
        remote = workspace.context.label_studio()
        try:
            answered = _count_changed(workspace, remote)
            seen = _see(workspace, remote)
        except NotFound:
            # a loop asks once more, and takes the project for gone
            if self._seen.pop(workspace.id, None) is not None:
                leave_hint(workspace, "timer")
            raise
        finally:
            remote.close()
        before = self._seen.get(workspace.id)
        self._seen[workspace.id] = seen
        if before is None:
            leave_hint(workspace, "timer")
        elif before.settings != seen.settings:
            leave_hint(workspace, "config")
        elif before.tasks != seen.tasks or seen.lacks_annotations_of(before):
            leave_hint(workspace, "tasks")
        for _ in range(min(answered, _MOST_HINTS)):
            leave_hint(workspace, "labels")


def _count_changed(workspace: Workspace, remote: LabelStudio) -> int:
    """How many tasks were touched since the last look, of any worker; none at the first."""
    before = workspace.state.pulled_until
    changed, newest = remote.changed_since(workspace.label_studio_id, before)
    if newest is not None:
        workspace.change(pulled_until=newest)
    return 0 if before is None else changed


def _see(workspace: Workspace, remote: LabelStudio) -> _Seen:
    details = remote.project(workspace.label_studio_id)
    settings = read_queue_settings(details) | {
        "label_config": details["label_config"],
        # ours, or what somebody else set
        "is_our_version": details["model_version"] == workspace.state.active_version,
    }
    tasks, annotations = remote.counts(workspace.label_studio_id)
    return _Seen(workspace.state.pulled_until, tasks, annotations, settings)
