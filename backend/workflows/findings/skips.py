"""What people skipped, as questions to whoever runs the project, and what may be opened again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import numpy as np

from backend.database import SkipGroup
from backend.workflows.findings.group_names import propose_names
from backend.workflows.intake.earlier_findings import ADDED, ADDED_DECISION
from backend.workflows.project.skip_states import ANSWERS, CLASS, OPEN, REOPEN
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving.serving import Serving
from backend.workflows.training.learn import Learned
from model.novelty.grouping import Group, group_items, match_groups
from model.novelty.naming import number_group
from model.skips import FEWEST, Waiting

FEWEST_TASKS = 5  # of which it is worth to ask somebody
_FITS = 0.5  # confidence from which on a skipped task fits a class that was made later
_CLASS_DECISIONS = (ADDED_DECISION, f"skips-{CLASS}")


def find_skips(workspace: Workspace, learned: Learned, serving: Serving, *, behind: Waiting) -> None:
    """Renews the groups of skipped tasks that nobody answered for, and what may be opened again.

    Of the tasks `behind` all others, a question is about those that are more likely to be skipped than not.
    """
    seen = learned.seen
    skipped = set(seen.embeddings.ids[seen.skipped].tolist())
    waiting = set(behind.likely.tolist())
    groups, rest = _gather(workspace, learned, skipped, waiting)
    rows = workspace.skip_groups.read()
    fresh = _extend_settled(rows, [*groups, *rest], skipped)
    taken = _match(rows, [group for group in groups if group in fresh], mixed=False)
    taken += _match(rows, [group for group in rest if group in fresh], mixed=True)
    names = propose_names(workspace, learned, [group for group, _row, mixed in taken if not mixed])
    _write(workspace, rows, taken, (names, skipped, waiting))
    _offer_again(workspace, _fitting(workspace, serving, skipped))


def _gather(
    workspace: Workspace, learned: Learned, skipped: set[int], waiting: set[int]
) -> tuple[list[Group], list[Group]]:
    """Groups of skipped and waiting tasks that seem to be of one kind; and what is left, as one or none."""
    seen = learned.seen
    if not waiting:  # few or scattered skips are nothing to ask about
        return [], []
    items = seen.embeddings.take(np.isin(seen.embeddings.ids, sorted(skipped | waiting)))
    found = group_items(items, seen.labelled_embeddings, seen.labels, seed=workspace.seed % 2**32)
    groups = [group for group in found if _is_worth_asking(group.ids, skipped, waiting)]
    grouped = {task_id for group in groups for task_id in group.ids}
    rest = sorted(skipped - grouped) + sorted(waiting - grouped)
    is_worth = _is_worth_asking(rest, skipped, waiting)
    return groups, [Group(tuple(rest), 0.0)] if is_worth else []


def _is_worth_asking(task_ids: Sequence[int], skipped: set[int], waiting: set[int]) -> bool:
    is_skipped = len(skipped.intersection(task_ids)) >= FEWEST
    return is_skipped and len(task_ids) >= FEWEST_TASKS and not waiting.isdisjoint(task_ids)


def _extend_settled(rows: Sequence[SkipGroup], groups: Sequence[Group], skipped: set[int]) -> list[Group]:
    """The groups that no answer holds for; a group of which half was answered for joins that answer."""
    settled = {row.number: row for row in rows if row.state in ANSWERS}
    answered = {
        task_id: number for number, row in settled.items() for task_id in [*row.skipped, *row.waiting]
    }
    fresh = []
    for group in groups:
        known = Counter(answered[task_id] for task_id in group.ids if task_id in answered)
        if 2 * known.total() < len(group.ids):
            fresh.append(group)
            continue
        row = settled[known.most_common(1)[0][0]]
        if row.state != CLASS:  # a skip from after there was the class is about something else
            mine = [task_id for task_id in group.ids if task_id in skipped]
            row.skipped = list(dict.fromkeys([*row.skipped, *mine]))
    return fresh


def _match(
    rows: Sequence[SkipGroup], groups: Sequence[Group], *, mixed: bool
) -> list[tuple[Group, SkipGroup | None, bool]]:
    """Each group, the question that it continues, and whether it is mixed."""
    known = {row.number: row for row in rows if row.state == OPEN and row.is_mixed == mixed}
    members = {number: [*row.skipped, *row.waiting] for number, row in known.items()}
    found = match_groups(members, groups)
    return [
        (group, None if number is None else known[number], mixed)
        for group, number in zip(groups, found, strict=True)
    ]


def _write(
    workspace: Workspace,
    rows: Sequence[SkipGroup],
    taken: Sequence[tuple[Group, SkipGroup | None, bool]],
    details: tuple[Sequence[str], set[int], set[int]],
) -> None:
    """Writes questions down, one that goes on under its number and name, and what joined an answer."""
    names, skipped, waiting = details
    free = max((row.number for row in rows), default=0) + 1
    kept = [row for row in rows if row.state in ANSWERS]
    for (group, row, mixed), name in zip(taken, [*names, ""], strict=False):
        if row is None:
            named = "" if mixed else name or number_group(free)
            row = workspace.skip_groups.new(free, name=named, state=OPEN)
            free += 1
        row.is_mixed = mixed
        row.skipped = [task_id for task_id in group.ids if task_id in skipped]
        row.waiting = [task_id for task_id in group.ids if task_id in waiting]
        kept.append(row)
    numbers = {row.number for row in kept}
    gone = [row for row in rows if row.state == OPEN and row.number not in numbers]
    workspace.skip_groups.renew(kept, gone=gone)


def _fitting(workspace: Workspace, serving: Serving, skipped: set[int]) -> dict[str, list[int]]:
    """Skipped tasks by the class that fits them and was made after they were skipped."""
    made = _made_classes(workspace)
    names = serving.head.space.names
    if not skipped or not made.keys() & set(names):
        return {}
    answers = workspace.tasks.read_answers_of(sorted(skipped))
    told = _told(workspace)
    found: dict[str, list[int]] = {}
    for task_id, belief in serving.believe(sorted(skipped)).items():
        label = told.get(task_id) or (names[int(belief.argmax())] if belief.max() >= _FITS else "")
        if label in made and label in names and _was_before(answers[task_id], made[label]):
            found.setdefault(label, []).append(task_id)
    return found


def _made_classes(workspace: Workspace) -> dict[str, datetime]:
    """The classes that people made here, and when."""
    return {
        str(row.details.get("label")): row.decided_at
        for row in workspace.decisions.read_all()
        if row.kind in _CLASS_DECISIONS
    }


def _told(workspace: Workspace) -> dict[int, str]:
    """Tasks of groups that a person made a class, skipped ones or such as fit no label, and that class."""
    found = {task_id: row.name for row in workspace.groups.in_state(ADDED) for task_id in row.members}
    return found | {task_id: row.name for row in workspace.skip_groups.read(CLASS) for task_id in row.skipped}


def _was_before(answers: Sequence[dict[str, object]], moment: datetime) -> bool:
    """Whether nobody skipped a task again once there was the class."""
    newest = max((str(said["at"]) for said in answers or ()), default="")
    return newest[:19] <= moment.isoformat(timespec="seconds")


def _offer_again(workspace: Workspace, fitting: dict[str, list[int]]) -> None:
    before = workspace.skip_groups.read()
    rows = {row.name: row for row in before if row.state == REOPEN}
    free = max((row.number for row in before), default=0) + 1
    kept = []
    for label, task_ids in fitting.items():
        row = rows.get(label)
        if row is None:
            row = workspace.skip_groups.new(free, name=label, state=REOPEN)
            row.is_mixed, row.waiting = False, []
            free += 1
        row.skipped = task_ids
        kept.append(row)
    gone = [row for label, row in rows.items() if label not in fitting]
    workspace.skip_groups.renew(kept, gone=gone)
