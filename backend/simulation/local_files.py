"""Pictures that lie beside a file: as it names them, or as Label Studio's exports do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from urllib.request import DataHandler, Request

from backend.label_studio.media.errors import AddressRefused, MediaRefused, MediaTooLarge
from backend.label_studio.media.fetch import Limits

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_LOCAL_FILES, _OF_LABEL_STUDIO = "/data/local-files/", "/data/"
_MOST_BYTES = Limits().most_bytes


class LocalFiles:
    """Gets the bytes of pictures whose addresses are paths, relative to a folder, or `data:` URIs.

    Of Label Studio's own addresses, that of a local file (`?d=cats/1.png`) is looked for in the folder, that
    of an upload (`/data/upload/3/1.png`) in its sub-folder `upload`. Nothing is asked of a network.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has(self, address: str) -> bool:
        """Whether an address leads to a file here, or holds the bytes itself."""
        return _holds_bytes(address) or self._find(address) is not None

    def fetch(self, value: str, *, task_id: int) -> bytes:
        """The bytes at an address; raises MediaError, which says why there are none."""
        if _holds_bytes(value):
            return _decode(value)
        found = self._find(value)
        if found is None:
            raise _missing(value)
        try:
            with found.open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
        except OSError as error:
            raise MediaRefused(f"it cannot be opened ({error.strerror})") from None
        if len(data) > _MOST_BYTES:
            raise MediaTooLarge(f"it is larger than {_MOST_BYTES / 2**20:g} MiB")
        return data

    def _find(self, address: str) -> Path | None:
        """The first regular file among the places where it may lie."""
        for place in self._places(address):
            try:
                if place.is_file():
                    return place
            except (OSError, ValueError):  # a name that no file can have
                continue
        return None

    def _places(self, address: str) -> Iterator[Path]:
        if address.lower().startswith("file:///"):
            yield Path(unquote(address[len("file://") :]))
        if _SCHEME.match(address):
            return
        yield self._folder / address
        if "\\" in address:
            yield self._folder / address.replace("\\", "/")
        if address.startswith(_LOCAL_FILES):
            for path in parse_qs(urlsplit(address).query).get("d", []):
                yield self._folder / path.lstrip("/")
        elif address.startswith(_OF_LABEL_STUDIO):
            yield self._folder / unquote(address).removeprefix(_OF_LABEL_STUDIO)


def _holds_bytes(address: str) -> bool:
    return address[:5].lower() == "data:"


def _decode(value: str) -> bytes:
    if len(value) * 3 // 4 > _MOST_BYTES:
        raise MediaTooLarge(f"it is larger than {_MOST_BYTES / 2**20:g} MiB")
    try:
        with DataHandler().data_open(Request(value)) as opened:
            found: bytes = opened.read()
            return found
    except ValueError:  # also of base64
        raise MediaRefused("it is a data URI that cannot be decoded") from None


def _missing(address: str) -> MediaRefused | AddressRefused:
    is_label_studios = address.startswith(_OF_LABEL_STUDIO) or bool(_SCHEME.match(address))
    if not is_label_studios or address.lower().startswith("file://"):
        return MediaRefused("there is no such file")
    return AddressRefused("it lies in Label Studio, a storage or on the web (--project fetches it)")
