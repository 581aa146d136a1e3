"""Reads labelled texts and pictures of which some are real and some synthetic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.errors import BadRequest
from backend.simulation.columns import Columns, find_columns
from backend.simulation.files import Row
from backend.simulation.folders import read_data
from backend.simulation.pages import Pages
from backend.simulation.rows import (
    TEST,
    LabelledText,
    Wanted,
    column_notes,
    far_notes,
    fields_hint,
    nothing_shown,
    read_row,
    read_shown,
    split_of,
)
from backend.simulation.spoken import read_said, unpacked

SOURCE, REAL, SYNTHETIC = "source", "real", "synthetic"
GENERATOR, SLICES = "generator", ("slice", "prompt")
SPLITS = ("train", "test")


@dataclass(frozen=True, slots=True)
class SourcedText:
    """One line. `id` is the file's own or the line's number; generator and slice are empty if not told.

    `labels` holds one, or any number where the file's labels are lists. `pictures` are those of each object
    that shows any; beside them the text may be empty.
    """

    id: int | str
    text: str
    labels: tuple[str, ...]
    is_synthetic: bool
    is_test: bool
    generator: str
    slice: str
    pictures: tuple[Pages, ...] = ()


@dataclass(frozen=True, slots=True)
class _Labelled:
    text: str
    labels: tuple[str, ...]
    is_test: bool
    pictures: tuple[Pages, ...]


def read_sourced_texts(
    path: Path, *, text_field: str | None = None, label_field: str | None = None
) -> list[SourcedText]:
    """The rows of `read_sourced_file`."""
    rows, _notes = read_sourced_file(path, Wanted(text_field, label_field))
    return rows


def read_sourced_file(path: Path, wanted: Wanted) -> tuple[list[SourcedText], tuple[str, ...]]:
    """Real rows of the splits train and test (train without one), and all synthetic rows; what was assumed.

    Raises NotFound without the file; BadRequest when no row says its source, one says another than real or
    synthetic, one cannot be read, an id repeats, or a side is missing.
    """
    file = read_data(path)
    columns = find_columns(file, text=wanted.text_field, label=wanted.label_field, image=wanted.image_field)
    read = _read_set if any(_is_set(row.fields.get(columns.label)) for row in file.rows) else _read_one
    rows = []
    for number, row in enumerate(file.rows, start=1):
        source = row.fields.get(SOURCE) or REAL
        if source not in (REAL, SYNTHETIC):
            raise BadRequest(
                f"{path.name}, {row.where}: {SOURCE} is {source!r}; expected {REAL!r} or {SYNTHETIC!r}."
            )
        found = read(row, columns)
        if source == REAL and split_of(row, columns) not in SPLITS:
            continue
        if isinstance(found, str):
            raise BadRequest(f"{path.name}: {found}.", hint=fields_hint(columns))
        rows.append(_sourced(found, row.fields, number=number, is_synthetic=source == SYNTHETIC))
    if SOURCE not in file.columns:
        raise BadRequest(
            f"{path.name}: no row has the column {SOURCE!r}.",
            hint=f"Give synthetic rows {SOURCE!r}: {SYNTHETIC!r} and real ones {REAL!r}; put folders of "
            f"pictures into two, {REAL} and {SYNTHETIC}.",
        )
    require_both(path, rows)
    notes = [*column_notes(columns, wanted), *far_notes(file, columns)] if columns.image else []
    return rows, (*file.notes, *notes)


def _is_set(value: object) -> bool:
    """Whether a cell holds any number of labels but one."""
    found = unpacked(value)
    return isinstance(found, list) and len(found) != 1


def _read_one(row: Row, columns: Columns) -> _Labelled | str:
    found = read_row(row, columns)
    return found if isinstance(found, str) else _labelled(found)


def _labelled(found: LabelledText) -> _Labelled:
    return _Labelled(found.text, (found.label,), bool(found.is_test), found.pictures)


def _read_set(row: Row, columns: Columns) -> _Labelled | str:
    """Text and labels of a row of a file of sets; a word is a set of one."""
    text, pictures = read_shown(row, columns)
    if not text and not any(pictures):
        return f"{row.where.capitalize()}: {nothing_shown(columns)}"
    try:
        said = read_said(row.fields.get(columns.label), is_table=False)
    except ValueError as error:
        return f"{row.where.capitalize()}: {columns.label!r} is {error}"
    if said is None or said.form == "a number":
        return f"{row.where.capitalize()}: {columns.label!r} holds no labels"
    return _Labelled(text, said.words, TEST in split_of(row, columns), pictures)


def _sourced(row: _Labelled, fields: dict[str, Any], *, number: int, is_synthetic: bool) -> SourcedText:
    name = fields.get("id", number)
    return SourcedText(
        id=name if isinstance(name, int | str) else str(name),
        text=row.text,
        labels=row.labels,
        is_synthetic=is_synthetic,
        is_test=not is_synthetic and row.is_test,
        generator=str(fields.get(GENERATOR) or ""),
        slice=next((str(fields[field]) for field in SLICES if fields.get(field)), ""),
        pictures=row.pictures,
    )


def require_both(path: Path, rows: list[SourcedText]) -> None:
    """Raises BadRequest where real or synthetic rows are missing, or an id repeats."""
    if not any(row.is_synthetic for row in rows):
        raise BadRequest(f"{path.name}: no row is synthetic.", hint=f"Nothing has {SOURCE!r}: {SYNTHETIC!r}.")
    if not any(not row.is_synthetic and not row.is_test for row in rows):
        raise BadRequest(
            f"{path.name}: no real row of the split train.",
            hint="Synthetic items are judged by real labels.",
        )
    seen: set[int | str] = set()
    for row in rows:
        if row.id in seen:
            raise BadRequest(f"{path.name}: the id {row.id!r} appears twice.")
        seen.add(row.id)
