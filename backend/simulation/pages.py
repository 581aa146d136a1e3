"""Pictures that rows of a file, or tasks of a project, show: where they lie, and which column says so."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from backend.label_studio.label_config import LabelConfig
from backend.label_studio.objects.image import MOST_PAGES
from backend.label_studio.task_words import file_words
from backend.label_studio.tasks import TaskState
from backend.simulation.files import DataFile
from backend.simulation.local_files import LocalFiles
from backend.simulation.spoken import unpacked

_NAMES = ("image", "images", "picture", "pictures", "photo", "photos", "img", "image_path")
_SUFFIX = re.compile(
    r"\.(?:png|jpe?g|jpe|gif|bmp|webp|tiff?|avif|hei[cf]|jp2|j2k|ico|p[pgb]m)\s*$", re.IGNORECASE
)
_INSIDE = re.compile(r"data:image/|/data/local-files/\?d=", re.IGNORECASE)
_LOOKED_AT = 1000  # rows that are enough to tell
_MOSTLY = 0.9


@dataclass(frozen=True, slots=True)
class Page:
    """One picture. `content_hash` is the SHA-256 of its bytes, empty until they were read.

    `task_id` is the task of Label Studio that shows it, 0 where there is none.
    """

    address: str
    task_id: int = 0
    content_hash: str = ""


# What one object shows: one page, or several. A row has such a tuple for each object.
Pages = tuple[Page, ...]


def pages_of(cell: Any) -> Pages:
    """The pictures that a cell names: an address, or a list of them, which a table holds as JSON."""
    found = unpacked(cell)
    pages = found if isinstance(found, list) else [found]
    addresses = (page.strip() for page in pages if isinstance(page, str))
    return tuple(Page(address) for address in addresses if address)[:MOST_PAGES]


def word_for(shown: Iterable[tuple[Pages, ...]]) -> str:
    """What is shown by rows with these pictures: a picture where one of them has any, else a text."""
    return "picture" if any(any(pictures) for pictures in shown) else "text"


def first_address(pictures: tuple[Pages, ...]) -> str:
    """Where the first of a row's pictures lies; empty for none."""
    return next((page.address for pages in pictures for page in pages), "")


def file_name(pictures: tuple[Pages, ...]) -> str:
    """The name of the first picture's file in words: that of its folder may be the label itself."""
    address = first_address(pictures)
    return "" if address.startswith("data:") else file_words(PurePosixPath(address).name)


def shown_pages(task: TaskState, config: LabelConfig) -> tuple[Pages, ...]:
    """The pictures of a task, by the objects of its config."""
    return tuple(
        tuple(Page(address, task.task_id) for address in task.pictures.get(shown.name, ()))
        for shown in config.pictures
    )


def find_image(file: DataFile, columns: Sequence[str], *, has_text: bool) -> str | None:
    """The column whose cells name pictures, one that is called so before others; None for none.

    Beside a text it is only taken where one of its pictures at least is at hand.
    """
    called = [name for name in columns if name.strip().lower() in _NAMES]
    ordered = [*called, *(name for name in columns if name not in called)]
    for name in ordered:
        addresses = _addresses(file, name)
        if not addresses:
            continue
        if _share_told(addresses) >= _MOSTLY:
            return name if not has_text or is_at_hand(file, name) else None
        if name in called and is_at_hand(file, name):
            return name
    return None


def is_at_hand(file: DataFile, column: str) -> bool:
    """Whether one of the pictures that a column names lies on this machine, or in the file itself."""
    files = LocalFiles(file.folder)
    return any(files.has(address) for address in _addresses(file, column))


def _addresses(file: DataFile, column: str) -> list[str]:
    rows = file.rows[:_LOOKED_AT]
    return [page.address for row in rows for page in pages_of(row.fields.get(column))]


def _share_told(addresses: Sequence[str]) -> float:
    """How many look like addresses of pictures."""
    told = [
        bool(_INSIDE.match(address)) or bool(_SUFFIX.search(address.partition("?")[0]))
        for address in addresses
    ]
    return sum(told) / len(told)
