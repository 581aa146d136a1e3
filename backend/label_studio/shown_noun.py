"""What tasks show, as a noun in sentences: the one place that decides it, from the objects of a config."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from backend.label_studio.label_config import LabelConfig, shown_pictures


@dataclass(frozen=True, slots=True)
class Noun:
    """What tasks show: `one` of it and `many`; `given` is what their data hold, which of a picture is where
    it lies and not that it can be read; `check` is what `doctor` calls the check for it.
    """

    one: str
    given: str
    many: str
    check: str


TEXT: Final = Noun("text", "text", "texts", "texts")
PICTURE: Final = Noun("picture", "the address of a picture", "pictures", "tasks")
EITHER: Final = Noun("text or picture", "a text or the address of a picture", "tasks", "tasks")


def shown_noun(xml: str) -> Noun:
    """What the tasks of a config show: texts, pictures, or one of both; texts where it is no config."""
    shows_text, pictures = shown_pictures(xml)
    if not pictures:
        return TEXT
    return EITHER if shows_text else PICTURE


def field_nouns(config: LabelConfig) -> Mapping[str, Noun]:
    """What each field that is read holds."""
    pictured = {field for shown in config.pictures for field in shown.fields}
    return {field: PICTURE if field in pictured else TEXT for field in config.text_fields}


def shown_words(config: LabelConfig) -> str:
    """What is read from where: "text from title, body; picture from image"."""
    nouns = field_nouns(config)
    parts = ((noun.one, [field for field in nouns if nouns[field] is noun]) for noun in (TEXT, PICTURE))
    return "; ".join(f"{one} from {', '.join(fields)}" for one, fields in parts if fields)
