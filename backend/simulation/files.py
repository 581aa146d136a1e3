"""Opens what people have: CSV, TSV, JSON, JSON lines, exports of Label Studio; a sentence for every fault."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from backend.errors import BadRequest, NotFound
from backend.simulation.export_config import find_config
from backend.simulation.exports import is_task, merge_annotations, read_tasks

_DELIMITERS = ",\t;|"
_LONGEST_CELL = 2**31 - 1
_ROWS = "It needs a row for each text or picture, with its label."
# How files begin that are no text, and what to do with them.
_BINARY = {
    b"PK\x03\x04": "a spreadsheet or an archive: save the sheet as CSV, or unpack it",
    b"\x1f\x8b": "packed: unpack it first",
    b"PAR1": "in Parquet: write it as CSV or JSON lines",
    b"%PDF": "a PDF",
    b"\xd0\xcf\x11\xe0": "a spreadsheet: save the sheet as CSV",
}
_MAJORITY = "An export of Label Studio, its answers by majority."
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row or object, its columns by name, and where it stands: "line 3"."""

    where: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DataFile:
    """What a file holds. `notes` say in sentences what was assumed to read it.

    is_table: its cells are text, and nothing tells a number from a word. Of an export of Label Studio `kinds`
    are those of the questions that were answered, `tasks` the tasks as its API has them, and `config` is the
    labeling config, where one stands beside the tasks. Paths of pictures begin at `folder`.
    """

    name: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    is_table: bool = False
    kinds: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path()
    tasks: tuple[dict[str, Any], ...] = ()
    config: str = ""

    @property
    def columns(self) -> list[str]:
        """The names of all columns, in the order in which they come."""
        return list(dict.fromkeys(name for row in self.rows for name in row.fields))


def read_file(path: Path) -> DataFile:
    """The rows of a file. Raises NotFound without it, BadRequest on one that is empty, no text or broken."""
    if not path.is_file():
        raise NotFound(
            f"There is no file {path}.",
            hint="Name a file (CSV, TSV, JSON or JSON lines), or a folder with a folder for each class.",
        )
    text, notes = _decode(path)
    if not text.strip():
        raise BadRequest(f"{path.name} is empty.", hint=_ROWS)
    whole = _parse(path, text)
    placed = [(row.where, row.fields) for row in whole.rows]
    if any(is_task(fields) for _, fields in placed):
        found = _from_export(path, placed, config=whole.config)
    elif merged := merge_annotations(placed):
        rows = tuple(Row(where, fields) for where, fields in merged)
        found = replace(whole, rows=rows, notes=(_MAJORITY,))
    else:
        found = whole
    if not any(row.fields for row in found.rows):
        raise BadRequest(f"{path.name} holds no rows.", hint=_ROWS)
    return replace(found, notes=(*notes, *found.notes), folder=path.parent)


def _from_export(path: Path, placed: Sequence[tuple[str, dict[str, Any]]], *, config: str) -> DataFile:
    export = read_tasks(placed)
    return DataFile(
        name=path.name,
        rows=tuple(Row(where, fields) for where, fields in export.rows),
        notes=(_MAJORITY, *export.notes),
        kinds=export.kinds,
        tasks=tuple(export.tasks),
        config=config,
    )


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


def _parse(path: Path, text: str) -> DataFile:
    start = text.lstrip()[:1]
    if start == "[":
        return DataFile(path.name, tuple(_objects(path, _load(path, text))))
    if start != "{":
        return DataFile(path.name, tuple(_cells(path, text)), is_table=True)
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return DataFile(path.name, tuple(_lines(path, text)))
    rows = tuple(_objects(path, _inside(whole)))
    return DataFile(path.name, rows, config=find_config(whole))


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
    """JSON lines."""
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
    """One object alone may be a row, or hold the list of them."""
    if is_task(whole):
        return [whole]
    lists = [value for value in whole.values() if isinstance(value, list) and value]
    of_tasks = [value for value in lists if any(isinstance(one, dict) and is_task(one) for one in value)]
    if of_tasks:
        return [one for one in of_tasks[0] if isinstance(one, dict)]
    return lists[0] if len(lists) == 1 and isinstance(lists[0][0], dict) else [whole]


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
