"""The one line on each served task: why it came, and how sure its pre-annotation is."""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backend.errors import LabelStudioError
from backend.label_studio.client import LabelStudio
from backend.label_studio.label_config import LabelConfig
from backend.label_studio.tabs import NOTE_FIELD
from backend.label_studio.versions import is_by_name
from backend.task_types import task_type
from backend.workflows.intake.earlier_findings import OPEN
from backend.workflows.project.lease import check_lease
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving.answers import Answered, above_floor, regions_of
from backend.workflows.serving.answers import in_words as answer_words
from backend.workflows.serving.publish import Placement
from backend.workflows.serving.serving import Serving, best_label
from model.novelty.naming import is_number
from model.novelty.unlike import unlike_labelled
from model.records import Floats

logger = logging.getLogger(__name__)

# Different lines in one window: each is a write of .1 s or more, in which annotators wait on SQLite.
MOST_LINES = 12

BLIND = "Please answer unaided: this one measures the model."
# Confidence in coarse steps, so that few lines are different: from this share on it reads so.
_FROM = (0.0, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97)
_READS = (10, 30, 40, 60, 70, 85, 95, 99)
_LIKELY = 0.8
_SECOND_LOOKS = {
    "in dispute": "People disagree about this one: please decide.",
    "skipped": "Somebody skipped this one: please have a look.",
}
_WITHOUT_LABEL = "Answered before, but without a label: please answer."


@dataclass(frozen=True, slots=True)
class Line:
    """A line, and the same with the name of a label or group in it."""

    plain: str
    named: str

    def after(self, start: str) -> Line:
        """The same behind a sentence."""
        return Line(f"{start} {self.plain}", f"{start} {self.named}")

    def of_first(self, config: LabelConfig) -> Line:
        """The same with the name of the first question, of which it speaks, where there are several."""
        if len(config.questions) == 1:
            return self
        name = config.questions[0].name
        return Line(f"{name}: {_lower(self.plain)}", f"{name}: {_lower(self.named)}")


def tell(workspace: Workspace, serving: Serving, placements: Sequence[Placement]) -> list[Placement]:
    """The same places, each with its line.

    Of a window with more different lines than `MOST_LINES` none says that a task is unlike all others: then
    there are seventeen at most.
    """
    unlike = _unlike(workspace, serving, [placed.task_id for placed in placements])
    lines = _lines(workspace, serving, placements, unlike=unlike)
    if len({line.plain for line in lines.values()}) > MOST_LINES:
        lines = _lines(workspace, serving, placements, unlike=set())
    words = choose_words(lines, most=MOST_LINES)
    return [replace(placed, line=words[placed.task_id]) for placed in placements]


def choose_words(lines: Mapping[int, Line], *, most: int) -> dict[int, str]:
    """The words of each task's line: of tasks with the same plain line all are named, or none.

    At most `most` different ones, as long as there are no more plain ones; what most tasks say comes first.
    """
    names: dict[str, set[str]] = defaultdict(set)
    for line in lines.values():
        names[line.plain].add(line.named)
    room, named = most - len(names), set()
    for plain, _count in Counter(line.plain for line in lines.values()).most_common():
        if (more := len(names[plain]) - 1) <= room:
            room -= more
            named.add(plain)
    return {task_id: line.named if line.plain in named else line.plain for task_id, line in lines.items()}


def write_lines(workspace: Workspace, remote: LabelStudio, placements: Sequence[Placement]) -> int:
    """Writes the lines that differ from what the tasks show, one call for each; returns how many.

    A line that Label Studio does not take holds no queue back: the findings of the loop bring it up to date.
    Raises LeaseLost.
    """
    shown = workspace.tasks.shown_of([placed.task_id for placed in placements])
    changed: dict[str, list[int]] = defaultdict(list)
    for placed in placements:
        if shown.get(placed.task_id, {}).get(NOTE_FIELD, "") != placed.line:
            changed[placed.line].append(placed.task_id)
    check_lease(workspace)
    try:
        for line, task_ids in changed.items():
            show(workspace, remote, task_ids, field=NOTE_FIELD, value=line)
    except LabelStudioError as error:
        logger.warning("lines not written project=%s message=%s", workspace.label_studio_id, error.message)
    return len(changed)


def show(
    workspace: Workspace, remote: LabelStudio, task_ids: Sequence[int], *, field: str, value: str
) -> None:
    """Gives one of our fields a value in many tasks, in Label Studio and in the mirror."""
    remote.set_task_field(workspace.label_studio_id, task_ids, field, value)
    workspace.tasks.write_shown(task_ids, field, value)


def confidence_line(label: str, confidence: float) -> Line:
    """What is said of a label that is likely or perhaps right, by its confidence in [0, 1]."""
    sure = in_words(confidence)
    if confidence >= _LIKELY:
        plain = f"The ticked answer is likely right, {sure}: please confirm."
        return Line(plain, f"Likely {label}, {sure}: please confirm.")
    return Line(f"The model is unsure here: its tick is {sure}.", f"Unsure here: perhaps {label}, {sure}.")


def in_words(confidence: float) -> str:
    """A confidence in [0, 1] in coarse steps, never farther from it than .1."""
    return f"about {_READS[bisect_right(_FROM, confidence) - 1]} % sure"


def _same(words: str) -> Line:
    return Line(words, words)


def _lower(sentence: str) -> str:
    return f"{sentence[:1].lower()}{sentence[1:]}"


def _lines(
    workspace: Workspace, serving: Serving, placements: Sequence[Placement], *, unlike: set[int]
) -> dict[int, Line]:
    task_ids = [placed.task_id for placed in placements]
    beliefs, outcomes = serving.believe(task_ids), workspace.tasks.outcomes_of(task_ids)
    answered = serving.answer(task_ids)
    verdicts = {row.task_id: row.reason for row in workspace.verdicts.of_kinds(("unsure",))}
    unnamed = {row.name for row in workspace.groups.in_state(OPEN) if is_number(row.name, row.number)}
    lines: dict[int, Line] = {}
    for placed in placements:
        task_id = placed.task_id
        if placed.lane == "audit":
            line = _same(BLIND)
        elif outcomes.get(task_id):
            line = _same(_SECOND_LOOKS.get(outcomes[task_id], _WITHOUT_LABEL))
        elif placed.lane == "chosen":
            line = _same("Somebody picked this one to come next.")
        elif placed.lane == "synthetic":
            reason = verdicts.get(task_id, "Please check it.")
            line = Line("Made, not collected: please check it.", f"Made, not collected. {reason}")
        elif task_id in beliefs:
            line = _of_new_class(serving, task_id, unnamed) or _of_belief(
                serving, beliefs[task_id], is_unlike=task_id in unlike
            )
        else:
            line = _of_new_class(serving, task_id, unnamed) or _of_answer(
                serving, answered.get(task_id, []), is_unlike=task_id in unlike
            )
        lines[task_id] = line
    return lines


def _of_answer(serving: Serving, answered: Sequence[Answered], *, is_unlike: bool) -> Line:
    """Of a first question that is no single choice."""
    first = serving.config.questions[0].name
    found = next((one for one in answered if one.question.name == first), None)
    if found is None:
        line = _same("The model cannot say anything of this one yet.")
    elif is_by_name(serving.version):
        line = _by_names(answer_words(found), found.confidence)
    elif not found.target:
        fits = task_type(found.question).nothing_fits
        line = _same(f"{fits}, {in_words(found.confidence)}: nothing is ticked.")
    elif not regions_of([found]):
        line = _unwritten(answer_words(found), found.confidence)
    elif not above_floor([found], serving.floor):
        line = _unticked(found.confidence, by_names=False)
    else:
        line = confidence_line(answer_words(found), found.confidence)
    line = line.of_first(serving.config)
    return line.after("Unlike anything labelled so far.") if is_unlike else line


def _of_new_class(serving: Serving, task_id: int, unnamed: set[str]) -> Line | None:
    """Of a task that a class was made for, or that fits none; None of all others.

    `unnamed` are groups that are called by a number, which means nothing to an annotator.
    """
    if not task_type(serving.config.questions[0]).finds_new_classes:
        return None
    label = serving.of_new_classes.get(task_id)
    if label is not None and label in serving.config.space.names:
        line = Line("Perhaps your new label: please confirm.", f"Perhaps your new label {label}.")
        return line.of_first(serving.config)
    if task_id in serving.novel:
        group = serving.novel[task_id]
        several = "that look alike and fit no label" if group in unnamed else f"like “{group}”"
        line = Line("May be something new.", f"May be something new: one of several {several}.")
        return line.of_first(serving.config)
    return None


def _of_belief(serving: Serving, row: Floats, *, is_unlike: bool) -> Line:
    if serving.head.knows_nothing:
        return _same("The model cannot say anything of this one yet.").of_first(serving.config)
    best = best_label(serving.head, row, serving.config)
    if best is None:
        line = _same("The model knows none of the labels there are now: nothing is ticked.")
        return line.of_first(serving.config)
    name, confidence = best
    title = next(label.title for label in serving.config.labels if label.name == name)
    if confidence < serving.floor:
        line = _unticked(confidence, by_names=is_by_name(serving.version))
    elif is_by_name(serving.version):
        line = _by_names(title, confidence)
    else:
        line = confidence_line(title, confidence)
    line = line.of_first(serving.config)
    return line.after("Unlike anything labelled so far.") if is_unlike else line


def _by_names(title: str, confidence: float) -> Line:
    sure = in_words(confidence)
    return Line(f"Guess from the label names, {sure}.", f"Guess from the label names: {title}, {sure}.")


def _unticked(confidence: float, *, by_names: bool) -> Line:
    """Without a name: what is too unsure to tick should not lead anybody."""
    start = "Going by the label names, too" if by_names else "Too"
    return _same(f"{start} unsure to tick: {in_words(confidence)} at best.")


def _unwritten(label: str, confidence: float) -> Line:
    """Of an answer that Label Studio takes no pre-annotation for."""
    return Line("Nothing is ticked here.", f"Nothing is ticked: perhaps {label}, {in_words(confidence)}.")


def _unlike(workspace: Workspace, serving: Serving, task_ids: Sequence[int]) -> set[int]:
    seen = serving.snapshot
    mine = seen.embeddings.take(np.isin(seen.embeddings.ids, np.array(task_ids, dtype=np.int64)))
    labelled = seen.labelled_embeddings.vectors
    return set(mine.ids[unlike_labelled(mine.vectors, labelled, seed=workspace.seed)].tolist())
