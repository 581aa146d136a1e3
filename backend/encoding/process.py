"""The process that encodes for another one: `python -m backend.encoding.process SOCKET`.

It answers one question after the other, and ends when whoever asks has ended, however that came.
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from backend.encoding import ImageNetwork, TextNetwork
from backend.encoding.here import NetworksHere
from backend.encoding.wire import Message, pack_vectors, receive, send, unpack_pictures
from model.encoders import Encoder, EncodesNames

if TYPE_CHECKING:  # its network library is only for those who load a network
    from model.encoders.image import ImageEncoder

# What a question can fail of, in words that the one who asked understands.
CANNOT_LOAD = "cannot load"
NO_MEMORY = "no memory"
FAILED = "failed"


class Encoding:
    """Answers questions with networks that are loaded when they are first asked for."""

    def __init__(self) -> None:
        self._networks = NetworksHere()
        self._texts: dict[TextNetwork, Encoder] = {}
        self._images: dict[ImageNetwork, ImageEncoder] = {}
        self._answers: dict[str, Callable[[Message], Message]] = {
            "load text": self._load_text,
            "load images": self._load_images,
            "encode texts": self._encode_texts,
            "encode pictures": self._encode_pictures,
            "encode names": self._encode_names,
        }

    def answer(self, question: Message) -> Message:
        """What is asked for, or why it cannot be had: never a word of a text."""
        try:
            return self._answers[question.header["ask"]](question)
        except _CannotLoad as error:
            return _fault(CANNOT_LOAD, str(error))
        except MemoryError as error:
            return _fault(NO_MEMORY, type(error).__name__)
        except (RuntimeError, ValueError, KeyError, TypeError, IndexError, OSError) as error:
            # of what torch raises only the kind: a message could carry text
            return _fault(FAILED, type(error).__name__)

    def _text(self, question: Message) -> Encoder:
        network = TextNetwork(**question.header["network"])
        if network not in self._texts:
            self._texts[network] = _loaded(lambda: self._networks.text(network))
        return self._texts[network]

    def _image(self, question: Message) -> ImageEncoder:
        network = ImageNetwork(**question.header["network"])
        if network not in self._images:
            self._images[network] = _loaded(lambda: self._networks.images(network))
        return self._images[network]

    def _load_text(self, question: Message) -> Message:
        encoder = self._text(question)
        return Message({"revision": encoder.revision, "dimensions": encoder.dimensions})

    def _load_images(self, question: Message) -> Message:
        encoder = self._image(question)
        return Message(
            {
                "revision": encoder.revision,
                "dimensions": encoder.dimensions,
                "side": encoder.side,
                "names": isinstance(encoder, EncodesNames),
            }
        )

    def _encode_texts(self, question: Message) -> Message:
        encoder = self._text(question)
        vectors = encoder.encode(question.header["texts"])
        return Message({"revision": encoder.revision}, pack_vectors(vectors))

    def _encode_pictures(self, question: Message) -> Message:
        encoder = self._image(question)
        vectors = encoder.encode(unpack_pictures(question.header["sizes"], question.body))
        return Message({"revision": encoder.revision}, pack_vectors(vectors))

    def _encode_names(self, question: Message) -> Message:
        encoder = self._image(question)
        if not isinstance(encoder, EncodesNames):
            return _fault(FAILED, "the network names no pictures")
        return Message(
            {"revision": encoder.revision}, pack_vectors(encoder.encode_names(question.header["texts"]))
        )


class _CannotLoad(Exception):
    """The cure, as the loader says it."""


def _loaded(load: Callable[[], Any]) -> Any:
    try:
        return load()
    except (OSError, ValueError) as error:
        raise _CannotLoad(str(error)) from error


def _fault(kind: str, message: str) -> Message:
    return Message({"fault": kind, "message": message})


def serve(connection: socket.socket) -> None:
    """Answers until the other end is closed, and then ends this process, whatever it is at."""
    questions: queue.SimpleQueue[Message] = queue.SimpleQueue()

    def listen() -> None:
        try:
            while True:
                questions.put(receive(connection))
        except OSError:
            os._exit(0)

    threading.Thread(target=listen, daemon=True).start()
    encoding = Encoding()
    while True:
        send(connection, encoding.answer(questions.get()))


def main() -> None:
    """Serves the socket whose number is the only argument."""
    # A stop that reaches the whole group lets the requests end first: they need this process to the last.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        serve(connection)


if __name__ == "__main__":
    main()
