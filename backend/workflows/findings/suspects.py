"""Answers that look wrong, of the questions that are learned through the table of task types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from backend.label_studio.controls.question import Question
from backend.task_types import task_type
from backend.workflows.findings.notes import Note, coarse_ranks
from backend.workflows.intake.question_labels import to_target
from backend.workflows.project.figures import QuestionFigures, Suspects
from backend.workflows.project.workspace import Workspace
from backend.workflows.training.learn import Learned
from backend.workflows.training.learn_questions import LearnedQuestion
from backend.workflows.training.names import name_vectors
from model.records import Floats, LabelSpace
from model.signals.suspect_answers import SuspectAnswers

_MOST_SUSPECTS = 100  # tasks of one question that carry a note


@dataclass(frozen=True, slots=True, eq=False)
class SuspectsOfQuestion:
    """What was learned of a question, and which of its answers look wrong."""

    one: LearnedQuestion
    found: SuspectAnswers

    @property
    def figures(self) -> Suspects:
        """How many, as records hold it."""
        return Suspects(words=self.found.words, count=self.found.count)


def find_question_suspects(workspace: Workspace, learned: Learned) -> list[SuspectsOfQuestion]:
    """Suspect answers of each question that has answers."""
    return [
        SuspectsOfQuestion(one, _find(workspace, learned, one))
        for one in learned.questions
        if len(one.labels)
    ]


def tell_suspects(questions: Sequence[QuestionFigures], suspects: Sequence[SuspectsOfQuestion]) -> None:
    """Writes beside each question how many of its answers look wrong, by label where it has labels."""
    by_name = {each.one.question.name: each for each in suspects}
    for told in questions:
        each = by_name.get(told.name)
        if each is None:
            continue
        told.suspects = each.figures
        labels = each.one.labels
        counts = zip(each.found.taken_back(labels).tolist(), each.found.missing(labels).tolist(), strict=True)
        for row, (mistaken, missing) in zip(told.per_label, counts, strict=False):
            row.mistaken, row.missing = mistaken, missing


def note_suspects(suspects: Sequence[SuspectsOfQuestion]) -> dict[int, Note]:
    """A note on each task with a suspect answer; the most doubtful of each question come first."""
    told: dict[int, list[str]] = {}
    ordered = sorted(
        (place, question, task_id, words)
        for question, each in enumerate(suspects)
        for place, (task_id, words) in enumerate(_lines(each))
    )
    for _place, _question, task_id, words in ordered:
        told.setdefault(task_id, []).append(words)
    ranks = coarse_ranks(len(told))
    return {
        task_id: Note("suspect", " ".join(words), rank)
        for (task_id, words), rank in zip(told.items(), ranks, strict=True)
    }


def _find(workspace: Workspace, learned: Learned, one: LearnedQuestion) -> SuspectAnswers:
    tasks = learned.seen.embeddings
    labelled = tasks.take(np.isin(tasks.ids, one.labels.ids))
    return task_type(one.question).suspects(
        learned.seen.items.of(one.question, labelled),
        one.labels,
        one.trained,
        names=name_vectors(workspace.context, workspace.encoder.get(), one.question.labels),
        rng=np.random.default_rng(workspace.seed),
    )


def _lines(each: SuspectsOfQuestion) -> Iterator[tuple[int, str]]:
    labels, found = each.one.labels, each.found
    for row, proposed in zip(found.rows[:_MOST_SUSPECTS].tolist(), found.proposed, strict=False):
        words = suspect_words(each.one.question, labels.targets[row], proposed, labels.space)
        yield int(labels.ids[row]), words


def suspect_words(question: Question, given: Floats, proposed: Floats, space: LabelSpace) -> str:
    """What is doubtful about an answer (c,) beside the one that is believed; names question and labels."""
    titles = {label.name: label.title for label in question.labels}
    said, believed = to_target(given, space, question.kind), to_target(proposed, space, question.kind)
    mistaken = [f"“{titles.get(name, name)}”" for name in said if name not in believed]
    missing = [f"“{titles.get(name, name)}”" for name in believed if name not in said]
    if mistaken and missing:
        words = f"answered {_listed(mistaken)}; tasks like it say {_listed(missing)}."
    elif mistaken:
        verb, them = _number(mistaken)
        words = f"{_listed(mistaken)} {verb} ticked; tasks like it do not have {them}."
    else:
        verb, them = _number(missing)
        words = f"{_listed(missing)} {verb} not ticked; tasks like it have {them}."
    return f"{question.name}: {words}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _number(names: Sequence[str]) -> tuple[str, str]:
    return ("is", "it") if len(names) == 1 else ("are", "them")
