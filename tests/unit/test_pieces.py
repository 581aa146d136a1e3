"""Long texts read in pieces: where they are cut, and what vectors they get."""

import numpy as np
import pytest

from model.encoders.folders import find_folder
from model.encoders.pieces import cut
from model.encoders.text import load_text_encoder


def spans(text):
    """Offsets of words and full stops."""
    import re

    return [found.span() for found in re.finditer(r"\w+|[.。]", text)]


@pytest.mark.parametrize(
    ("text", "size", "pieces", "ends"),
    [
        ("a b c", 3, 2, [(0, 3)]),
        ("a b c d", 3, 2, [(0, 3), (3, 4)]),
        ("a b c d e f g", 3, 2, [(0, 3), (3, 6)]),
        ("a b. c d e", 4, 3, [(0, 3), (3, 6)]),
        ("a. b c d e f", 6, 3, [(0, 6), (6, 7)]),
        ("a。b c d", 4, 3, [(0, 2), (2, 5)]),
        ("a b\nc d e", 4, 3, [(0, 2), (2, 5)]),
    ],
)
def test_a_text_is_cut_after_a_sentence_if_that_is_not_too_early_else_after_a_word(text, size, pieces, ends):
    assert cut(text, spans(text), size=size, pieces=pieces) == ends


def test_tokens_of_one_word_stay_together_where_they_can():
    offsets = [(0, 1), (2, 3), (4, 5), (5, 6), (6, 7)]
    assert cut("a b cde", offsets, size=4, pieces=2) == [(0, 2), (2, 5)]
    assert cut("abcd", [(0, 1), (1, 2), (2, 3), (3, 4)], size=3, pieces=2) == [(0, 3), (3, 4)]


@pytest.mark.parametrize(("size", "pieces"), [(0, 1), (1, 0)])
def test_no_size_and_no_pieces_are_refused(size, pieces):
    with pytest.raises(ValueError, match="must be 1 or more"):
        cut("a", [(0, 1)], size=size, pieces=pieces)


@pytest.fixture(scope="module")
def two_pieces():
    return load_text_encoder(pieces=2)


SHORT = ["a dog runs", "", "word " * 254]
LONG = ["A dog runs in the park. " * 60, "card payment declined " * 200, "!" * 1000]


def test_only_texts_longer_than_the_network_reads_get_another_vector(two_pieces, text_encoder):
    one, two = (encoder.encode(SHORT + LONG) for encoder in (text_encoder, two_pieces))
    same = [mine.tobytes() == other.tobytes() for mine, other in zip(one, two, strict=True)]
    assert same == two_pieces.reads_at_once(SHORT + LONG) == [True] * 3 + [False] * 3
    assert np.linalg.norm(two, axis=1) == pytest.approx(np.ones(6), abs=1e-5)
    assert two_pieces.encode(LONG[:1]).tobytes() == two[3:4].tobytes()


def test_the_end_of_a_long_text_counts(two_pieces):
    ends = two_pieces.encode(["word " * 300, "word " * 300 + "goal " * 50])
    assert np.abs(ends[0] - ends[1]).max() > 1e-3


def test_what_is_longer_than_all_pieces_is_counted(two_pieces, text_encoder):
    texts = ["short", "word " * 300, "word " * 3000]
    assert (text_encoder.count_cut(texts), two_pieces.count_cut(texts)) == (2, 1)
    assert two_pieces.count_cut([]) == 0


def test_progress_counts_texts_and_not_pieces(two_pieces):
    done = []
    two_pieces.encode(SHORT + LONG, batch_size=2, progress=done.append)
    assert sum(done) == 6


def test_the_revision_says_how_many_pieces_unless_it_is_one():
    one, four = (find_folder(pieces=pieces) for pieces in (1, 4))
    assert one.revision == find_folder().revision == four.one_piece_revision
    assert four.revision == f"{one.revision}_pieces4"
