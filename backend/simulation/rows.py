"""Labelled texts and pictures to simulate with, from a file or from a project of Label Studio."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backend.errors import BadRequest
from backend.simulation.columns import Columns, find_columns, one_label
from backend.simulation.files import DataFile, Row
from backend.simulation.folders import read_data
from backend.simulation.left_out import count_left_out
from backend.simulation.pages import Pages, find_image, is_at_hand, pages_of, word_for

TRAIN, TEST = "train", "test"
FEWEST_ROWS = 10  # of fewer no part can be held out to measure on


@dataclass(frozen=True, slots=True)
class LabelledText:
    """One row. `is_test` is None when the file leaves it to us what is held out.

    `pictures` are those of each object that shows any; beside them the text may be empty.
    """

    text: str
    label: str
    is_test: bool | None
    pictures: tuple[Pages, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelledTexts:
    """What can be simulated with. `notes` say in sentences what was assumed and what was left out."""

    name: str
    rows: list[LabelledText]
    notes: tuple[str, ...] = ()

    def require_enough(self) -> None:
        """Raises BadRequest when there is too little to measure anything."""
        classes = {row.label for row in self.rows}
        shown = word_for(row.pictures for row in self.rows)
        if len(self.rows) < FEWEST_ROWS:
            rows = "1 row" if len(self.rows) == 1 else f"{len(self.rows)} rows"
            raise BadRequest(
                f"{self.name} has {rows} with a {shown} and a label.",
                hint=f"Part of them is held out to measure on: give {FEWEST_ROWS} at least, better 500.",
            )
        if len(classes) < 2:
            raise BadRequest(
                f"All {len(self.rows)} rows of {self.name} have the label {next(iter(classes))!r}.",
                hint=f"There is nothing to tell apart: give {shown}s of two labels at least.",
            )


@dataclass(frozen=True, slots=True)
class Wanted:
    """Columns by name, where they are not to be guessed, and the splits to use beside train and test."""

    text_field: str | None = None
    label_field: str | None = None
    splits: Collection[str] = ()
    image_field: str | None = None


def read_labelled_texts(
    path: Path, *, label_field: str | None = None, splits: Collection[str] = ()
) -> list[LabelledText]:
    """The rows of `read_labelled_file`."""
    return read_labelled_file(path, Wanted(label_field=label_field, splits=splits)).rows


def read_labelled_file(path: Path, wanted: Wanted = Wanted()) -> LabelledTexts:  # noqa: B008 (it never changes)
    """The rows of the splits train and test, and of those named; rows without a split count as train.

    A named split with `test` in its name is held out, any other joins the pool. Rows that show nothing or
    have not one label are left out and counted. Raises NotFound without a file, BadRequest without a row.
    """
    file = read_data(path)
    columns = find_columns(file, text=wanted.text_field, label=wanted.label_field, image=wanted.image_field)
    chosen, left = choose_splits(file, columns, wanted.splits)
    read = [read_row(row, columns) for row in chosen]
    rows = [found for found in read if isinstance(found, LabelledText)]
    faults = [found for found in read if isinstance(found, str)]
    if not rows:
        first = f" {faults[0]}." if faults else ""
        raise BadRequest(f"{file.name}: no row can be used.{first}", hint=fields_hint(columns))
    if not any(row.is_test for row in rows):
        rows = [replace(row, is_test=None) for row in rows]
    notes = [*file.notes, *column_notes(columns, wanted), *far_notes(file, columns), *left]
    notes += _fault_notes(faults, len(chosen))
    return LabelledTexts(file.name, rows, tuple(notes))


def splits_with_label(path: Path, label: str, *, label_field: str | None = None) -> tuple[str, ...]:
    """Held-out splits that hold a label which neither train nor test has; empty when it is in these."""
    file = read_data(path)
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
    """Text, pictures, label and split; what is wrong with a row that cannot be used."""
    text, pictures = read_shown(row, columns)
    if not text and not any(pictures):
        return f"{_begin(row.where)}: {nothing_shown(columns)}"
    label = one_label(row.fields.get(columns.label))
    if label is None:
        return f"{_begin(row.where)}: {columns.label!r} is not one label"
    return LabelledText(text, label, TEST in split_of(row, columns), pictures)


def read_shown(row: Row, columns: Columns) -> tuple[str, tuple[Pages, ...]]:
    """What a row shows: its text, empty for none, and its pictures, one object's where there is a column."""
    text = row.fields.get(columns.text)
    pictures = (pages_of(row.fields.get(columns.image)),) if columns.image else ()
    return (text if isinstance(text, str) and text.strip() else ""), pictures


def nothing_shown(columns: Columns) -> str:
    """What a row lacks that shows nothing."""
    parts = [f"text in {columns.text!r}"] if columns.text else []
    parts += [f"picture in {columns.image!r}"] if columns.image else []
    return f"no {' and no '.join(parts)}"


def fields_hint(columns: Columns) -> str:
    """How to name other columns."""
    asked = [f"Texts were looked for in {columns.text!r}"] if columns.text else []
    asked += [f"{'p' if asked else 'P'}ictures in {columns.image!r}"] if columns.image else []
    fields = "--text-field, --image-field" if columns.image else "--text-field"
    return f"{', '.join(asked)}, labels in {columns.label!r}; name others with {fields} and --label-field."


def column_notes(columns: Columns, wanted: Wanted) -> Iterator[str]:
    """Which columns were guessed, in a sentence, unless they are called so."""
    guessed = [
        f"{what} from {name!r}"
        for what, name, given in (
            ("texts", columns.text, wanted.text_field),
            ("pictures", columns.image, wanted.image_field),
            ("labels", columns.label, wanted.label_field),
        )
        if given is None and name
    ]
    usual = columns.text in ("", "text") and columns.label == "label" and columns.image in (None, "image")
    if guessed and not usual:
        fields = "--text-field, --image-field" if columns.image else "--text-field"
        yield f"Guessed: {', '.join(guessed)}. To name others: {fields}, --label-field."


def far_notes(file: DataFile, columns: Columns) -> Iterator[str]:
    """Which pictures beside texts are not looked at, in a sentence."""
    if columns.image or not columns.text:
        return
    left = [name for name in file.columns if name not in (columns.text, columns.label, columns.split)]
    name = find_image(file, left, has_text=False)
    if name and not is_at_hand(file, name):
        yield (
            f"Pictures in {name!r} are in Label Studio, a storage or on the web, or not where it says: texts "
            "alone are looked at. With --project pictures are fetched."
        )


def _begin(where: str) -> str:
    """Where a row stands, at the beginning of a sentence; paths stay as they are."""
    return where if "/" in where else where.capitalize()


def _fault_notes(faults: Sequence[str], rows: int) -> Iterator[str]:
    if faults:
        yield f"{count_left_out(len(faults), of=rows)}. {faults[0]}."
