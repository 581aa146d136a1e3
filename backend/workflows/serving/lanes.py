"""Places in the window, and notes on tasks, for what the last loop found: novel groups and doubtful items."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from sqlalchemy import select

from backend.context import Context
from backend.database import NovelGroup, Project, Verdict
from backend.workflows.findings.classes import ADDED, OPEN
from backend.workflows.findings.notes import Note, coarse_ranks
from backend.workflows.intake.snapshot import Snapshot
from backend.workflows.project.projects import project_settings
from model.novelty.grouping import order_of_asking
from model.ranking import LaneQueue

# So many labels make a new class one like all others; until then its group is asked first.
_ENOUGH_OF_A_CLASS = 5
_MOST_REDUNDANT = 2000


def lane_queues(context: Context, project: Project, snapshot: Snapshot) -> list[LaneQueue]:
    """What asks for places of its own: groups of novel tasks, and synthetic tasks to review.

    Groups that became a class come whole, and soon, as does the most typical task of every group of which
    nobody has seen one yet; after these one task of each other group, and then the rest of all.
    """
    settings = project_settings(context, project)
    open_tasks = set(snapshot.embeddings.ids[snapshot.pool].tolist())
    fresh = [task_id for group in _fresh_groups(context, project, snapshot) for task_id in group.members]
    groups = _groups(context, project, OPEN)
    unseen = [group for group in groups if not was_asked(group, open_tasks)]
    soon = [task_id for task_id in fresh if task_id in open_tasks] + [group.members[0] for group in unseen]
    candidates = [[task_id for task_id in group.members if task_id in open_tasks] for group in groups]
    novel = np.array(soon + order_of_asking(candidates), dtype=np.int64)
    doubtful = [row.task_id for row in _doubtful(context, project, snapshot)]
    return [
        LaneQueue("novelty", novel, settings.novelty_share, soon=len(soon)),
        LaneQueue("synthetic", np.array(doubtful, dtype=np.int64), settings.synthetic_share),
    ]


def was_asked(group: NovelGroup, open_tasks: set[int]) -> bool:
    """Whether somebody labelled or skipped a task of a group since it was first found."""
    return bool(group.figures.get("asked")) or not open_tasks.issuperset(group.members)


def new_class_members(context: Context, project: Project, snapshot: Snapshot) -> dict[int, str]:
    """Tasks of groups that a person made a class, while it has few labels, and that label."""
    return {
        task_id: group.name
        for group in _fresh_groups(context, project, snapshot)
        for task_id in group.members
    }


def finding_notes(context: Context, project: Project, snapshot: Snapshot) -> dict[int, Note]:
    """The notes of novel groups and of verdicts on synthetic tasks."""
    open_tasks = set(snapshot.embeddings.ids[snapshot.pool].tolist())
    notes: dict[int, Note] = {}
    for place, group in enumerate(_groups(context, project, OPEN), start=1):
        text = f"Possible new class: {group.name} ({len(group.members)} similar tasks)"
        notes |= {task_id: Note("novel", text, place) for task_id in group.members if task_id in open_tasks}
    doubtful = _doubtful(context, project, snapshot)
    ranks = coarse_ranks(len(doubtful))
    notes |= {
        row.task_id: Note("review", row.reason, rank) for row, rank in zip(doubtful, ranks, strict=True)
    }
    return notes | _verdict_notes(_verdicts(context, project, ("harmful", "redundant")))


def _verdict_notes(rows: Iterable[Verdict]) -> dict[int, Note]:
    notes = {}
    for row in list(rows)[:_MOST_REDUNDANT]:
        notes[row.task_id] = Note("harmful" if row.verdict == "harmful" else "redundant", row.reason)
    return notes


def _fresh_groups(context: Context, project: Project, snapshot: Snapshot) -> list[NovelGroup]:
    """Groups that became a class which has few labels yet."""
    names = snapshot.labels.space.names
    counts = dict(zip(names, snapshot.labels.targets.sum(axis=0).tolist(), strict=True))
    return [
        group
        for group in _groups(context, project, ADDED)
        if counts.get(group.name, _ENOUGH_OF_A_CLASS) < _ENOUGH_OF_A_CLASS
    ]


def _groups(context: Context, project: Project, state: str) -> list[NovelGroup]:
    with context.database.session() as session:
        groups = session.scalars(
            select(NovelGroup).where(NovelGroup.project_id == project.id, NovelGroup.state == state)
        ).all()
    return sorted(groups, key=_group_place)


def _group_place(group: NovelGroup) -> tuple[int, int]:
    rank = group.figures.get("rank")
    return (rank if isinstance(rank, int) else group.number, group.number)


def _doubtful(context: Context, project: Project, snapshot: Snapshot) -> list[Verdict]:
    """Synthetic tasks that a person should look at, the most telling first."""
    waiting = {task.task_id for task in snapshot.synthetic if task.is_open}
    rows = [row for row in _verdicts(context, project, ("unsure",)) if row.task_id in waiting]
    return sorted(rows, key=lambda row: (-row.review_order, row.task_id))


def _verdicts(context: Context, project: Project, kinds: Sequence[str]) -> list[Verdict]:
    with context.database.session() as session:
        return list(
            session.scalars(
                select(Verdict)
                .where(Verdict.project_id == project.id, Verdict.verdict.in_(kinds))
                .order_by(Verdict.task_id)
            )
        )
