"""The TF-IDF encoder: what it makes of words, of no words, and of being stored."""

import numpy as np
import pytest

from model.encoders.tfidf import MOST_TEXTS, TfidfEncoder, fit_tfidf, rows_to_fit, tfidf_revision
from tests.topics import write_texts

TEXTS = write_texts(60, topics=("cats", "dogs", "birds"))


def fitted(texts=TEXTS):
    return fit_tfidf(texts, revision="tfidf@test")


def test_texts_that_share_words_lie_closer_than_others():
    vectors = fitted().encode(["kitten purr whiskers", "tabby meow kitten", "leash kennel bark"])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2


def test_every_vector_has_length_one():
    vectors = fitted().encode(
        ["kitten", "kitten kitten leash", "KITTEN!", "unheard", "", "é 日本 \ud800 a b"]
    )
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_texts_without_a_known_word_share_a_place_of_their_own():
    known, *unknown = fitted().encode(["kitten", "unheard", "", "x"])
    assert all(np.array_equal(row, unknown[0]) for row in unknown)
    assert known @ unknown[0] == 0.0


def test_no_texts_have_no_vectors():
    assert fitted().encode([]).shape == (0, fitted().dimensions)


def test_the_same_texts_give_the_same_bits():
    assert fitted().to_bytes() == fitted().to_bytes()


def test_what_was_stored_gives_the_same_vectors():
    again = TfidfEncoder.from_bytes(fitted().to_bytes())
    assert again.revision == "tfidf@test"
    assert np.array_equal(again.encode(TEXTS), fitted().encode(TEXTS))


@pytest.mark.parametrize("texts", [[], [""], ["one two"], ["one", "two"], ["a b", "a b"]])
def test_texts_that_share_no_word_give_no_encoder(texts):
    assert fitted(texts) is None


def test_two_equal_texts_are_enough():
    assert fitted(["one two", "one two"]).dimensions == 2


def test_progress_counts_every_text():
    seen = []
    fitted().encode(TEXTS, batch_size=25, progress=seen.append)
    assert seen == [25, 25, 10]


def test_what_does_not_fit_together_is_refused():
    idf, directions = np.ones(2, dtype=np.float32), np.ones((2, 1), dtype=np.float32)
    with pytest.raises(ValueError, match="for 3 words"):
        TfidfEncoder(["a", "b", "c"], idf, directions, "tfidf@x")
    with pytest.raises(ValueError, match="not finite"):
        TfidfEncoder(["a", "b"], idf * np.nan, directions, "tfidf@x")


def test_a_revision_names_the_texts_and_their_order():
    assert tfidf_revision(["a", "b"]) == tfidf_revision(iter(["a", "b"]))
    assert len({tfidf_revision(names) for names in (["a", "b"], ["b", "a"], ["ab"], [])}) == 4


def test_the_texts_to_fit_to_stay_the_same_while_some_are_added():
    assert rows_to_fit(0).tolist() == []
    assert rows_to_fit(1).tolist() == [0]
    assert np.array_equal(rows_to_fit(1024), rows_to_fit(1217))
    assert len({len(rows_to_fit(count)) for count in range(1000, 2000)}) == 5
    assert all(count / 1.2 < len(rows_to_fit(count)) <= count for count in range(10, MOST_TEXTS, 97))


def test_of_many_texts_a_sample_is_enough():
    rows = rows_to_fit(1_000_000)
    assert len(rows) == MOST_TEXTS == len(set(rows.tolist()))
    assert rows.max() > 800_000
