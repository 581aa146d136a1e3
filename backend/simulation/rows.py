"""Labelled texts to simulate with, from a file or from a project of Label Studio."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.errors import BadRequest
from backend.simulation.columns import Columns, find_columns, one_label
from backend.simulation.files import DataFile, Row, read_file

TRAIN, TEST = "train", "test"
FEWEST_ROWS = 10  # of fewer no part can be held out to measure on


@dataclass(frozen=True, slots=True)
class LabelledText:
    """One row. `is_test` is None when the file leaves it to us what is held out."""

    text: str
    label: str
    is_test: bool | None


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """What can be simulated with. `notes` say in sentences what was assumed and what was left out."""

    name: str
    rows: list[LabelledText]
    notes: tuple[str, ...] = ()

    def require_enough(self) -> None:
        """Raises BadRequest when there is too little to measure anything."""
        classes = {row.label for row in self.rows}
        if len(self.rows) < FEWEST_ROWS:
            rows = "1 row" if len(self.rows) == 1 else f"{len(self.rows)} rows"
            raise BadRequest(
                f"{self.name} has {rows} with a text and a label.",
                hint=f"Part of them is held out to measure on: give {FEWEST_ROWS} at least, better 500.",
            )
        if len(classes) < 2:
            raise BadRequest(
                f"All {len(self.rows)} rows of {self.name} have the label {next(iter(classes))!r}.",
                hint="There is nothing to tell apart: give texts of two labels at least.",
            )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Columns by name, where they are not to be guessed, and the splits to use beside train and test."""

    text_field: str | None = None
    label_field: str | None = None
    splits: Collection[str] = ()


def read_labelled_texts(
    path: Path, *, label_field: str | None = None, splits: Collection[str] = ()
) -> list[LabelledText]:
    """The rows of `read_labelled_file`."""
    return read_labelled_file(path, Wanted(label_field=label_field, splits=splits)).rows


def read_labelled_file(path: Path, wanted: Wanted = Wanted()) -> LabelledTexts:  # noqa: B008 (it never changes)
    """The rows of the splits train and test, and of those named; rows without a split count as train.

    A named split with `test` in its name is held out, any other joins the pool. Rows without a text or
    without one label are left out and counted. Raises NotFound without a file, BadRequest without a row.
    """
    file = read_file(path)
    columns = find_columns(file, text=wanted.text_field, label=wanted.label_field)
    chosen, left = choose_splits(file, columns, wanted.splits)
    read = [read_row(row, columns) for row in chosen]
    rows = [found for found in read if isinstance(found, LabelledText)]
    faults = [found for found in read if isinstance(found, str)]
    if not rows:
        first = f" {faults[0]}." if faults else ""
        raise BadRequest(f"{file.name}: no row can be used.{first}", hint=fields_hint(columns))
    if not any(row.is_test for row in rows):
        rows = [LabelledText(row.text, row.label, None) for row in rows]
    notes = [*file.notes, *column_notes(columns, wanted), *left, *_fault_notes(faults, len(chosen))]
    return LabelledTexts(file.name, rows, tuple(notes))


def splits_with_label(path: Path, label: str, *, label_field: str | None = None) -> tuple[str, ...]:
    """Held-out splits that hold a label which neither train nor test has; empty when it is in these."""
    file = read_file(path)
    columns = find_columns(file, label=label_field)
    found = {split_of(row, columns) for row in file.rows if one_label(row.fields.get(columns.label)) == label}
    if found & {TRAIN, TEST}:
        return ()
    return tuple(sorted(split for split in found if TEST in split)) or tuple(sorted(found))


def split_of(row: Row, columns: Columns) -> str:
    """The split of a row; train, where it has none."""
    return str(columns.split and row.fields.get(columns.split) or TRAIN)


def choose_splits(file: DataFile, columns: Columns, named: Collection[str]) -> tuple[list[Row], list[str]]:
    """The rows of the splits train and test and of those named, and a sentence about all others."""
    counts = Counter(split_of(row, columns) for row in file.rows)
    missing = sorted(set(named) - counts.keys())
    if missing:
        raise BadRequest(f"{file.name} has no split {missing[0]!r}; it has: {', '.join(sorted(counts))}.")
    wanted = {TRAIN, TEST, *named}
    left = [f"{split!r} ({counts[split]} rows)" for split in sorted(counts.keys() - wanted)]
    notes = [f"Splits that are left out, to be named with --splits: {', '.join(left)}."] if left else []
    return [row for row in file.rows if split_of(row, columns) in wanted], notes


def read_row(row: Row, columns: Columns) -> LabelledText | str:
    """Text, label and split; what is wrong with a row that cannot be used."""
    text = row.fields.get(columns.text)
    if not isinstance(text, str) or not text.strip():
        return f"{row.where.capitalize()}: no text in {columns.text!r}"
    label = one_label(row.fields.get(columns.label))
    if label is None:
        return f"{row.where.capitalize()}: {columns.label!r} is not one label"
    return LabelledText(text, label, TEST in split_of(row, columns))


def fields_hint(columns: Columns) -> str:
    """How to name other columns."""
    return (
        f"Texts were looked for in {columns.text!r}, labels in {columns.label!r}; name others with "
        "--text-field and --label-field."
    )


def column_notes(columns: Columns, wanted: Wanted) -> Iterator[str]:
    """Which columns were guessed, in a sentence, unless they are called so."""
    guessed = [
        f"{what} from {name!r}"
        for what, name, given in (
            ("texts", columns.text, wanted.text_field),
            ("labels", columns.label, wanted.label_field),
        )
        if given is None
    ]
    if guessed and (columns.text, columns.label) != ("text", "label"):
        yield f"Guessed: {', '.join(guessed)}. To name others: --text-field, --label-field."


def _fault_notes(faults: Sequence[str], rows: int) -> Iterator[str]:
    if faults:
        yield f"{len(faults):,} of {rows:,} rows are left out. {faults[0]}."
