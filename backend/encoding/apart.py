"""Networks in a process of their own: started when one is first needed, and again when it has ended."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from backend.encoding import ImageNetwork, TextNetwork
from backend.encoding.process import CANNOT_LOAD
from backend.encoding.together import Together
from backend.encoding.wire import ConnectionLost, Message, pack_pictures, receive, send, unpack_vectors
from backend.errors import EncoderUnavailable
from model.encoders import Encoder, Progress
from model.records import Floats

if TYPE_CHECKING:  # its network library is only for those who load a network
    from model.encoders.image import ImageEncoder

logger = logging.getLogger(__name__)

# A busy machine takes half a minute to import torch.
_LONGEST_LOAD_S: Final = 180.0
# Of one round, and more for each unit of size: on a busy machine a unit took a tenth of that.
_LONGEST_ROUND_S: Final = 30.0
_LONGEST_UNIT_S: Final = 0.5
_LONGEST_OF_ALL_S: Final = 300.0
# After so many ends without an answer nobody tries for a while: to start costs seconds of a processor.
_MOST_ENDS: Final = 8
_PAUSE_S: Final = 5.0
_STOP_S: Final = 5.0

_CHARACTERS_OF_A_UNIT: Final = 250  # some fifty tokens
_TEXTS_AT_ONCE: Final = 64  # units, or short texts
_PICTURES_AT_ONCE: Final = 16  # as image encoders take them
_UNITS_OF_A_PICTURE: Final = 4
_MOST_WAITING: Final = 64
_HINT: Final = "The log of this process says what ended it; it is started again at the next need."


class EncoderProcess:
    """One process that encodes; whoever asks waits for those before."""

    def __init__(self, command: Sequence[str] = (sys.executable, "-m", "backend.encoding.process")) -> None:
        """`command` is what is started, with the number of its socket behind it."""
        self._command = command
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._owner = os.getpid()
        self._is_new = False
        self._ends = 0
        self._not_before = 0.0

    def ask(self, question: Message, *, limit_s: float) -> Message:
        """The answer to a question; where the process has ended, of one that is started for it.

        Raises EncoderUnavailable where that ends too, or takes longer, and ValueError where a network cannot
        be loaded.
        """
        with self._lock:
            if time.monotonic() < self._not_before:
                raise EncoderUnavailable("The encoder's process ends again and again.", hint=_HINT)
            try:
                answer = self._try(question, limit_s)
            except TimeoutError:
                raise self._given_up(f"took longer than {limit_s:.0f} s") from None
            except OSError as lost:
                logger.warning("encoder process ended status=%s", self._lost())
                answer = self._try_again(question, limit_s, lost)
        return _checked(answer)

    def close(self) -> None:
        """Ends the process, if there is one."""
        with self._lock:
            self._end()

    @property
    def pid(self) -> int | None:
        """The number of the process; None while there is none."""
        return None if self._process is None else self._process.pid

    def _try_again(self, question: Message, limit_s: float, lost: OSError) -> Message:
        try:
            return self._try(question, limit_s)
        except TimeoutError:
            raise self._given_up(f"took longer than {limit_s:.0f} s") from lost
        except OSError:
            raise self._given_up("ended twice over one question") from lost

    def _try(self, question: Message, limit_s: float) -> Message:
        connection = self._connected()
        until = time.monotonic() + limit_s + (_LONGEST_LOAD_S if self._is_new else 0.0)
        connection.settimeout(limit_s)
        send(connection, question)
        answer = receive(connection, until=until)
        self._is_new, self._ends = False, 0
        return answer

    def _connected(self) -> socket.socket:
        if self._owner != os.getpid():
            # a fork shares the socket of its parent: two who read it would mix up their answers
            self._process, self._connection, self._owner = None, None, os.getpid()
        if self._connection is None:
            self._connection = self._start()
        return self._connection

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [*self._command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._is_new = True
        logger.info("encoder process started pid=%d", self._process.pid)
        return ours

    def _given_up(self, why: str) -> EncoderUnavailable:
        logger.error("encoder process failed reason=%r status=%s", why, self._lost())
        return EncoderUnavailable(f"The encoder's process {why}.", hint=_HINT)

    def _lost(self) -> int | None:
        """Ends what gave no answer; after several in a row nobody tries for a while."""
        self._ends += 1
        if self._ends >= _MOST_ENDS:
            self._ends, self._not_before = 0, time.monotonic() + _PAUSE_S
        return self._end()

    def _end(self) -> int | None:
        """Closes and kills it; returns its status, negative for the signal that ended it."""
        connection, process = self._connection, self._process
        self._connection = self._process = None
        if connection is not None:
            connection.close()
        if process is None:
            return None
        if process.poll() is None:
            process.kill()
        return process.wait(_STOP_S)


class TextEncoderApart:
    """A text encoder of another process; satisfies `Encoder`. The same bits as in this one."""

    def __init__(self, process: EncoderProcess, network: TextNetwork) -> None:
        """Raises ValueError where the network cannot be loaded, and EncoderUnavailable."""
        self._process, self._network = process, asdict(network)
        facts = process.ask(self._question("load text"), limit_s=_LONGEST_LOAD_S).header
        self.revision = str(facts["revision"])
        self.dimensions = int(facts["dimensions"])
        self._together = Together(
            self._encode,
            size=_units,
            dimensions=self.dimensions,
            at_once=_TEXTS_AT_ONCE,
            most_waiting=_MOST_WAITING,
        )

    def encode(
        self, texts: Sequence[str], *, batch_size: int = 64, progress: Progress | None = None
    ) -> Floats:
        """Unit vectors (n, d) in the order of the texts; no texts give (0, d).

        `batch_size` is for the other process to say. Raises TooBusy and EncoderUnavailable.
        """
        return self._together.encode(texts, progress)

    def _encode(self, texts: Sequence[str]) -> Floats:
        question = self._question("encode texts", texts=list(texts))
        shape, units = (len(texts), self.dimensions), sum(map(_units, texts))
        return _vectors(self._process, question, self.revision, shape, units)

    def _question(self, ask: str, **more: Any) -> Message:
        return Message({"ask": ask, "network": self._network, **more})


class ImageEncoderApart:
    """An image encoder of another process; satisfies `ImageEncoder`. The same bits as in this one."""

    def __init__(self, process: EncoderProcess, network: ImageNetwork, facts: dict[str, Any]) -> None:
        """`facts` are what the process says of the network."""
        self._process, self._network = process, asdict(network)
        self.revision = str(facts["revision"])
        self.dimensions = int(facts["dimensions"])
        self.side = int(facts["side"])
        self._together = Together(
            self._encode,
            size=lambda _picture: _UNITS_OF_A_PICTURE,
            dimensions=self.dimensions,
            at_once=_UNITS_OF_A_PICTURE * _PICTURES_AT_ONCE,
            most_waiting=_MOST_WAITING,
        )

    def encode(self, pictures: Sequence[Image.Image], *, progress: Progress | None = None) -> Floats:
        """Unit vectors (n, d) in the order of the pictures (RGB); no pictures give (0, d).

        Raises TooBusy and EncoderUnavailable.
        """
        return self._together.encode(pictures, progress)

    def _encode(self, pictures: Sequence[Image.Image]) -> Floats:
        sizes, pixels = pack_pictures(pictures)
        question = Message({"ask": "encode pictures", "network": self._network, "sizes": sizes}, pixels)
        shape, units = (len(pictures), self.dimensions), _UNITS_OF_A_PICTURE * len(pictures)
        return _vectors(self._process, question, self.revision, shape, units)


class NamingEncoderApart(ImageEncoderApart):
    """The same of a network that puts names beside pictures."""

    def encode_names(self, names: Sequence[str]) -> Floats:
        """Vectors (n, d) in the space of the pictures; no names give (0, d). Raises EncoderUnavailable."""
        vectors = np.zeros((len(names), self.dimensions), dtype=np.float32)
        for start in range(0, len(names), _TEXTS_AT_ONCE):
            some = list(names[start : start + _TEXTS_AT_ONCE])
            question = Message({"ask": "encode names", "network": self._network, "texts": some})
            shape = len(some), self.dimensions
            found = _vectors(self._process, question, self.revision, shape, sum(map(_units, some)))
            vectors[start : start + len(some)] = found
        return vectors


class NetworksApart:
    """Loads networks into a process of their own; satisfies `Networks`."""

    def __init__(self, process: EncoderProcess | None = None) -> None:
        """Without a process given, one of its own, which is not started yet."""
        self._process = process or EncoderProcess()

    def text(self, network: TextNetwork) -> Encoder:
        """An encoder of texts; raises ValueError and EncoderUnavailable."""
        return TextEncoderApart(self._process, network)

    def images(self, network: ImageNetwork) -> ImageEncoder:
        """An encoder of pictures; raises ValueError and EncoderUnavailable."""
        question = Message({"ask": "load images", "network": asdict(network)})
        facts = self._process.ask(question, limit_s=_LONGEST_LOAD_S).header
        kind = NamingEncoderApart if facts["names"] else ImageEncoderApart
        return kind(self._process, network, facts)


def _checked(answer: Message) -> Message:
    """The answer; raises ValueError or EncoderUnavailable where it is a fault."""
    fault, message = answer.header.get("fault"), str(answer.header.get("message", ""))
    if fault == CANNOT_LOAD:
        raise ValueError(message)
    if fault is not None:
        raise EncoderUnavailable(f"The encoder's process could not encode: {fault} ({message}).", hint=_HINT)
    return answer


def _units(text: str) -> int:
    """How long a text takes, in those of a short one."""
    return 1 + len(text) // _CHARACTERS_OF_A_UNIT


def _vectors(
    process: EncoderProcess, question: Message, revision: str, shape: tuple[int, int], units: int
) -> Floats:
    """The vectors (n, d) of this shape that a question is answered with, if they are of this revision."""
    limit_s = min(_LONGEST_ROUND_S + units * _LONGEST_UNIT_S, _LONGEST_OF_ALL_S)
    try:
        answer = process.ask(question, limit_s=limit_s)
    except ValueError as error:
        raise EncoderUnavailable(f"The encoder cannot be loaded again: {error}", hint=_HINT) from None
    if answer.header.get("revision") != revision:
        raise EncoderUnavailable(
            "The encoder's files are others than when this process started.", hint="Start it again."
        )
    try:
        return unpack_vectors(answer.body, rows=shape[0], dimensions=shape[1])
    except ConnectionLost as error:
        raise EncoderUnavailable(f"The encoder's process: {error}.", hint=_HINT) from None
