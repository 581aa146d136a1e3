"""Messages between a process and the one that encodes for it: a JSON header, and numbers as bytes behind it.

Both lengths come first. Nothing that is read can run code.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from PIL import Image

from model.records import Floats

_LENGTHS: Final = struct.Struct("!IQ")  # bytes of the header, bytes behind it
_LONGEST_HEADER: Final = 2**28
_LONGEST_BODY: Final = 2**30
_NUMBER: Final = np.dtype("<f4")


class ConnectionLost(OSError):
    """The other process has ended, or what it sends is no message."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is asked or answered; `body` are vectors or pixels."""

    header: dict[str, Any]
    body: bytes = field(default=b"", repr=False)


def send(connection: socket.socket, message: Message) -> None:
    """Writes a message whole; raises OSError, TimeoutError among them."""
    # a lone surrogate, which JSON can escape, is no UTF-8 and must arrive as it is all the same
    header = json.dumps(message.header, ensure_ascii=False).encode("utf-8", "surrogatepass")
    connection.sendall(_LENGTHS.pack(len(header), len(message.body)) + header)
    if message.body:
        connection.sendall(message.body)


def receive(connection: socket.socket, *, until: float = float("inf")) -> Message:
    """Reads a message whole; raises ConnectionLost, and TimeoutError `until` then (monotonic seconds)."""
    of_header, of_body = _LENGTHS.unpack(_read(connection, _LENGTHS.size, until))
    if of_header > _LONGEST_HEADER or of_body > _LONGEST_BODY:
        raise ConnectionLost("a message is longer than any can be")
    try:
        header = json.loads(_read(connection, of_header, until).decode("utf-8", "surrogatepass"))
    except ValueError:
        raise ConnectionLost("a header is no JSON") from None
    if not isinstance(header, dict):
        raise ConnectionLost("a header is no object")
    return Message(header, _read(connection, of_body, until))


def pack_vectors(vectors: Floats) -> bytes:
    """Vectors (n, d) as bytes."""
    return np.ascontiguousarray(vectors, dtype=_NUMBER).tobytes()


def unpack_vectors(body: bytes, *, rows: int, dimensions: int) -> Floats:
    """Vectors (rows, dimensions) as they were packed; raises ConnectionLost where they are not so many."""
    if len(body) != rows * dimensions * _NUMBER.itemsize:
        raise ConnectionLost("an answer has other vectors than were asked for")
    found: Floats = np.frombuffer(body, dtype=_NUMBER).astype(np.float32).reshape(rows, dimensions)
    return found


def pack_pictures(pictures: Sequence[Image.Image]) -> tuple[list[tuple[int, int]], bytes]:
    """The sizes of pictures (RGB) in pixels, and their pixels as bytes."""
    return [picture.size for picture in pictures], b"".join(picture.tobytes() for picture in pictures)


def unpack_pictures(sizes: Sequence[Sequence[int]], body: bytes) -> list[Image.Image]:
    """Pictures (RGB) as they were packed; raises ConnectionLost where their pixels are not so many."""
    if sum(3 * width * height for width, height in sizes) != len(body):
        raise ConnectionLost("a question has other pixels than it says")
    pictures, start = [], 0
    for width, height in sizes:
        end = start + 3 * width * height
        pictures.append(Image.frombytes("RGB", (width, height), body[start:end]))
        start = end
    return pictures


def _read(connection: socket.socket, count: int, until: float) -> bytes:
    found = bytearray(count)
    view, place = memoryview(found), 0
    while place < count:
        connection.settimeout(None if until == float("inf") else max(until - time.monotonic(), 1e-3))
        read = connection.recv_into(view[place:])
        if not read:
            raise ConnectionLost("the other process has ended")
        place += read
    return bytes(found)
