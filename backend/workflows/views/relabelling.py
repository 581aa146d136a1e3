"""Changes of labels in words: what one would do, what was done, what was taken back."""

from __future__ import annotations

import shlex

from backend.workflows.findings.relabel import Preview, Wish
from backend.workflows.findings.relabel_writes import Undone
from backend.workflows.views.wording import counted

_MANY = 200  # tasks that are asked again, which is a day's work


def preview_lines(preview: Preview, wish: Wish, *, ask_again: str) -> list[str]:
    """What would be written, one sentence or two a line; `ask_again` is what to tick or to type for it."""
    lines = []
    if preview.is_title:
        lines.append("Answers carry the label's alias, which stays: only what people read changes.")
    if not preview.annotations and not preview.is_title:
        lines.append("No annotation has it: only the labeling config changes.")
    elif preview.annotations:
        lines.append(
            f"{counted(preview.annotations, 'annotation')} of {counted(preview.tasks, 'task')} by "
            f"{counted(preview.people, 'person', plural='people')} "
            f"{'changes' if preview.annotations == 1 else 'change'}, and the labeling config."
        )
    if wish.kind == "split" and preview.annotations:
        lines += _split_lines(preview, wish, ask_again)
    return lines


def done_words(count: int) -> str:
    """That so many annotations were written."""
    return f"Done: {counted(count, 'annotation')} changed. The next model learns from it."


def undone_lines(undone: Undone) -> list[str]:
    """What was taken back, and what was left."""
    lines = [f"Taken back: {counted(undone.restored, 'annotation')} as before."]
    if undone.left:
        left = counted(undone.left, "annotation")
        lines.append(f"{left} left: somebody changed them, or their task is gone.")
    if undone.kept:
        names = ", ".join(repr(label) for label in undone.kept)
        lines.append(f"The config keeps labels that answers have: {names}.")
    if undone.is_edited:
        lines.append(
            "The config was edited since: it got the old labels back, and nothing was taken out of it."
        )
    return lines


def command_of(project_id: int, wish: Wish) -> str:
    """What to type for a change."""
    options = [
        *(["--question", wish.question] if wish.question else []),
        *(["--ask-again"] if wish.asks_again else []),
    ]
    # a label that begins with a dash is no option
    return shlex.join(["nextlabel", "classes", wish.kind, *options, "--", str(project_id), *wish.labels])


def _split_lines(preview: Preview, wish: Wish, ask_again: str) -> list[str]:
    lines = []
    if preview.emptied and wish.asks_again:
        lines.append(
            f"{counted(preview.emptied, 'annotation')} of these would be empty: they are taken out of Label "
            "Studio and kept here, and their tasks are asked again."
        )
    elif preview.emptied:
        lines.append(
            f"{counted(preview.emptied, 'annotation')} of these would be empty. They stay in Label Studio, "
            "which never serves a task again to those who answered it, and to others only where several "
            f"people answer a task. With {ask_again} they are kept here instead, and asked again."
        )
    if preview.partly:
        lose, keep = ("loses", "keeps") if preview.partly == 1 else ("lose", "keep")
        lines.append(
            f"{counted(preview.partly, 'annotation')} of these {lose} this label and {keep} all else: their "
            "tasks are not served again to those who answered them. Open them in the Data Manager."
        )
    if wish.asks_again and preview.emptied >= _MANY:
        lines.append("That is much to answer anew: a person may be better off with new labels alone.")
    return lines
