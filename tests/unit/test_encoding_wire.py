"""Messages between the web process and its encoder's: whole, bounded, and garbage is an error."""

import socket
import struct
import threading
import time

import numpy as np
import pytest

from backend.encoding.wire import (
    ConnectionLost,
    Message,
    receive,
    send,
    unpack_pictures,
    unpack_vectors,
)


@pytest.fixture
def ends():
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_a_message_arrives_as_it_was_sent(ends):
    sent = Message({"ask": "ü\ud800", "sizes": [[1, 2]]}, bytes(range(256)) * 4000)
    writer = threading.Thread(target=send, args=(ends[0], sent))
    writer.start()
    assert receive(ends[1]) == sent
    writer.join()


def test_an_end_in_the_middle_is_an_error(ends):
    ends[0].sendall(struct.pack("!IQ", 10, 0) + b"{")
    ends[0].close()
    with pytest.raises(ConnectionLost, match="ended"):
        receive(ends[1])


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (struct.pack("!IQ", 2**32 - 1, 0), "longer"),
        (struct.pack("!IQ", 2, 2**63) + b"{}", "longer"),
        (struct.pack("!IQ", 3, 0) + b"abc", "no JSON"),
        (struct.pack("!IQ", 2, 0) + b"\xff\xff", "no JSON"),
        (struct.pack("!IQ", 2, 0) + b"[]", "no object"),
    ],
)
def test_what_is_no_message_is_an_error(ends, sent, reason):
    ends[0].sendall(sent)
    with pytest.raises(ConnectionLost, match=reason):
        receive(ends[1])


def test_nobody_waits_longer_than_it_says(ends):
    ends[0].sendall(struct.pack("!IQ", 10, 0) + b"{")
    with pytest.raises(TimeoutError):
        receive(ends[1], until=time.monotonic() + 0.05)


def test_vectors_and_pictures_of_another_size_are_an_error():
    with pytest.raises(ConnectionLost, match="other vectors"):
        unpack_vectors(np.zeros(7, dtype="<f4").tobytes(), rows=2, dimensions=4)
    with pytest.raises(ConnectionLost, match="other pixels"):
        unpack_pictures([(2, 2)], b"123")
