"""Reads labelled texts from JSON lines."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backend.errors import BadRequest, NotFound

TRAIN, TEST = "train", "test"


@dataclass(frozen=True, slots=True)
class LabelledText:
    """One line of the file. `is_test` is None when the file leaves it to us what is held out."""

    text: str
    label: str
    is_test: bool | None


def read_labelled_texts(
    path: Path, *, label_field: str = "label", splits: Collection[str] = ()
) -> list[LabelledText]:
    """The lines of the splits train and test, and of those named; lines without a split count as train.

    A named split with `test` in its name is held out, any other joins the pool. Raises NotFound without the
    file, BadRequest with the number of a line that cannot be used.
    """
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", hint="Name a file of JSON lines.")
    wanted = {TRAIN, TEST, *splits}
    rows, seen = [], set()
    for number, fields in read_lines(path):
        split = fields.get("split", TRAIN)
        seen.add(split)
        if split in wanted:
            rows.append(read_row(fields, label_field, where=f"{path.name}, line {number}"))
    missing = sorted(set(splits) - seen)
    if missing:
        raise BadRequest(f"{path.name} has no split {missing[0]!r}; it has: {', '.join(sorted(seen))}.")
    if not any(row.is_test for row in rows):
        rows = [LabelledText(row.text, row.label, None) for row in rows]
    return rows


def splits_with_label(path: Path, label: str, *, label_field: str = "label") -> tuple[str, ...]:
    """Held-out splits that hold a label which neither train nor test has; empty when it is in these."""
    if not path.is_file():
        raise NotFound(f"There is no file {path}.", hint="Name a file of JSON lines.")
    found = {
        str(fields.get("split", TRAIN)) for _, fields in read_lines(path) if fields.get(label_field) == label
    }
    if found & {TRAIN, TEST}:
        return ()
    return tuple(sorted(split for split in found if TEST in split)) or tuple(sorted(found))


def read_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Numbers and objects of the lines that hold something; raises BadRequest on a line that is none."""
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                fields = json.loads(line)
            except ValueError:
                raise BadRequest(f"{path.name}, line {number}: not JSON.") from None
            if not isinstance(fields, dict):
                raise BadRequest(f'{path.name}, line {number}: expected an object like {{"text": …}}.')
            yield number, fields


def read_row(fields: dict[str, Any], label_field: str, *, where: str) -> LabelledText:
    """Text, label and split of one line; raises BadRequest, saying where, without text or one label."""
    text, label = fields.get("text"), fields.get(label_field)
    if not isinstance(text, str) or not text.strip():
        raise BadRequest(f"{where}: no text. Only texts can be simulated so far.")
    if isinstance(label, list) and len(label) == 1:
        label = label[0]
    if not isinstance(label, str) or not label:
        raise BadRequest(
            f"{where}: {label_field!r} is not one label.", hint="Name another with --label-field."
        )
    return LabelledText(text, label, TEST in str(fields.get("split", TRAIN)))
