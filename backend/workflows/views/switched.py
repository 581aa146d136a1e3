"""What a changed labeling config did to the answers, in words."""

from __future__ import annotations

from collections.abc import Sequence

from backend.json_types import Json
from backend.workflows.project.figures import Figures, QuestionSwitch
from backend.workflows.project.workspace import Workspace
from backend.workflows.views.wording import counted, model_name, moment

# So many of the last loops that did something are looked through: those that the page lists.
_LOOPS = 8

_KINDS = {
    "single choice": "takes one choice now",
    "several choices": "takes several choices now",
    "rating": "is a rating now",
    "number": "is a number now",
    "taxonomy": "takes paths of a taxonomy now",
    "pairwise": "compares two sides now",
}


def newest_switch(workspace: Workspace) -> Json | None:
    """The newest change of the config among the last loops: its model, when, and a sentence a question."""
    for loop in workspace.loops.newest_eventful(_LOOPS):
        if words := switch_words(Figures.read(loop.figures).switched):
            when = moment(loop.finished_at or loop.started_at)
            return {"model": model_name(loop.version), "when": when, "words": words}
    return None


def switch_words(switched: Sequence[QuestionSwitch]) -> list[str]:
    """What became of each question, and what to do where one was only renamed.

    What was changed here is told as a decision.
    """
    switched = [row for row in switched if not row.is_ours]
    words = [_words(row) for row in switched]
    if any(not row.kind and row.lost for row in switched) and any(not row.kind_before for row in switched):
        words.append("Was a question only renamed? Under its old name its answers count again.")
    return words


def _words(row: QuestionSwitch) -> str:
    if not row.kind_before:
        return f"The question {row.name} is answered as well."
    if not row.kind:
        stay = "stays" if row.lost == 1 else "stay"
        left = f"; {counted(row.lost, 'answer')} to it {stay} in Label Studio" if row.lost else ""
        return f"The question {row.name} is not answered here any more{left}."
    sentences = [f"The question {row.name} {' and '.join(_changes(row))}.", _counts(row)]
    if row.kind == row.kind_before and row.labels_gone and row.labels_new and row.lost:
        sentences.append("Was a label only renamed? Give it its old name back, and rename it here.")
    return " ".join(sentences)


def _changes(row: QuestionSwitch) -> list[str]:
    if row.kind != row.kind_before:
        return [_KINDS.get(row.kind, f"is of the kind {row.kind} now")]
    changes = ["is shown under other conditions"] if row.is_shown_otherwise else []
    noun = "grade" if row.kind == "rating" else "label"
    if row.labels_new:
        changes.append(f"has {counted(row.labels_new, f'new {noun}')}")
    if row.labels_gone:
        changes.append(f"lacks {counted(row.labels_gone, noun)} of before")
    return changes or ["has its labels in another order or spelling"]


def _counts(row: QuestionSwitch) -> str:
    if not (row.kept or row.lost):
        return "Nobody had answered it."
    kept = counted(row.kept, "answer") if row.kept else "No answer"
    words = f"{kept} {'were' if row.kept > 1 else 'was'} kept"
    if row.kept and row.kind == row.kind_before == "rating":
        words += " with the same number of stars"
    if row.partly:
        words += f", {row.partly:,} of them without a label that is gone"
    if not row.lost:
        return f"{words}."
    says, stays, counts = ("says", "it stays", "counts") if row.lost == 1 else ("say", "they stay", "count")
    return (
        f"{words}; {row.lost:,} {says} nothing that fits now: {stays} in Label Studio, and {counts} again "
        "where the config is as before."
    )
