"""Keywords in texts, what each is worth by the labels, and how they join the names of classes."""

import numpy as np
import pytest

from model.encoders.keywords import find_keywords
from model.heads.keywords import KeywordHits, join_keywords, keyword_weights


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("refund", "I want a REFUND!"),
        ("refund", "two refunds, please"),
        ("charges", "this charge is wrong"),
        ("box", "boxes of it"),
        ("policy", "our policies"),
        ("credit card", "my credit-card broke"),
        ("c++", "I write C++ all day"),
        ("発票", "請開発票給我"),
        ("🔥", "great🔥"),
        ("Straße", "in der STRASSE"),
    ],
)
def test_a_keyword_is_found_as_whole_words_whatever_case_and_plural(keyword, text):
    assert find_keywords([text], [keyword]).tolist() == [[True]]


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("art", "start of a party"),
        ("bus", "busy business"),
        ("credit card", "card credit"),
        ("refund", ""),
        ("", "anything"),
        ("“”", "say “”"),
    ],
)
def test_a_keyword_inside_a_word_is_none(keyword, text):
    assert find_keywords([text], [keyword]).tolist() == [[False]]


def test_one_row_a_text_and_one_column_a_keyword():
    assert find_keywords([], ["a", "b"]).shape == (0, 2)
    assert find_keywords(["a"], []).shape == (1, 0)


def hits(*rows, columns):
    return np.array(rows, dtype=np.bool_), np.array(columns, dtype=np.intp)


def test_before_the_first_label_every_keyword_is_worth_the_same():
    found, columns = hits(columns=(0, 0, 1))
    found = np.zeros((0, 3), dtype=np.bool_)
    weights = keyword_weights(found, columns, np.zeros((0, 4), dtype=np.float32))
    assert weights == pytest.approx([(0.8 - 0.25) / 0.75] * 3)


def test_a_keyword_that_is_wrong_loses_its_say_and_one_that_is_right_keeps_it():
    found, columns = hits(*[[1, 0]] * 10, *[[0, 1]] * 10, columns=(0, 1))
    targets = np.eye(3, dtype=np.float32)[[0] * 10 + [2] * 10]
    good, bad = keyword_weights(found, columns, targets)
    assert good > 0.7 and bad < 0.2


def test_a_keyword_no_better_than_chance_counts_nothing():
    found, columns = hits(*[[1]] * 200, columns=(0,))
    targets = np.eye(2, dtype=np.float32)[[0, 1] * 100]
    assert keyword_weights(found, columns, targets)[0] < 0.02


def test_an_item_with_a_keyword_comes_nearer_to_its_class_and_other_names_stay():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(40, 8)).astype(np.float32)
    vectors[:10, 0] += 3.0
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = np.eye(8, dtype=np.float32)[[5, 6]]
    found = np.zeros((40, 2), dtype=np.bool_)
    found[:10, 0] = True
    given = KeywordHits(found, np.array([0, 1]))
    joined = join_keywords(names, vectors, given, np.array([0.7, 0.7], dtype=np.float32))
    assert (vectors[:10] @ joined[0]).mean() > (vectors[:10] @ names[0]).mean() + 0.3
    assert np.array_equal(joined[1], names[1])
    assert np.linalg.norm(joined, axis=1) == pytest.approx([1.0, 1.0], abs=1e-5)
    without = join_keywords(names, vectors, given, np.zeros(2, dtype=np.float32))
    assert np.array_equal(without, names)


def test_rows_and_columns_that_do_not_match_are_refused():
    with pytest.raises(ValueError, match="columns"):
        KeywordHits(np.zeros((3, 2), dtype=np.bool_), np.array([0]))
    given = KeywordHits(np.zeros((3, 1), dtype=np.bool_), np.array([0]))
    with pytest.raises(ValueError, match="items"):
        join_keywords(np.eye(2, 4), np.zeros((2, 4)), given, np.ones(1))
