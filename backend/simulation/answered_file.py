"""Reads a file whose rows answer questions: words, lists, numbers, several columns, exports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from backend.errors import BadRequest
from backend.label_studio.controls.protocol import Target
from backend.label_studio.controls.question import Question
from backend.label_studio.label_config import LabelConfig
from backend.simulation.answered import AnsweredText, AnsweredTexts, answered_questions, answering, kind_note
from backend.simulation.asked import Column, kind_of, make_question, to_target
from backend.simulation.columns import Columns, find_columns, find_shown
from backend.simulation.export_config import read_config, read_states
from backend.simulation.files import DataFile, Row
from backend.simulation.folders import read_data
from backend.simulation.left_out import left_out_note
from backend.simulation.pages import shown_pages
from backend.simulation.rows import (
    TEST,
    Wanted,
    choose_splits,
    column_notes,
    far_notes,
    fields_hint,
    nothing_shown,
    read_shown,
    split_of,
)
from backend.simulation.spoken import NUMBER_KEYS, WORDS_KEY, Said, read_said, unpacked

Faults = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question: its cell in a row, and its kind, where that is known."""

    name: str
    cell: Callable[[Row], Any]
    kind: str = ""


@dataclass(frozen=True, slots=True)
class _Read:
    """A question, its answers by the number of the row, what is wrong with others, what was guessed."""

    question: Question
    answers: dict[int, Target]
    faults: dict[int, str]
    guess: str


def read_answered_file(path: Path, wanted: Wanted, *, kind: str = "") -> AnsweredTexts:
    """All questions that a file answers, or the column that is named; `kind` is theirs, where it is given.

    A column is one question; one whose cells are objects, {question: answer}, holds several. Of an export all
    that was answered is read, through its config where that is there. Raises NotFound without a file,
    BadRequest without a row, on an unknown column, and where a column mixes kinds.
    """
    file = read_data(path)
    notes = list(file.notes)
    is_named = bool(wanted.label_field or wanted.text_field or wanted.image_field or kind)
    if file.config and file.tasks and not is_named:
        config = read_config(file.config)
        if isinstance(config, LabelConfig):
            return _through_config(file, config)
        notes.append(config)
    columns, asked = _find_asked(file, wanted)
    chosen, left = choose_splits(file, columns, wanted.splits)
    read = [_read_question(file, one, chosen, kind or one.kind) for one in asked]
    rows, faults = _join(columns, chosen, read)
    if not rows:
        raise BadRequest(
            f"{file.name}: no row can be used. {left_out_note(faults, of=len(chosen))}",
            hint=fields_hint(columns),
        )
    notes += [*([] if file.kinds else column_notes(columns, wanted)), *far_notes(file, columns), *left]
    questions = tuple(one.question for one in read)
    found = AnsweredTexts(file.name, questions, rows)
    if found.one_choice() is None:
        notes += [kind_note(question, rows) for question in questions]
    notes += [f"{one.question.name!r} holds {one.guess}; --kind says otherwise." for one in read if one.guess]
    left_out = left_out_note(faults, of=len(chosen))
    notes += [left_out] if left_out else []
    return AnsweredTexts(file.name, questions, rows, tuple(notes), left_out)


def _find_asked(file: DataFile, wanted: Wanted) -> tuple[Columns, list[_Asked]]:
    """Which columns hold texts, splits and answers."""
    named = wanted.label_field
    if file.kinds and (named is None or named in file.kinds):
        names = [named] if named else list(file.kinds)
        columns = find_shown(file, labels=tuple(file.kinds), text=wanted.text_field, image=wanted.image_field)
        return columns, [_Asked(name, _in_column(name), file.kinds[name]) for name in names]
    if named and named not in file.columns and "," in named:
        names = [name.strip() for name in named.split(",")]
        several = [
            find_columns(file, text=wanted.text_field, label=name, image=wanted.image_field) for name in names
        ]
        return several[0], [_Asked(name, _in_column(name)) for name in names]
    inside = _questions_inside(file, named)
    if inside is not None:
        column, names = inside
        shown = find_shown(file, labels=(column,), text=wanted.text_field, image=wanted.image_field)
        return shown, [_Asked(name, _in_object(column, name)) for name in names]
    columns = find_columns(file, text=wanted.text_field, label=named, image=wanted.image_field)
    return columns, [_Asked(columns.label, _in_column(columns.label))]


def _questions_inside(file: DataFile, named: str | None) -> tuple[str, list[str]] | None:
    """The column whose cells are {question: answer}, and its questions, or the one of them that is named."""
    for column in file.columns:
        cells = [cell for row in file.rows if (cell := unpacked(row.fields.get(column))) not in (None, "")]
        if column not in (named, "labels", "label", "answers") or not cells:
            continue
        if not all(isinstance(cell, dict) for cell in cells):
            continue
        names = list(dict.fromkeys(name for cell in cells for name in cell))
        if len(names) == 1 and names[0] in (WORDS_KEY, *NUMBER_KEYS) and column != "labels":
            continue  # as Label Studio writes the cell of one question
        if named is None or named == column:
            return column, names
        if named in names:
            return column, [named]
        if named not in file.columns:
            raise BadRequest(
                f"{file.name} has no question {named!r}; {column!r} has: {', '.join(names)}.",
                hint="Without --label-field all of them are simulated.",
            )
    return None


def _in_column(name: str) -> Callable[[Row], Any]:
    return lambda row: row.fields.get(name)


def _in_object(column: str, name: str) -> Callable[[Row], Any]:
    def cell(row: Row) -> Any:
        answers = unpacked(row.fields.get(column))
        return answers.get(name) if isinstance(answers, dict) else None

    return cell


def _read_question(file: DataFile, asked: _Asked, rows: Sequence[Row], kind: str) -> _Read:
    said: dict[int, Said] = {}
    faults: dict[int, str] = {}
    for number, row in enumerate(rows):
        try:
            found = read_said(asked.cell(row), is_table=file.is_table)
        except ValueError as error:
            faults[number] = f"have in {asked.name!r} {error}"
            continue
        if found is not None:
            said[number] = found
    guess = ""
    if not kind and said:
        placed = tuple((rows[number].where, found) for number, found in said.items())
        kind, guess = kind_of(Column(file.name, asked.name, placed))
    answers: dict[int, Target] = {}
    for number, one in said.items():
        try:
            answers[number] = to_target(one, kind)
        except ValueError as error:
            faults[number] = f"have in {asked.name!r} {error}"
    if not answers:
        wrong = [(rows[number].where, why) for number, why in faults.items()]
        raise BadRequest(
            f"{file.name}: {asked.name!r} holds no answer{f' of the kind {kind!r}' if kind else ''}. "
            f"{left_out_note(wrong, of=len(rows))}".strip(),
            hint="--label-field names another column, --kind another kind.",
        )
    return _Read(make_question(asked.name, kind, list(answers.values())), answers, faults, guess)


def _join(columns: Columns, rows: Sequence[Row], read: Sequence[_Read]) -> tuple[list[AnsweredText], Faults]:
    """Rows that show something and have an answer; of all others where they stand and what is wrong."""
    wrong = {number: why for one in read for number, why in one.faults.items()}
    found: list[AnsweredText] = []
    faults: Faults = []
    for number, row in enumerate(rows):
        text, pictures = read_shown(row, columns)
        answers = {one.question.name: one.answers[number] for one in read if number in one.answers}
        if not answers:
            faults.append((row.where, wrong.get(number, "have no answer")))
        elif not text and not any(pictures):
            faults.append((row.where, f"have {nothing_shown(columns)}"))
        else:
            found.append(AnsweredText(text, answers, TEST in split_of(row, columns), pictures))
    return _held_out_or_not(found), faults


def _held_out_or_not(rows: list[AnsweredText]) -> list[AnsweredText]:
    """Where no row is held out by the file, it is left to us."""
    if any(row.is_test for row in rows):
        return rows
    return [replace(row, is_test=None) for row in rows]


def _through_config(file: DataFile, config: LabelConfig) -> AnsweredTexts:
    """The tasks of an export as the loop would read them from the project."""
    rows: list[AnsweredText] = []
    faults: Faults = []
    for placed, task in zip(file.rows, read_states(file.tasks, config), strict=True):
        if not task.targets:
            faults.append((placed.where, "have no answer"))
        elif not task.content and not any(task.pictures.values()):
            faults.append((placed.where, f"have nothing in {', '.join(config.text_fields)}"))
        else:
            rows.append(AnsweredText(task.content, task.targets, None, shown_pages(task, config)))
    questions, kinds = answered_questions(config.questions, rows)
    left = [left_out_note(faults, of=len(file.rows), what="tasks")] if faults else []
    if not questions:
        raise BadRequest(f"{file.name}: no task can be used. {' '.join([*kinds, *left])}")
    notes = [*file.notes, "Read through its labeling config.", *kinds, *left]
    return AnsweredTexts(file.name, questions, answering(rows, questions), tuple(notes))
