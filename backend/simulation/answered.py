"""Texts and pictures with answers to one question or several, to simulate with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from backend.errors import BadRequest
from backend.label_studio.controls.protocol import Target
from backend.label_studio.controls.question import SINGLE_CHOICE, Question
from backend.simulation.asked import NOT_SIMULATED, SEVERAL_CHOICES
from backend.simulation.pages import Pages, word_for
from backend.simulation.rows import FEWEST_ROWS, LabelledText, LabelledTexts


@dataclass(frozen=True, slots=True)
class AnsweredText:
    """One row, and what it answers, by question. `is_test` is None when it is ours what is held out.

    `pictures` are those of each object that shows any; beside them the text may be empty.
    """

    text: str
    answers: dict[str, Target]
    is_test: bool | None
    pictures: tuple[Pages, ...] = ()


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why nothing can be measured about a question, and what to do."""

    words: str
    hint: str


@dataclass(frozen=True, slots=True)
class AnsweredTexts:
    """What can be simulated with.

    `notes` say in sentences what was assumed and what was left out; `left_out` the latter alone.
    """

    name: str
    questions: tuple[Question, ...]
    rows: list[AnsweredText]
    notes: tuple[str, ...] = ()
    left_out: str = ""

    def require_enough(self) -> None:
        """Raises BadRequest when there is too little to measure anything about one of the questions."""
        for question in self.questions:
            if (fault := self._fault(question)) is not None:
                raise BadRequest(f"{fault.words} {self.left_out}".strip(), hint=fault.hint)

    def with_enough(self) -> AnsweredTexts:
        """The same without the questions of which there is too little, each named in a note.

        Raises BadRequest where nothing is left.
        """
        faults = {question.name: self._fault(question) for question in self.questions}
        kept = tuple(question for question in self.questions if faults[question.name] is None)
        if not kept:
            self.require_enough()
        left = [f"{name!r} is left out: {fault.words}" for name, fault in faults.items() if fault is not None]
        return replace(self, questions=kept, rows=answering(self.rows, kept), notes=(*self.notes, *left))

    def _fault(self, question: Question) -> _Fault | None:
        """Why nothing can be measured about a question; None where it can."""
        shown = word_for(row.pictures for row in self.rows)
        said = [row.answers[question.name] for row in self.rows if question.name in row.answers]
        rows = "1 row" if len(said) == 1 else f"{len(said)} rows"
        if len(said) < FEWEST_ROWS:
            return _Fault(
                f"{self.name} has {rows} with a {shown} and an answer to {question.name!r}.",
                f"Part of them is held out to measure on: give {FEWEST_ROWS} at least, better 500.",
            )
        if len(set(said)) < 2:
            answer = ", ".join(said[0]) or "[]"
            return _Fault(
                f"All {rows} of {self.name} answer {question.name!r} with {answer!r}.",
                f"There is nothing to tell apart: give {shown}s with two answers at least.",
            )
        if question.kind == SEVERAL_CHOICES and len(question.labels) < 2:
            return _Fault(
                f"{self.name}: {question.name!r} has one label alone, {question.labels[0].name!r}.",
                f"That is yes or no: give each {shown} one of two labels.",
            )
        return None

    def one_choice(self) -> LabelledTexts | None:
        """The same where one question is asked, of one choice."""
        if [question.kind for question in self.questions] != [SINGLE_CHOICE]:
            return None
        name = self.questions[0].name
        rows = [LabelledText(row.text, row.answers[name][0], row.is_test, row.pictures) for row in self.rows]
        return LabelledTexts(self.name, rows, self.notes)


def kind_note(question: Question, rows: Sequence[AnsweredText]) -> str:
    """What a question is read as, in a sentence."""
    said = [row.answers[question.name] for row in rows if question.name in row.answers]
    what = f"{question.name!r}: {question.kind}, {len(said):,} answers"
    if question.kind == "rating":
        return f"{what}, grades 1 to {len(question.labels)}."
    if question.kind == "number":
        numbers = [float(target[0]) for target in said]
        return f"{what}, from {min(numbers):g} to {max(numbers):g}."
    if question.kind == SINGLE_CHOICE:
        return f"{what}, {len(question.labels)} labels."
    count = Counter(map(len, said))
    mean = sum(size * times for size, times in count.items()) / max(len(said), 1)
    none = f", {count[0]:,} of them none" if count[0] else ""
    return f"{what}{none}, {len(question.labels)} labels, {mean:.2f} on average."


def answered_questions(
    questions: Sequence[Question], rows: Sequence[AnsweredText]
) -> tuple[tuple[Question, ...], list[str]]:
    """Those of a config's questions that are simulated, and a sentence about each.

    Others that were answered are named; those that nobody answered are passed over.
    """
    kept: list[Question] = []
    notes: list[str] = []
    for question in questions:
        if not any(question.name in row.answers for row in rows):
            continue
        if question.kind in NOT_SIMULATED:
            notes.append(f"{question.name!r}: {question.kind} is not simulated.")
            continue
        kept.append(question)
        notes.append(kind_note(question, rows))
    return tuple(kept), notes


def answering(rows: Sequence[AnsweredText], questions: Sequence[Question]) -> list[AnsweredText]:
    """The rows that answer one of the questions at least."""
    return [row for row in rows if any(question.name in row.answers for question in questions)]
