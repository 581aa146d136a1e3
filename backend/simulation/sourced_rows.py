"""Reads labelled texts of which some are real and some synthetic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from backend.errors import BadRequest, NotFound
from backend.simulation.rows import read_lines, read_row

SOURCE, REAL, SYNTHETIC = "source", "real", "synthetic"
GENERATOR, SLICES = "generator", ("slice", "prompt")
SPLITS = ("train", "test")


@dataclass(frozen=True, slots=True)
class SourcedText:
    """One line. `id` is the file's own or the line's number; generator and slice are empty if not told."""

    id: int | str
    text: str
    label: str
    is_synthetic: bool
    is_test: bool
    generator: str
    slice: str


def read_sourced_texts(path: Path, *, label_field: str = "label") -> list[SourcedText]:
    """Real lines of the splits train and test (train without one), and all synthetic lines.

    Raises NotFound without the file; BadRequest when no line says its source, one says another than real or
    synthetic, one cannot be read, an id repeats, or a side is missing.
    """
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", hint="Name a file of JSON lines.")
    rows = []
    any_source = False
    for number, fields in read_lines(path):
        where = f"{path.name}, line {number}"
        any_source |= SOURCE in fields
        source = fields.get(SOURCE, REAL)
        if source not in (REAL, SYNTHETIC):
            raise BadRequest(f"{where}: {SOURCE} is {source!r}; expected {REAL!r} or {SYNTHETIC!r}.")
        is_synthetic = source == SYNTHETIC
        if not is_synthetic and fields.get("split", SPLITS[0]) not in SPLITS:
            continue
        row = read_row(fields, label_field, where=where)
        name = fields.get("id", number)
        rows.append(
            SourcedText(
                id=name if isinstance(name, int | str) else str(name),
                text=row.text,
                label=row.label,
                is_synthetic=is_synthetic,
                is_test=not is_synthetic and bool(row.is_test),
                generator=str(fields.get(GENERATOR) or ""),
                slice=next((str(fields[field]) for field in SLICES if fields.get(field)), ""),
            )
        )
    _require_both(path, rows, any_source=any_source)
    return rows


def _require_both(path: Path, rows: list[SourcedText], *, any_source: bool) -> None:
    if not any_source:
        raise BadRequest(
            f"{path.name}: no line has the field {SOURCE!r}.",
            hint=f"Give synthetic lines {SOURCE!r}: {SYNTHETIC!r} and real ones {REAL!r}.",
        )
    if not any(row.is_synthetic for row in rows):
        raise BadRequest(
            f"{path.name}: no line is synthetic.", hint=f"Nothing has {SOURCE!r}: {SYNTHETIC!r}."
        )
    if not any(not row.is_synthetic and not row.is_test for row in rows):
        raise BadRequest(
            f"{path.name}: no real line of the split train.",
            hint="Synthetic items are judged by real labels.",
        )
    seen: set[int | str] = set()
    for row in rows:
        if row.id in seen:
            raise BadRequest(f"{path.name}: the id {row.id!r} appears twice.")
        seen.add(row.id)
