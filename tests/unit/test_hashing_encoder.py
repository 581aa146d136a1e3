"""The encoder without a network."""

import subprocess
import sys

import numpy as np
import pytest

from model.encoders.hashing import HashingEncoder


def test_every_text_gets_a_unit_vector_even_without_words():
    vectors = HashingEncoder(32).encode(["a good match", "!!!", "日本語", "x", "\ud800"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(5), abs=1e-5)
    assert vectors.dtype == np.float32


def test_no_texts_give_no_rows():
    assert HashingEncoder(32).encode([]).shape == (0, 32)


def test_the_same_text_gives_the_same_vector_in_any_company():
    encoder = HashingEncoder(32)
    alone = encoder.encode(["bread and soup"])
    assert np.array_equal(encoder.encode(["x y", "bread and soup", "z"], batch_size=2)[1], alone[0])
    assert np.array_equal(encoder.encode(["SOUP and Bread"])[0], alone[0])


def test_texts_that_share_words_are_closer():
    texts = ["rain and storm today", "storm and rain", "cheese oven bread"]
    one, two, other = HashingEncoder(256).encode(texts)
    assert one @ two > 0.5 > abs(one @ other) + 0.1


def test_progress_adds_up_to_the_number_of_texts():
    done = []
    HashingEncoder(8).encode(["x"] * 10, batch_size=4, progress=done.append)
    assert done == [4, 4, 2]


def test_no_dimensions_are_refused():
    with pytest.raises(ValueError, match="dimensions is 0"):
        HashingEncoder(0)


def test_it_loads_no_network_library():
    code = "import sys, model.encoders.hashing, model.registry; print({'torch'} & {*sys.modules})"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert answer.strip() == "set()"
