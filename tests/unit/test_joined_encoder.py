"""Vectors of items that show pictures, beside a text or alone."""

import numpy as np
import pytest
from PIL import Image

from model.encoders import reads_words
from model.encoders.hashing import HashingEncoder
from model.encoders.joined import JoinedEncoder, Layout, joined_revision
from tests.pictures import FewPixels

TEXT, PICTURES = HashingEncoder(16), FewPixels(4)
BOTH = JoinedEncoder(TEXT, PICTURES, Layout(True, ("i", "j")))
ALONE = JoinedEncoder(None, PICTURES, Layout(False, ("i",)))


def pages(*colours):
    return PICTURES.encode([Image.new("RGB", (9, 7), colour) for colour in colours])


def test_every_block_that_is_there_weighs_alike():
    (text,) = TEXT.encode(["some words"])
    vector = BOTH.join(text, [pages("red"), pages("blue", "navy")])
    blocks = np.split(vector, [16, 16 + 48])
    assert np.allclose([np.linalg.norm(block) for block in blocks], 3**-0.5, atol=1e-6)
    assert vector.dtype == np.float32


def test_what_is_missing_is_zeros_and_the_rest_has_unit_length():
    none = np.zeros((0, 48), dtype=np.float32)
    vector = BOTH.join(None, [pages("red"), none])
    assert not vector[:16].any()
    assert not vector[64:].any()
    assert np.linalg.norm(vector) == pytest.approx(1.0)
    assert not BOTH.join(None, [none, none]).any()


def test_of_several_pages_the_mean_counts_in_whatever_order():
    one = ALONE.join(None, [pages("red", "blue")])
    assert np.array_equal(one, ALONE.join(None, [pages("blue", "red")]))
    assert not np.array_equal(one, ALONE.join(None, [pages("red")]))


def test_a_text_is_an_item_without_a_picture():
    (vector,) = BOTH.encode(["some words"])
    assert np.array_equal(vector[:16], TEXT.encode(["some words"])[0])
    assert not vector[16:].any()
    assert BOTH.encode([]).shape == (0, BOTH.dimensions)


def test_where_items_show_pictures_alone_no_word_is_read():
    assert (reads_words(BOTH), reads_words(ALONE), reads_words(TEXT)) == (True, False, True)
    assert not ALONE.encode(["some words"]).any()


def test_the_revision_is_that_of_both_encoders_and_the_layout():
    layout = Layout(True, ("i", "j"))
    assert BOTH.revision == joined_revision(TEXT.revision, PICTURES.revision, layout)
    others = {
        joined_revision("another@1", PICTURES.revision, layout),
        joined_revision(TEXT.revision, "another@1", layout),
        joined_revision(TEXT.revision, PICTURES.revision, Layout(True, ("j", "i"))),
        joined_revision(TEXT.revision, PICTURES.revision, Layout(False, ("i", "j"))),
    }
    assert len(others | {BOTH.revision}) == 5


def test_pixels_tell_colours_and_places():
    assert np.allclose(np.linalg.norm(pages("red", "blue"), axis=1), 1.0)
    assert np.argmax(pages("red") @ pages("blue", "darkred").T) == 1
    assert PICTURES.encode([]).shape == (0, 48)


class Naming(FewPixels):
    """Pictures and names side by side: a name of a colour is the picture that is that colour all over."""

    def encode_names(self, names):
        return self.encode([Image.new("RGB", (4, 4), name) for name in names])


def test_where_the_image_encoder_knows_names_they_are_compared_with_every_picture():
    encoder = JoinedEncoder(None, Naming(4), Layout(False, ("i", "j")))
    assert encoder.reads_words
    names = encoder.encode(["red", "blue"])
    item = encoder.join(None, [pages("red"), pages("red")])
    assert np.allclose(names @ item, [1.0, (pages("blue") @ pages("red").T).item()], atol=1e-6)
    assert encoder.encode([]).shape == (0, encoder.dimensions)
