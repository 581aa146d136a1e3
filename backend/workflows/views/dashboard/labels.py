"""The labels of a project, the forms that change them, and what a change would do."""

from __future__ import annotations

from collections.abc import Mapping

from backend.errors import NextlabelError
from backend.json_types import Json
from backend.label_studio.controls.question import Question
from backend.label_studio.label_config import parse_label_config
from backend.store.relabellings import DONE, WRITING
from backend.task_types import TASK_TYPES
from backend.workflows.findings.relabel import Wish, change_labels, preview_change, undo_change
from backend.workflows.project.workspace import Workspace
from backend.workflows.views.dashboard.actions import WAIT_S
from backend.workflows.views.dashboard.nouns import part_of, readable_config
from backend.workflows.views.relabelling import command_of, done_words, preview_lines, undone_lines
from backend.workflows.views.wording import counted

# More labels than these make a form that nobody reads.
_MOST_LABELS = 200
# More annotations than these are better written where one sees that it goes on.
_MOST_WRITTEN = 1000

_ASK_AGAIN = "“Ask these tasks again”"
_TITLES = {"merge": "Merge labels", "rename": "Rename a label", "split": "Split a label"}
_CHANGES = {"merge": "a merge", "rename": "a new name", "split": "a split"}


def label_forms(workspace: Workspace) -> Json:
    """Questions whose labels can be changed here, those that have too many, and the last change.

    `others`: a few words on each question whose answers are no labels of its own.
    """
    asked = _choices(workspace)
    few = [question for question in asked if len(question.labels) <= _MOST_LABELS]
    return {
        "questions": [_form(question) for question in few],
        "too_many": [question.name for question in asked if question not in few],
        "others": [_other_words(question) for question in _answered(workspace) if question not in asked],
        "last": _last_change(workspace),
    }


def preview_labels(workspace: Workspace, wish: Wish) -> Json:
    """What the page shows before a change: nothing is written. Raises BadRequest, UnsupportedConfig."""
    preview = preview_change(workspace, wish)
    return {
        "title": _TITLES[wish.kind],
        "words": _wish_words(wish, _titles(workspace, wish.question)),
        "lines": preview_lines(preview, wish, ask_again=_ASK_AGAIN),
        "wish": {
            "kind": wish.kind,
            "question": wish.question,
            "labels": list(wish.labels),
            "asks_again": wish.asks_again,
        },
        "command": command_of(workspace.label_studio_id, wish) if preview.annotations > _MOST_WRITTEN else "",
    }


def change(workspace: Workspace, wish: Wish, *, by: str) -> str:
    """Writes a change; the sentence that says what happened."""
    return done_words(change_labels(workspace, wish, by=by, wait_s=WAIT_S))


def undo(workspace: Workspace, *, by: str) -> str:
    """Takes the last change back; the sentences that say what happened."""
    return " ".join(undone_lines(undo_change(workspace, by=by, wait_s=WAIT_S)))


def _answered(workspace: Workspace) -> tuple[Question, ...]:
    config = readable_config(workspace)
    return () if config is None else config.questions


def _choices(workspace: Workspace) -> list[Question]:
    return [question for question in _answered(workspace) if question.tag.lower() == "choices"]


def _other_words(question: Question) -> str:
    """What is answered in place of labels: "stars (5 grades)"."""
    part = part_of(question.kind)
    is_number = TASK_TYPES[question.kind].is_number
    return f"{question.name} ({part if is_number else counted(len(question.labels), part)})"


def _form(question: Question) -> Json:
    labels = [{"name": label.name, "title": label.title} for label in question.labels]
    return {"name": question.name, "labels": labels}


def _last_change(workspace: Workspace) -> Json | None:
    row = workspace.relabellings.newest(WRITING, DONE)
    if row is None:
        return None
    what = f"{_CHANGES.get(row.kind, row.kind)} in the question {row.question}"
    became = _became(_shown(row.config_before, row.question), _shown(row.config_after, row.question))
    return {"what": f"{what}{became}", "is_broken_off": row.state == WRITING}


def _shown(config: str, question: str) -> list[str]:
    """What a config calls the labels of a question; none where it cannot be read."""
    try:
        asked = parse_label_config(config).questions
    except NextlabelError:  # as another release wrote it
        return []
    return [label.title for one in asked if one.name == question for label in one.labels]


def _became(before: list[str], after: list[str]) -> str:
    """Which labels went and which came, as the end of a sentence."""
    gone = [f"“{title}”" for title in before if title not in after]
    come = [f"“{title}”" for title in after if title not in before]
    if not gone:
        return ""
    return f": from {_listed(gone)} to {_listed(come)}" if come else f": {_listed(gone)} into another label"


def _titles(workspace: Workspace, question: str) -> dict[str, str]:
    """What stands on the screen for each name of a label."""
    asked = [one for one in _choices(workspace) if question in ("", one.name)][:1]
    return {label.name: label.title for one in asked for label in one.labels}


def _wish_words(wish: Wish, titles: Mapping[str, str]) -> str:
    """A change in a sentence: what goes, and what comes."""
    quoted = [f"“{titles.get(label, label)}”" for label in wish.labels]
    first, *rest = quoted
    if wish.kind == "merge":
        return f"{_listed(quoted[:-1])} will be {quoted[-1]}."
    if wish.kind == "rename":
        return f"{first} will be called {_listed(rest)}."
    return f"{_listed(rest)} come in the place of {first}."


def _listed(quoted: list[str]) -> str:
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
