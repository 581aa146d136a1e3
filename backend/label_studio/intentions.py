"""What the generator of a synthetic task meant: the answer to the first question, one label or several."""

from __future__ import annotations

import json
from collections.abc import Mapping

from backend.label_studio.controls.protocol import Target
from backend.label_studio.controls.question import SINGLE_CHOICE, Question
from backend.label_studio.controls.several_choices import SeveralChoices
from backend.label_studio.spelling import find_label
from backend.label_studio.text_template import field_text, field_value

# How a set without a label may be spelled.
_NONE = "none of them"


def read_intention(data: Mapping[str, object], field: str, question: Question) -> Target | None:
    """What a field of the task data says; None where it names nothing, or a label that is not in the config.

    Several labels are a list, a list in JSON, or names with commas between them; an empty list, or "none of
    them", means that no label fits.
    """
    said = dict(data)
    if question.kind == SeveralChoices.kind:
        return _several(field_value(said, field), field_text(said, field), question)
    name = find_label(field_text(said, field), question.labels)
    return None if name is None else (name,)


def pack_intention(target: Target | None, question: Question) -> str | None:
    """An intention as it is kept: the label itself where there is one to choose, else a list in JSON."""
    if target is None:
        return None
    return target[0] if question.kind == SINGLE_CHOICE else json.dumps(list(target), ensure_ascii=False)


def unpack_intention(kept: str | None, question: Question) -> Target | None:
    """The intention that was kept; None where a label has left the config, or another kind was asked then."""
    if kept is None:
        return None
    names = {label.name for label in question.labels}
    if question.kind == SINGLE_CHOICE:
        return (kept,) if kept in names else None
    found = _from_json(kept)
    return tuple(found) if found is not None and names.issuperset(found) else None


def _several(value: object, text: str, question: Question) -> Target | None:
    if isinstance(value, list):
        return _known(value, question)
    if text.startswith("[") and (found := _from_json(text)) is not None:
        return _known(found, question)
    if not text:
        return None
    whole = find_label(text, question.labels)
    if whole is not None:
        return (whole,)
    return () if text.casefold() == _NONE else _known(text.split(","), question)


def _known(spellings: list[object] | list[str], question: Question) -> Target | None:
    """The labels in the order of the config; None where one of them is not known."""
    names = {
        find_label(str(spelling), question.labels) if isinstance(spelling, str | int) else None
        for spelling in spellings
    }
    if None in names:
        return None
    return tuple(label.name for label in question.labels if label.name in names)


def _from_json(text: str) -> list[str] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    is_list = isinstance(found, list) and all(isinstance(name, str) for name in found)
    return found if is_list else None
