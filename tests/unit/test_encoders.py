"""One contract for every encoder: those of the table, and the text encoder from its package."""

import re

import numpy as np
import pytest

from backend.parts import build_context
from model.encoders.table import ENCODERS
from model.encoders.text import load_text_encoder

LOADERS = {**ENCODERS, "text": load_text_encoder}
TEXTS = [
    "a dog runs in the park",
    "card payment declined " * 40,
    "!!!",
    "日本語",
    "x",
    "a puppy plays outside",
]
BLANK = ["", " ", "\n\t"]


@pytest.fixture(scope="module", params=sorted(LOADERS))
def encoder(request):
    return LOADERS[request.param]()


class TestEveryEncoder:
    def test_gives_unit_vectors_of_its_dimensions_whatever_the_text(self, encoder):
        texts = TEXTS + BLANK
        vectors = encoder.encode(texts)
        assert vectors.shape == (len(texts), encoder.dimensions)
        assert vectors.dtype == np.float32
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-5)

    def test_gives_a_text_the_same_vector_in_any_company_and_order(self, encoder):
        texts = TEXTS + BLANK
        vectors = encoder.encode(texts, batch_size=2)
        assert np.array_equal(encoder.encode(texts[::-1])[::-1], vectors)
        for row, text in enumerate(texts):
            assert np.array_equal(encoder.encode([text])[0], vectors[row])

    def test_tells_texts_apart(self, encoder):
        vectors = encoder.encode(TEXTS)
        likeness = vectors @ vectors.T
        assert (likeness[~np.eye(len(TEXTS), dtype=bool)] < 0.999).all()

    def test_takes_no_texts(self, encoder):
        assert encoder.encode([]).shape == (0, encoder.dimensions)

    def test_says_after_every_batch_how_many_texts_are_done(self, encoder):
        done = []
        encoder.encode(["x"] * 10, batch_size=4, progress=done.append)
        assert done == [4, 4, 2]

    def test_names_itself_with_a_fingerprint(self, encoder):
        assert re.fullmatch(r"\S+@\w+", encoder.revision)


@pytest.mark.parametrize("name", sorted(ENCODERS))
def test_the_backend_takes_an_encoder_by_its_name(make_settings, name):
    assert build_context(make_settings(text_encoder=name)).encoder.get().revision == ENCODERS[name]().revision


def test_no_two_encoders_share_a_revision():
    revisions = [load().revision for load in ENCODERS.values()]
    assert len(set(revisions)) == len(revisions)
