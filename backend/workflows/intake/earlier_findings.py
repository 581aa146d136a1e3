"""What earlier loops found and people decided: groups of novel tasks, verdicts on synthetic ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.database import NovelGroup, Verdict
from backend.json_types import Json
from backend.workflows.project.skip_states import REOPENED
from backend.workflows.project.workspace import Workspace
from model.synthetic.items import VERDICTS

if TYPE_CHECKING:
    from backend.workflows.intake.snapshot import Snapshot

OPEN, ADDED, REJECTED = "open", "added", "rejected"
ADDED_DECISION = f"group-{ADDED}"
# So many labels make a new class one like all others; until then its group is asked first.
_ENOUGH_OF_A_CLASS = 5
# Fewer tasks than that are asked about in the queue, but not shown to people who decide.
_FEWEST_TO_SHOW = 5


def list_groups(workspace: Workspace) -> list[Json]:
    """The groups of a project to decide about, as they are shown, the most convincing first."""
    return [_group_row(group) for group in shown_groups(workspace)]


def shown_groups(workspace: Workspace) -> list[NovelGroup]:
    """The open groups that are large enough to show, unless there is nothing but false alarms among them."""
    return [
        group
        for group in read_groups(workspace, OPEN)
        if len(group.members) >= _FEWEST_TO_SHOW and group.figures.get("telling", True)
    ]


def count_shown(workspace: Workspace, snapshot: Snapshot) -> int:
    """How many tasks without an answer are in the groups that are shown: as many as their tab holds."""
    waiting = set(snapshot.embeddings.ids[snapshot.pool].tolist())
    return len({task_id for group in shown_groups(workspace) for task_id in group.members} & waiting)


def was_asked(group: NovelGroup, open_tasks: set[int]) -> bool:
    """Whether somebody labelled or skipped a task of a group since it was first found."""
    return bool(group.figures.get("asked")) or not open_tasks.issuperset(group.members)


def new_class_members(workspace: Workspace, snapshot: Snapshot) -> dict[int, str]:
    """Tasks of groups that a person made a class, while it has few labels, and that label."""
    found = {task_id: group.name for group in fresh_groups(workspace, snapshot) for task_id in group.members}
    return found | reopened_skips(workspace, snapshot)


def reopened_skips(workspace: Workspace, snapshot: Snapshot) -> dict[int, str]:
    """Tasks that were skipped before there was their class, and opened again, while it has few labels."""
    fresh = _classes_with_few_labels(snapshot)
    return {
        task_id: group.name
        for group in workspace.skip_groups.read(REOPENED)
        if group.name in fresh
        for task_id in group.skipped
    }


def novel_members(workspace: Workspace) -> dict[int, str]:
    """Tasks of groups that nobody decided about, and the name of their group."""
    return {task_id: group.name for group in read_groups(workspace, OPEN) for task_id in group.members}


def fresh_groups(workspace: Workspace, snapshot: Snapshot) -> list[NovelGroup]:
    """Groups that became a class which has few labels yet."""
    fresh = _classes_with_few_labels(snapshot)
    return [group for group in read_groups(workspace, ADDED) if group.name in fresh]


def read_groups(workspace: Workspace, state: str) -> list[NovelGroup]:
    """The groups of a project in a state, the most convincing first."""
    return sorted(workspace.groups.in_state(state), key=_group_place)


def doubtful_verdicts(workspace: Workspace, snapshot: Snapshot) -> list[Verdict]:
    """Synthetic tasks that a person should look at, the most telling first."""
    waiting = {task.task_id for task in snapshot.synthetic if task.is_open}
    rows = [row for row in workspace.verdicts.of_kinds(("unsure",)) if row.task_id in waiting]
    return sorted(rows, key=lambda row: (-row.review_order, row.task_id))


def verdict_counts(workspace: Workspace) -> dict[str, int]:
    """How many synthetic tasks have each verdict."""
    found = workspace.verdicts.count()
    return {verdict: found.get(verdict, 0) for verdict in VERDICTS}


def _classes_with_few_labels(snapshot: Snapshot) -> set[str]:
    counts = zip(snapshot.labels.space.names, snapshot.labels.targets.sum(axis=0).tolist(), strict=True)
    return {name for name, count in counts if count < _ENOUGH_OF_A_CLASS}


def _group_place(group: NovelGroup) -> tuple[int, int]:
    rank = group.figures.get("rank")
    return (rank if isinstance(rank, int) else group.number, group.number)


def _group_row(group: NovelGroup) -> Json:
    return {
        "group": group.number,
        "name": group.name,
        "size": len(group.members),
        "rank": group.figures.get("rank", group.number),
        "cohesion": group.figures.get("cohesion"),
        "typical": group.typical,
        "version": group.version,
    }
