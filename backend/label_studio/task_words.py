"""What a task says in words where it shows no text: its fields, and the names of its files."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from backend.label_studio.objects.values import in_words
from backend.label_studio.text_template import OWN_FIELDS

# Letters that are kept of a task, and read of one value or address.
_MOST: Final = 500
# What Label Studio writes before the name of an uploaded file, and where it says that it lies.
_UPLOAD_PREFIX: Final = re.compile(r"^[0-9a-f]{8}-(?=.)")
_OWN_PLACES: Final = re.compile(r"^/data/(?:upload|local-files)\b")
_ADDRESS: Final = re.compile(r"^(?:[a-z][a-z0-9+.-]*://|/)\S*$|^\S+\.[a-z]{3,4}$", re.IGNORECASE)
_CAMEL: Final = re.compile(r"(?<=[a-zß-öø-ÿ])(?=[A-Z])")
_CHECKSUM: Final = re.compile(r"\b(?=[a-f]*[0-9])[0-9a-f]{8,}\b", re.IGNORECASE)
_NO_LETTER: Final = re.compile(r"[\W\d_]+")
# What cameras and scanners call every file.
_NAMELESS: Final = frozenset(
    {"img", "image", "dsc", "dscn", "dscf", "pict", "pxl", "photo", "picture", "scan"}
)


def task_words(data: object) -> str:
    """The fields of a task in words, but our own; of an address the names of folders and file.

    A field a line, at most 500 letters; empty where there is no word. Any data give a text, nothing raises.
    """
    if not isinstance(data, dict):
        return ""
    values = (value for field, value in data.items() if not str(field).startswith(OWN_FIELDS))
    lines = (line for value in values for line in _lines(value))
    return "\n".join(dict.fromkeys(filter(None, lines)))[:_MOST]


def file_words(address: str) -> str:
    """The words in the names of a file and its folders; empty for what is no file, such as a `data:` URI.

    What Label Studio puts before the name of an upload is left out, and so are checksums, numbers and what
    cameras call every file: "/data/upload/3/1a2b3c4d-red_panda-07.jpg" says "red panda".
    """
    try:
        parts = urlsplit(address[:_MOST])
    except ValueError:  # "http://[": no address at all
        return ""
    if parts.scheme == "data":
        return ""
    named = parse_qs(parts.query).get("d", [])
    path = named[0] if named else _OWN_PLACES.sub("", unquote(parts.path))
    *folders, file = PurePosixPath(path).parts or ("",)
    names = [*folders, _UPLOAD_PREFIX.sub("", PurePosixPath(file).stem)]
    words = [word for name in names for word in _split(name) if word.casefold() not in _NAMELESS]
    return " ".join(words)


def _lines(value: object) -> list[str]:
    """A value in words; each of several files on a line of its own."""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return [_said(part) for part in value]
    return [_said(value) if isinstance(value, str) else in_words(value)[:_MOST]]


def _said(value: str) -> str:
    stripped = value.strip()
    if stripped[:5].lower() == "data:":
        return ""
    return file_words(stripped) if _ADDRESS.match(stripped) else in_words(stripped[:_MOST])


def _split(name: str) -> list[str]:
    """Words of letters: "redPanda_07" is "red" and "Panda"."""
    bare = _CHECKSUM.sub(" ", name.replace("_", " "))
    return _NO_LETTER.sub(" ", _CAMEL.sub(" ", bare)).split()
