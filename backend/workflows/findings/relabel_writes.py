"""Writes a change of classes to Label Studio, and takes it back; what it writes is kept first.

The order of writes: old and new labels stand in the config together while annotations are rewritten, so that
a process that dies in the middle leaves answers that all fit the config.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from backend.database import RelabelledAnswer, Relabelling
from backend.errors import NotFound
from backend.json_types import Json
from backend.label_studio.client import LabelStudio
from backend.label_studio.connection import Refused
from backend.label_studio.relabel import Change, added_labels, used_labels, with_old_labels
from backend.store.relabellings import LEFT, RESTORED
from backend.workflows.project.lease import check_lease
from backend.workflows.project.workspace import Workspace

# What a new annotation takes over of one that was taken out; its number and its dates are given anew.
_TAKEN_OVER = ("result", "completed_by", "was_cancelled", "ground_truth", "lead_time")


@dataclass(frozen=True, slots=True)
class Undone:
    """What came of taking a change back.

    `restored` annotations are as they were, `left` ones were changed by somebody since. `kept` are labels of
    the change that answers still have, so that the config keeps them. `is_edited`: the config was edited
    since, so that nothing was taken out of it.
    """

    restored: int
    left: int
    kept: tuple[str, ...]
    is_edited: bool


def write_change(
    workspace: Workspace, remote: LabelStudio, row: Relabelling, change: Change, *, asks_again: bool
) -> None:
    """Writes the config with both, the annotations, the config after.

    The second look is for those who answered by the old config meanwhile.
    """
    write_config(workspace, remote, old=change.before, new=change.both)
    _rewrite_all(workspace, remote, row, change, asks_again=asks_again)
    write_config(workspace, remote, old=change.both, new=change.after)
    _rewrite_all(workspace, remote, row, change, asks_again=asks_again)


def write_config(workspace: Workspace, remote: LabelStudio, *, old: str, new: str) -> None:
    """Writes a labeling config where it is another one."""
    if old != new:
        check_lease(workspace)
        remote.update_project(workspace.label_studio_id, label_config=new)


def every_annotation(workspace: Workspace, remote: LabelStudio) -> Iterator[tuple[int, Json]]:
    """Every annotation of the project with the number of its task, read to the end before the first."""
    pages = list(remote.annotated_tasks(workspace.label_studio_id))
    for task in (task for page in pages for task in page):
        for annotation in task["annotations"]:
            yield int(task["id"]), annotation


def is_emptied(annotation: Json, after: list[Json]) -> bool:
    """Whether an answer would say nothing at all any more: a skip says something."""
    return not after and not annotation.get("was_cancelled")


def take_back(workspace: Workspace, remote: LabelStudio, row: Relabelling) -> Undone:
    """Brings config and annotations back to what they were before a change, as far as nobody changed them.

    May be broken off and begun again. Raises BadRequest when the config has lost the question.
    """
    now = remote.project(workspace.label_studio_id)["label_config"]
    is_edited = now not in (row.config_before, row.config_both, row.config_after)
    both = with_old_labels(now, row.config_before, row.question) if is_edited else row.config_both
    write_config(workspace, remote, old=now, new=both)
    for answer in workspace.relabellings.kept(row):
        check_lease(workspace)
        state = RESTORED if _restore(remote, answer) else LEFT
        workspace.relabellings.settle(answer, state)
    kept = () if is_edited else _still_used(workspace, remote, row)
    if not kept and not is_edited:
        write_config(workspace, remote, old=both, new=row.config_before)
    counts = workspace.relabellings.count(row)
    return Undone(counts[RESTORED], counts[LEFT], kept, is_edited)


def _rewrite_all(
    workspace: Workspace, remote: LabelStudio, row: Relabelling, change: Change, *, asks_again: bool
) -> None:
    for task_id, listed in every_annotation(workspace, remote):
        if change.rewrite(listed.get("result")) is None:
            continue
        check_lease(workspace)
        with suppress(NotFound):  # somebody may delete it at this moment
            # read once more right before it is written: minutes may have gone by since the list
            now = remote.annotation(int(listed["id"]))
            after = change.rewrite(now["result"])
            if after is not None:
                is_removed = asks_again and is_emptied(now, after)
                workspace.relabellings.keep(row, task_id, now, after, removed=is_removed)
                _write(remote, int(now["id"]), after, is_removed=is_removed)


def _write(remote: LabelStudio, annotation_id: int, after: list[Json], *, is_removed: bool) -> None:
    if is_removed:
        remote.delete_annotation(annotation_id)
    else:
        remote.rewrite_annotation(annotation_id, after)


def _find(remote: LabelStudio, annotation_id: int) -> Json | None:
    try:
        return remote.annotation(annotation_id)
    except NotFound:
        return None


def _still_used(workspace: Workspace, remote: LabelStudio, row: Relabelling) -> tuple[str, ...]:
    """New labels that answers have, of people who gave them after the change or changed theirs."""
    added = added_labels(row.config_before, row.config_both, row.question)
    found: set[str] = set()
    if added:
        for _task_id, annotation in every_annotation(workspace, remote):
            found |= used_labels(annotation.get("result"), row.question, added)
    return tuple(label for label in added if label in found)


def _restore(remote: LabelStudio, answer: RelabelledAnswer) -> bool:
    """Whether an annotation is as it was: it was never written, or was put back; False: it was left."""
    now = _find(remote, answer.annotation_id)
    before = answer.before
    if now is not None and now["result"] == before["result"]:
        return True
    if answer.is_removed:
        return now is None and _put_back(remote, answer)
    if now is None or now["result"] != answer.after:
        return False
    remote.rewrite_annotation(answer.annotation_id, before["result"])
    return True


def _put_back(remote: LabelStudio, answer: RelabelledAnswer) -> bool:
    """Adds an annotation that was taken out; not to a task that is gone, or that its author answered anew."""
    try:
        there = remote.annotations_of(answer.task_id)
    except NotFound:
        return False
    author = answer.before["completed_by"]
    mine = [one for one in there if one["completed_by"] == author]
    if mine:
        return any(one["result"] == answer.before["result"] for one in mine)
    fields = {name: answer.before[name] for name in _TAKEN_OVER if answer.before.get(name) is not None}
    parent = answer.before.get("parent_prediction")
    try:
        remote.create_annotation(answer.task_id, fields | ({"parent_prediction": parent} if parent else {}))
    except Refused:  # predictions go when a version does, and with one that is gone nothing is taken
        remote.create_annotation(answer.task_id, fields)
    return True
