"""What a <Text> tag shows of a task: its value, with every `$field` filled in as Label Studio does it.

Seen in the editor of Label Studio 1.23.2 (`parseValue`): a field is `$` with a name, or a path of names with
dots and brackets. A key of that very name comes before a path into the data (`mail.body`, `arr[0].text`,
`arr.0.text`). Lists are shown with commas, booleans as true and false, objects not at all.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from backend.json_types import Json

# A task field that we write ourselves is never input of the model.
OWN_FIELDS = "nextlabel_"

# The editor takes a full stop behind a field along.
_FIELD = re.compile(r"\$(\w+(?:\.\w+|\[\w+\])*)\.*")
# Label Studio's server takes `$my-field` for one field, so does a reader of the config.
_ONE_FIELD = re.compile(r"\$(\w[\w-]*(?:\.[\w-]+|\[\w+\])*)")
_STEP = re.compile(r"[^.\[\]]+")
_WORD = re.compile(r"\w")
_NAMES_THE_TASK = re.compile(
    r"(?:^|[\W_])(?i:ids?|uid|uuid|guid|idx)$|[a-z0-9](?:Id|ID|Uuid|UUID|Guid)$|^index$"
)
_APART = "\n"
# Beyond these JavaScript writes a number with an exponent.
_SMALLEST_PLAIN, _LARGEST_PLAIN = 1e-6, 1e21


@dataclass(frozen=True, slots=True)
class Piece:
    """A field of a template, and what stands between the field before it and this one."""

    before: str
    field: str


@dataclass(frozen=True, slots=True)
class TextTemplate:
    """The fields of one tag. `key`: the whole value as a name, which wins where a task has such a field.

    Fixed words are the same in every task and teach nothing: they are left out.
    """

    key: str
    pieces: tuple[Piece, ...]

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields, in their order."""
        return tuple(piece.field for piece in self.pieces)

    @property
    def shows(self) -> Hashable:
        """What is filled in; the name of the whole value does not tell two tags apart."""
        return self.pieces

    def fill(self, data: Json) -> str:
        """The text for one task's data; empty where no field has one."""
        if self.key in data:
            return field_text(data, self.key)
        text = ""
        for piece in self.pieces:
            value = field_text(data, piece.field)
            text += (piece.before if text and value else "") + value
        return text

    def missing(self, data: Json) -> tuple[str, ...]:
        """Fields without a text in one task's data."""
        if self.key in data:
            return () if field_text(data, self.key) else self.fields
        return tuple(field for field in self.fields if not field_text(data, field))

    def keep(self, fields: Iterable[str]) -> TextTemplate:
        """Only some of the fields."""
        kept, chosen, gap = [], set(fields), False
        for piece in self.pieces:
            if piece.field in chosen:
                kept.append(replace(piece, before=_APART) if gap else piece)
            gap = piece.field not in chosen
        return replace(self, pieces=tuple(kept))


def parse_template(value: str) -> TextTemplate:
    """Reads the `value` of a tag; a fixed sentence has no pieces."""
    key = value.removeprefix("$") if value.startswith("$") else ""
    if one := _ONE_FIELD.fullmatch(value.strip()):
        return TextTemplate(key, (Piece(_APART, one[1]),))
    pieces, end = [], 0
    for found in _FIELD.finditer(value):
        between = value[end : found.start()]
        pieces.append(Piece(_APART if _WORD.search(between) else between, found[1]))
        end = found.end()
    return TextTemplate(key, tuple(pieces))


def names_the_task(field: str) -> bool:
    """Whether a field only says which task it is, by its name: id, movie_id, reviewId, uuid."""
    return bool(_NAMES_THE_TASK.search(field.rsplit(".", 1)[-1]))


def field_text(data: Json, field: str) -> str:
    """What Label Studio shows for a field; empty where that is nothing to read."""
    return shown(field_value(data, field))


def field_value(data: Json, field: str) -> object:
    """What a task has in a field, by its very name or by the path that it is; None where that is nothing."""
    value: object = data.get(field)
    return _follow(data, _STEP.findall(field)) if value is None else value


def _follow(value: object, path: list[str]) -> object:
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _number(value: float) -> str:
    """As JavaScript writes it: 3.0 as 3, 1e16 as 10000000000000000."""
    if value == 0 or _SMALLEST_PLAIN <= abs(value) < _LARGEST_PLAIN:
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    return repr(value).replace("e-0", "e-")


def shown(value: object) -> str:
    """A value as Label Studio shows it in a text, stripped; objects and nothing are empty."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(filter(None, map(shown, value)))
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str | int):
        # JSON can carry what no database stores: halves of a surrogate pair, and the zero byte
        return str(value).replace("\0", " ").encode("utf-8", "replace").decode().strip()
    return ""
