"""Opens what people have: CSV, TSV, JSON, JSON lines, exports of Label Studio; a sentence for every fault."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.errors import BadRequest, NotFound
from backend.simulation.exports import flatten_tasks, is_task, merge_annotations

_DELIMITERS = ",\t;|"
_LONGEST_CELL = 2**31 - 1
_ROWS = "It needs a row for each text, with its label."
# How files begin that are no text, and what to do with them.
_BINARY = {
    b"PK\x03\x04": "a spreadsheet or an archive: save the sheet as CSV, or unpack it",
    b"\x1f\x8b": "packed: unpack it first",
    b"PAR1": "in Parquet: write it as CSV or JSON lines",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "a spreadsheet: save the sheet as CSV",
}
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row or object, its columns by name, and where it stands: "line 3"."""

    where: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DataFile:
    """What a file holds. `notes` say in sentences what was assumed to read it."""

    name: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """The names of all columns, in the order in which they come."""
        return list(dict.fromkeys(name for row in self.rows for name in row.fields))


def read_file(path: Path) -> DataFile:
    """The rows of a file. Raises NotFound without it, BadRequest on one that is empty, no text or broken."""
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", hint="Name a file: CSV, TSV, JSON or JSON lines.")
    text, notes = _decode(path)
    if not text.strip():
        raise BadRequest(f"{path.name} is empty.", hint=_ROWS)
    rows = list(_parse(path, text))
    if any(is_task(row.fields) for row in rows):
        rows = [
            Row(where, fields) for where, fields in flatten_tasks((row.where, row.fields) for row in rows)
        ]
        notes.append("An export of Label Studio, its answers by majority.")
    elif merged := merge_annotations([(row.where, row.fields) for row in rows]):
        rows = [Row(where, fields) for where, fields in merged]
        notes.append("An export of Label Studio, its answers by majority.")
    if not any(row.fields for row in rows):
        raise BadRequest(f"{path.name} holds no rows.", hint=_ROWS)
    return DataFile(path.name, tuple(rows), tuple(notes))


def _decode(path: Path) -> tuple[str, list[str]]:
    content = path.read_bytes()
    for start, what in _BINARY.items():
        if content.startswith(start):
            raise _no_text(path, what)
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return content.decode(encoding, errors="replace"), []
    if b"\0" in content:
        raise _no_text(path, "binary")
    try:
        return content.decode("utf-8"), []
    except UnicodeDecodeError:
        note = f"{path.name} is not UTF-8 and is read as Latin-1: look at its letters, or save it as UTF-8."
        return content.decode("cp1252", errors="replace"), [note]


def _no_text(path: Path, what: str) -> BadRequest:
    return BadRequest(
        f"{path.name} is no text file; it is {what}.", hint="What can be read: CSV, TSV, JSON, JSON lines."
    )


def _parse(path: Path, text: str) -> Iterator[Row]:
    start = text.lstrip()[:1]
    if start == "[":
        return _objects(path, _load(path, text))
    if start == "{":
        return _lines(path, text)
    return _cells(path, text)


def _load(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise BadRequest(f"{path.name} holds lists in lists beyond all bounds.", hint=_ROWS) from None
    except ValueError as error:
        raise BadRequest(f"{path.name}: not JSON ({error}).") from None


def _objects(path: Path, found: list[Any]) -> Iterator[Row]:
    for number, fields in enumerate(found, start=1):
        if not isinstance(fields, dict):
            raise BadRequest(f'{path.name}, object {number}: expected an object like {{"text": …}}.')
        yield Row(f"object {number}", fields)


def _lines(path: Path, text: str) -> Iterator[Row]:
    """JSON lines; one object alone may be a row, or hold the list of them."""
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        whole = None
    if isinstance(whole, dict):
        yield from _objects(path, _inside(whole))
        return
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            raise BadRequest(f"{path.name}, line {number}: not JSON.") from None
        if not isinstance(fields, dict):
            raise BadRequest(f'{path.name}, line {number}: expected an object like {{"text": …}}.')
        yield Row(f"line {number}", fields)


def _inside(whole: dict[str, Any]) -> list[Any]:
    lists = [value for value in whole.values() if isinstance(value, list) and value]
    is_list_of_rows = len(lists) == 1 and isinstance(lists[0][0], dict) and not is_task(whole)
    return lists[0] if is_list_of_rows else [whole]


def _told_apart(names: Sequence[str]) -> list[str]:
    """The names of columns, of which the second `text` is `text.1`, as in pandas: none hides another."""
    seen: Counter[str] = Counter()
    told = []
    for name in names:
        told.append(f"{name}.{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return told


def _cells(path: Path, text: str) -> Iterator[Row]:
    csv.field_size_limit(_LONGEST_CELL)
    heading = text.lstrip().partition("\n")[0]
    delimiter = "\t" if path.suffix.lower() == ".tsv" else max(_DELIMITERS, key=heading.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    names = _told_apart([name.strip() for name in next(row for row in reader if row)])
    if len(names) < 2:
        raise BadRequest(
            f"{path.name} has one column alone ({names[0][:40]!r}).",
            hint="It needs one with texts and one with labels, under a heading that names them.",
        )
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(names):
            raise BadRequest(
                f"{path.name}, line {reader.line_num}: {len(cells)} cells under {len(names)} names.",
                hint='Put texts that hold a comma or a line break in quotes: "like, this".',
            )
        yield Row(f"line {reader.line_num}", dict(zip(names, cells, strict=False)))
