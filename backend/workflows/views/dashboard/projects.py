"""All connected projects: the state, accuracy, decisions that wait and last look of each."""

from __future__ import annotations

from backend.context import Context
from backend.json_types import Json
from backend.workflows.project.account import read_account
from backend.workflows.project.figures import HeadMetrics, Signals
from backend.workflows.project.lease import is_running
from backend.workflows.project.workspace import Workspace, connected_workspaces
from backend.workflows.views.dashboard.faults import find_faults
from backend.workflows.views.dashboard.headline import Known, accuracy_card
from backend.workflows.views.dashboard.page import project_title
from backend.workflows.views.dashboard.state import overall
from backend.workflows.views.dashboard.waiting import count_waiting, find_waiting, gather
from backend.workflows.views.signals import newest_signals
from backend.workflows.views.versions import version_metrics
from backend.workflows.views.wording import model_name, moment


def list_projects(context: Context) -> list[Json]:
    """A row for every connected project."""
    return [_row(workspace) for workspace in connected_workspaces(context)]


def _row(workspace: Workspace) -> Json:
    measured = newest_signals(workspace)
    signals = measured.signals if measured else Signals()
    account, tasks = read_account(workspace), workspace.tasks.count()
    known = Known(signals, HeadMetrics.read(version_metrics(workspace)), account, tasks=tasks)
    waiting = find_waiting(gather(workspace, signals, account))
    faults = find_faults(workspace)
    return {
        "id": workspace.label_studio_id,
        "title": project_title(workspace),
        "tasks": tasks,
        "labels": account.learned,
        "version": workspace.state.active_version,
        "model": model_name(workspace.state.active_version),
        "accuracy": accuracy_card(workspace, known),
        "state": overall(workspace, faults, running=is_running(workspace)),
        "waiting": count_waiting(waiting)["decide"],
        "look": _last_look(workspace),
    }


def _last_look(workspace: Workspace) -> Json | None:
    loop = workspace.loops.newest_ended()
    return moment(loop.finished_at or loop.started_at) if loop else None
