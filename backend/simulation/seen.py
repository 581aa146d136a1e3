"""Reads and encodes the pictures of rows; what cannot be read leaves its row out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from backend.context import Context
from backend.database import in_chunks
from backend.label_studio.media.errors import MediaError
from backend.simulation.answered import AnsweredText
from backend.simulation.left_out import left_out_note
from backend.simulation.local_files import LocalFiles
from backend.simulation.pages import Page, Pages
from backend.simulation.rows import LabelledText
from backend.simulation.sourced_rows import SourcedText
from backend.store.pictures import Fault, Picture, PictureTask
from backend.workflows.intake.fetch_pictures import Unkept, encode_pictures
from backend.workflows.intake.read_pictures import Fetcher
from backend.workflows.project.progress import Progress
from model.encoders import looks
from model.synthetic.pictures import Pictures, gather_pictures

Row = TypeVar("Row", LabelledText, AnsweredText, SourcedText)

# Files whose bytes are compared together with what is known.
_TOGETHER: Final = 64


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of pictures, by address: the hash of the bytes, or why they cannot be read."""

    contents: Mapping[str, str]
    faults: Mapping[str, str]

    def name(self, pictures: tuple[Pages, ...]) -> tuple[Pages, ...]:
        """The same with the hashes of their bytes."""
        return tuple(
            tuple(replace(page, content_hash=self.contents[page.address]) for page in pages)
            for pages in pictures
        )

    def first_fault(self, pictures: tuple[Pages, ...]) -> tuple[str, str] | None:
        """The first of a row's pictures that cannot be read, and why."""
        for page in _all(pictures):
            if page.address not in self.contents:
                return page.address, self.faults.get(page.address, "it was not read")
        return None


def see_rows(
    context: Context, rows: Sequence[Row], fetcher: Fetcher, progress: Progress
) -> tuple[list[Row], str]:
    """The rows whose pictures can all be read, and a sentence about the others, empty without any.

    Vectors of pictures are kept by the hash of their bytes, so that none is encoded twice; of the pictures
    themselves no more than a few are held at once. Raises EncoderUnavailable.
    """
    pages = {page.address: page for row in rows for page in _all(row.pictures)}
    if not pages:
        return list(rows), ""
    seen = _see(context, list(pages.values()), fetcher, progress)
    kept: list[Row] = []
    faults: list[tuple[str, str]] = []
    for row in rows:
        fault = seen.first_fault(row.pictures)
        if fault is None:
            kept.append(replace(row, pictures=seen.name(row.pictures)))
        else:
            faults.append((_short(fault[0]), f"have a picture that cannot be read: {fault[1]}"))
    return kept, left_out_note(faults, of=len(rows))


def pictures_of(context: Context, rows: Sequence[Row]) -> Pictures | None:
    """The pictures of rows that were seen, as synthetic ones are judged by; None where no row shows any."""
    shown = [[page.content_hash for page in _all(row.pictures)] for row in rows]
    if not any(shown):
        return None
    packed = context.vectors.read(looks.REVISION, {key for keys in shown for key in keys})
    known = {key: look for key, one in packed.items() if (look := looks.unpack(one)) is not None}
    found = [[known[key] for key in keys] if known.keys() >= set(keys) else [] for keys in shown]
    contents = [" ".join(keys) if looked else "" for keys, looked in zip(shown, found, strict=True)]
    return gather_pictures(contents, found)


def _see(context: Context, pages: Sequence[Page], fetcher: Fetcher, progress: Progress) -> Seen:
    image = context.encoders.images.get()
    progress.stage("reading and encoding pictures", total=len(pages))
    kept = _Remembered(context)
    every = [(page.address, page.task_id) for page in pages]
    wanted: Iterable[tuple[str, int]] = every
    if isinstance(fetcher, LocalFiles):  # to read a file twice costs less than to encode it
        wanted = _unknown(context, image.revision, every, fetcher, kept, progress)
    encode_pictures(context, fetcher, image, kept, wanted, progress=progress)
    return Seen(kept.contents([page.address for page in pages]), kept.faults)


class _Remembered(Unkept):
    """What came of pictures, while a simulation runs; looks are kept beside the vectors."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.faults: dict[str, str] = {}

    def keep(self, pictures: Iterable[Picture]) -> None:
        """Remembered by their addresses, and looks by the hash of the bytes."""
        read = list(pictures)
        super().keep(read)
        self._context.vectors.write(
            looks.REVISION, {one.content_hash: one.look for one in read if one.look is not None}
        )

    def know(self, contents: Mapping[str, str]) -> None:
        """Takes down pictures whose vectors are there, by address."""
        self._contents |= contents

    def waiting(self, tasks: Iterable[PictureTask], encoder: str, *, now: float) -> Iterator[tuple[str, int]]:
        """None: rows are no tasks."""
        yield from ()

    def keep_fault(self, fault: Fault, *, now: float) -> None:
        """Remembered by its address."""
        self.faults[fault.address] = fault.reason


def _unknown(
    context: Context,
    revision: str,
    wanted: Sequence[tuple[str, int]],
    files: LocalFiles,
    kept: _Remembered,
    progress: Progress,
) -> Iterator[tuple[str, int]]:
    """Those of some addresses whose bytes have no vector yet; all others are taken down."""
    for chunk in in_chunks(wanted, _TOGETHER):
        hashes = {address: _hash(files, address) for address, _ in chunk}
        keys = {key for key in hashes.values() if key}
        known = context.vectors.known(revision, keys) & context.vectors.known(looks.REVISION, keys)
        kept.know({address: key for address, key in hashes.items() if key in known})
        progress.advance(sum(key in known for key in hashes.values()))
        yield from ((address, task_id) for address, task_id in chunk if hashes[address] not in known)


def _hash(files: LocalFiles, address: str) -> str:
    """SHA-256 of the bytes at an address, empty where there are none."""
    try:
        return hashlib.sha256(files.fetch(address, task_id=0)).hexdigest()
    except MediaError:
        return ""


def _all(pictures: tuple[Pages, ...]) -> Iterator[Page]:
    return (page for pages in pictures for page in pages)


def _short(address: str) -> str:
    """An address as a sentence names it: one that holds the picture itself is cut."""
    return address if len(address) <= 80 else f"{address[:60]}…"
