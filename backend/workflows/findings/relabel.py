"""Labels are merged, renamed or split, with all answers that have them; and this is taken back."""

from __future__ import annotations

from dataclasses import dataclass

from backend.database import Relabelling
from backend.errors import BadRequest, LabelStudioError, NextlabelError, NotFound
from backend.label_studio.client import LabelStudio
from backend.label_studio.relabel import Change, Kind, plan_change
from backend.store.relabellings import DONE, KEPT, UNDONE, WRITING
from backend.workflows.findings.relabel_writes import (
    Undone,
    every_annotation,
    is_emptied,
    take_back,
    write_change,
)
from backend.workflows.project.hints import leave_hint
from backend.workflows.project.lease import PEOPLE_WAIT_S, lease
from backend.workflows.project.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants: see `plan_change` for `labels` and `question`.

    `asks_again`: answers that a split leaves empty are taken out of Label Studio, since it never serves a
    task to those who have an answer in it. They are kept here, and taking the change back puts them back.
    """

    kind: Kind
    labels: tuple[str, ...]
    question: str = ""
    asks_again: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do: so many annotations of so many tasks by so many people.

    `emptied` of these would say nothing any more, `partly` ones say something else beside it. `is_title`:
    only what stands on the screen changes, as results carry the alias.
    """

    annotations: int
    tasks: int
    people: int
    emptied: int
    partly: int
    is_title: bool


def preview_change(workspace: Workspace, wish: Wish) -> Preview:
    """Counts what a change would do, and writes nothing. Raises BadRequest, UnsupportedConfig."""
    _refuse_while_broken_off(workspace)
    remote = workspace.context.label_studio()
    try:
        change = _plan(workspace, remote, wish)
        return _count(workspace, remote, change)
    finally:
        remote.close()


def change_labels(workspace: Workspace, wish: Wish, *, by: str, wait_s: float = PEOPLE_WAIT_S) -> int:
    """Writes a change to Label Studio and asks for a loop; returns how many annotations were written.

    All or nothing: on an error, what was written is taken back, and the error says whether that worked.
    Raises BadRequest, UnsupportedConfig, Busy, LabelStudioError.
    """
    with lease(workspace, wait_s=wait_s):
        _refuse_while_broken_off(workspace)
        remote = workspace.context.label_studio()
        try:
            change = _plan(workspace, remote, wish)
            row = workspace.relabellings.begin(change)
            try:
                write_change(workspace, remote, row, change, asks_again=wish.asks_again)
            except (NextlabelError, KeyboardInterrupt) as error:
                _give_up(workspace, remote, row, error, by=by)
                raise
        finally:
            remote.close()
        written = workspace.relabellings.count(row)[KEPT]
        _keep_colour(workspace, change)
        details = {"labels": list(wish.labels), "question": change.question, "annotations": written}
        workspace.relabellings.end(row, DONE, details, by=by)
    leave_hint(workspace, "config")
    return written


def undo_change(workspace: Workspace, *, by: str, wait_s: float = PEOPLE_WAIT_S) -> Undone:
    """Takes the last change back that was not taken back yet, also one that was broken off; asks for a loop.

    Raises NotFound when there is none, BadRequest when the config has lost the question.
    """
    with lease(workspace, wait_s=wait_s):
        row = workspace.relabellings.newest(WRITING, DONE)
        if row is None:
            raise NotFound("No change of classes can be undone.", hint="See: nextlabel classes --help")
        remote = workspace.context.label_studio()
        try:
            undone = _undo(workspace, remote, row, by=by)
        finally:
            remote.close()
    leave_hint(workspace, "config")
    return undone


def _plan(workspace: Workspace, remote: LabelStudio, wish: Wish) -> Change:
    if wish.asks_again and wish.kind != "split":
        raise BadRequest("Only a split leaves tasks to be asked again.", hint="Leave --ask-again out.")
    xml = remote.project(workspace.label_studio_id)["label_config"]
    return plan_change(xml, wish.kind, wish.labels, question=wish.question, preference=workspace.preference)


def _count(workspace: Workspace, remote: LabelStudio, change: Change) -> Preview:
    tasks: set[int] = set()
    people: set[object] = set()
    emptied = count = 0
    for task_id, annotation in every_annotation(workspace, remote):
        after = change.rewrite(annotation.get("result"))
        if after is None:
            continue
        count += 1
        tasks.add(task_id)
        people.add(str(annotation.get("completed_by")))
        emptied += is_emptied(annotation, after)
    partly = count - emptied if change.kind == "split" else 0
    is_title = all(name == new for name, new in change.becomes.items())
    return Preview(count, len(tasks), len(people), emptied, partly, is_title)


def _refuse_while_broken_off(workspace: Workspace) -> None:
    if workspace.relabellings.newest(WRITING) is not None:
        raise BadRequest(
            "A change of classes was broken off in the middle.",
            hint=f"Take it back first: nextlabel classes undo {workspace.label_studio_id}",
        )


def _undo(workspace: Workspace, remote: LabelStudio, row: Relabelling, *, by: str) -> Undone:
    undone = take_back(workspace, remote, row)
    details = {"annotations": undone.restored, "left": undone.left, "question": row.question}
    workspace.relabellings.end(row, UNDONE, details, by=by)
    return undone


def _give_up(
    workspace: Workspace, remote: LabelStudio, row: Relabelling, error: BaseException, *, by: str
) -> None:
    """Takes back what was written before an error; raises what a person should know of it."""
    try:
        undone = _undo(workspace, remote, row, by=by)
    except NextlabelError as second:
        raise LabelStudioError(
            f"The change broke off in the middle, and not all of it could be taken back: {second.message}",
            hint=f"Once this is over: nextlabel classes undo {workspace.label_studio_id}",
        ) from error
    if isinstance(error, NextlabelError):
        raise LabelStudioError(
            f"Nothing is changed: {error.message} {_remainder(undone)}".rstrip(),
            hint=error.hint or "Try again later.",
        ) from error


def _remainder(undone: Undone) -> str:
    """What could not be taken back, since others changed it meanwhile; empty where there is nothing."""
    parts = []
    if undone.left:
        parts.append(f"{undone.left:,} annotations that somebody changed meanwhile were left as they are.")
    if undone.kept or undone.is_edited:
        parts.append("The config keeps the new labels beside the old ones, as somebody uses them.")
    return " ".join(parts)


def _keep_colour(workspace: Workspace, change: Change) -> None:
    """A renamed class keeps its colour on the map."""
    colours = workspace.state.colours
    renamed = {new: colours[old] for old, new in change.becomes.items() if new and old in colours}
    if change.kind == "rename" and renamed:
        workspace.change(colours=colours | renamed)
