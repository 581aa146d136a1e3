"""Whatever goes to the encoder's process and back: the same texts, the same bits, fair shares."""

import socket
import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from backend.encoding.together import Together, _shares
from backend.encoding.wire import (
    Message,
    pack_pictures,
    pack_vectors,
    receive,
    send,
    unpack_pictures,
    unpack_vectors,
)

any_text = st.text(st.characters(codec=None), max_size=30)
sizes = st.tuples(st.integers(1, 9), st.integers(1, 9))


@given(texts=st.lists(any_text, max_size=5), body=st.binary(max_size=50))
def test_any_text_and_any_bytes_arrive_as_they_were_sent(texts, body):
    one, other = socket.socketpair()
    with one, other:
        send(one, Message({"texts": texts}, body))
        assert receive(other) == Message({"texts": texts}, body)


@given(
    vectors=arrays.arrays(
        np.float32, st.tuples(st.integers(0, 4), st.integers(1, 5)), elements=st.floats(width=32)
    )
)
def test_any_numbers_arrive_to_the_last_bit(vectors):
    rows, dimensions = vectors.shape
    found = unpack_vectors(pack_vectors(vectors), rows=rows, dimensions=dimensions)
    assert found.tobytes() == vectors.tobytes()


@given(shapes=st.lists(sizes, max_size=4), seed=st.integers(0, 2**32 - 1))
def test_any_pictures_arrive_pixel_by_pixel(shapes, seed):
    rng = np.random.default_rng(seed)
    pictures = [
        Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)) for width, height in shapes
    ]
    found = unpack_pictures(*pack_pictures(pictures))
    assert [picture.tobytes() for picture in found] == [picture.tobytes() for picture in pictures]
    assert [picture.size for picture in found] == [picture.size for picture in pictures]


@given(left=st.lists(st.integers(1, 50), min_size=1, max_size=20), at_once=st.integers(1, 40))
def test_a_round_is_full_and_even_and_leaves_out_none_of_the_first(left, at_once):
    shares = _shares(left, at_once)
    assert sum(shares) == min(at_once, sum(left[:at_once]))
    assert all(0 <= share <= one for share, one in zip(shares, left, strict=True))
    assert all(shares[:at_once])
    short = [share for share, one in zip(shares[:at_once], left, strict=False) if share < one]
    assert not short or max(shares[:at_once]) - min(short) <= 1


@given(asked=st.lists(st.lists(st.integers(0, 999), max_size=12), min_size=1, max_size=8))
def test_everybody_gets_the_vectors_of_what_was_asked_in_order(asked):
    together = Together(
        lambda items: np.array([[item] for item in items], dtype=np.float32),
        size=lambda item: 1 + item % 7,
        dimensions=1,
        at_once=5,
        most_waiting=len(asked),
    )
    found = [[] for _ in asked]

    def ask(place):
        found[place] = together.encode(asked[place])[:, 0].tolist()

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(len(asked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == asked
