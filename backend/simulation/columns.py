"""Which columns hold texts, pictures and labels: named, known by their names, or told by their values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from backend.errors import BadRequest
from backend.simulation.exports import ABOUT_ANSWERS
from backend.simulation.files import DataFile
from backend.simulation.pages import find_image, is_at_hand
from backend.simulation.spoken import WORDS_KEY, unpacked

_TEXT_NAMES = (
    *("text", "texts", "sentence", "review", "content", "body", "message", "comment", "utterance"),
    *("question", "document", "tweet", "query", "description", "title"),
)
_LABEL_NAMES = (
    *("label", "labels", "class", "category", "intent", "sentiment", "topic", "target", "tag", "choice"),
)
_SPLIT = "split"
_LOOKED_AT = 1000  # rows that are enough to tell
_MOST_DISTINCT = 1 / 3  # labels come again and again
_FEWEST_DISTINCT = 0.5  # texts seldom do


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of texts, labels and, if there are any, splits and pictures.

    The one of texts is empty where pictures stand alone.
    """

    text: str
    label: str
    split: str | None = None
    image: str | None = None


def find_columns(
    file: DataFile, *, text: str | None = None, label: str | None = None, image: str | None = None
) -> Columns:
    """Takes what is named, else what is called so, else what looks so; beside pictures no text has to be.

    Raises BadRequest, which names all columns.
    """
    _require_columns(file, text, label, image)
    rows = [row.fields for row in file.rows[:_LOOKED_AT]]
    free = [name for name in file.columns if name not in ABOUT_ANSWERS]
    split = _called(free, (_SPLIT,))
    label = label or _called([name for name in free if name not in (text, image)], _LABEL_NAMES)
    text, image = _find_shown(file, [name for name in free if name not in (label, split)], text, image)
    others = [name for name in free if name not in (text, split, image)]
    label = label or _most_repeated(others, rows) or _listing(others, rows)
    if text is None or label is None:
        lacking = "texts" if text is None else "labels"
        raise BadRequest(
            f"No column of {file.name} looks like one of {lacking}; it has: {', '.join(file.columns)}.",
            hint="Name them: --text-field NAME (or --image-field NAME) --label-field NAME",
        )
    return Columns(text, label, split, image)


def find_shown(
    file: DataFile, *, labels: Sequence[str], text: str | None = None, image: str | None = None
) -> Columns:
    """The columns of texts and pictures beside those that hold answers; raises as `find_columns` does."""
    _require_columns(file, text, image)
    free = [name for name in file.columns if name not in ABOUT_ANSWERS and name not in labels]
    split = _called(free, (_SPLIT,))
    text, image = _find_shown(file, [name for name in free if name != split], text, image)
    if text is None:
        raise BadRequest(
            f"No column of {file.name} looks like one of texts; it has: {', '.join(file.columns)}.",
            hint="Name it: --text-field NAME, or --image-field NAME",
        )
    return Columns(text, labels[0], split, image)


def _require_columns(file: DataFile, *named: str | None) -> None:
    for name in named:
        if name is not None and name not in file.columns:
            raise BadRequest(f"{file.name} has no column {name!r}; it has: {', '.join(file.columns)}.")


def _find_shown(
    file: DataFile, free: Sequence[str], text: str | None, image: str | None
) -> tuple[str | None, str | None]:
    """The columns of texts and of pictures.

    Beside pictures that are at hand none is taken for texts by its look alone.
    """
    rows = [row.fields for row in file.rows[:_LOOKED_AT]]
    text = text or _called([name for name in free if name != image], _TEXT_NAMES)
    found = image or find_image(file, [name for name in free if name != text], has_text=text is not None)
    if text is not None:
        return text, found
    longest = _longest([name for name in free if name != found], rows)
    if found is None or image is None and _is_prose(longest, rows) and not is_at_hand(file, found):
        return longest, None
    return "", found


def _is_prose(column: str | None, rows: Sequence[dict[str, Any]]) -> bool:
    """Whether most cells hold several words."""
    texts = [row[column] for row in rows if isinstance(row.get(column), str)] if column else []
    return 2 * sum(len(text.split()) > 2 for text in texts) > len(texts)


def one_label(value: Any) -> str | None:
    """The label in a cell: a word, a number, a list of one, Label Studio's choices; None: none or several."""
    found: object = unpacked(value)
    if isinstance(found, dict):
        found = found.get("choices")
    if isinstance(found, list):
        found = found[0] if len(found) == 1 else None
    return str(found).strip() or None if isinstance(found, str | int) else None


def _called(columns: Sequence[str], names: Sequence[str]) -> str | None:
    by_name = {column.lower().strip(): column for column in reversed(columns)}
    return next((by_name[name] for name in names if name in by_name), None)


def _longest(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> str | None:
    lengths = {}
    for column in columns:
        texts = [row[column] for row in rows if isinstance(row.get(column), str) and row[column].strip()]
        has_words = any(letter.isalpha() for text in texts for letter in text)
        if has_words and len(set(texts)) >= _FEWEST_DISTINCT * len(texts):
            lengths[column] = fmean(map(len, texts))
    return max(lengths, key=lambda column: lengths[column], default=None)


def _most_repeated(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> str | None:
    distinct = {}
    for column in columns:
        labels = [found for row in rows if (found := one_label(row.get(column))) is not None]
        kinds = len(set(labels))
        if kinds >= 2 and kinds <= max(2, _MOST_DISTINCT * len(labels)):
            distinct[column] = kinds
    return min(distinct, key=lambda column: distinct[column], default=None)


def _listing(columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> str | None:
    """The first column whose cells are lists of words."""

    def is_list(value: Any) -> bool:
        found = unpacked(value)
        found = found.get(WORDS_KEY) if isinstance(found, dict) else found
        return isinstance(found, list) and all(isinstance(word, str) for word in found)

    cells = {name: [row[name] for row in rows if row.get(name) not in (None, "")] for name in columns}
    return next((name for name, said in cells.items() if said and all(map(is_list, said))), None)
