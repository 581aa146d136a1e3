"""The cheap representation of pictures: what it tells apart, and what it does not look at."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from model.encoders.image import EncodesNames
from model.encoders.pixels import DIMENSIONS, SHARE_OF_PIXELS, encode_pixels, join_pixels
from model.representations.with_pixels import with_pixels


class OfColours:
    """An image encoder that looks at the mean colour."""

    revision, dimensions, side = "colours@1", 3, 8

    def encode(self, pictures, *, progress=None):
        means = [np.asarray(picture).mean(axis=(0, 1)) for picture in pictures]
        found = np.array(means, dtype=np.float32).reshape(-1, 3)
        if progress is not None:
            progress(len(pictures))
        return found / np.linalg.norm(found, axis=1, keepdims=True)


class OfNamedColours(OfColours):
    """One that knows the names of three colours."""

    def encode_names(self, names):
        order = ("red", "green", "blue")
        return np.eye(3, dtype=np.float32)[[order.index(name) for name in names]]


def some_pictures(count, *, seed=0):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(5, 90, (count, 2)).tolist()
    return [Image.fromarray(rng.integers(0, 256, (*size, 3), dtype=np.uint8)) for size in sizes]


def lines(*, upright, colour="black", page="white"):
    """Parallel lines on a page."""
    picture = Image.new("RGB", (64, 64), page)
    pen = ImageDraw.Draw(picture)
    for at in range(4, 64, 12):
        pen.line([(at, 0), (at, 63)] if upright else [(0, at), (63, at)], fill=colour, width=3)
    return picture


def test_a_vector_is_the_same_in_any_company():
    pictures = some_pictures(9)
    vectors = encode_pixels(pictures)
    assert len(np.unique(vectors, axis=0)) == 9
    for row in (0, 4, 8):
        assert encode_pixels([pictures[row]]).tobytes() == vectors[row].tobytes()
    assert encode_pixels(pictures[::-1]).tobytes() == vectors[::-1].tobytes()


def test_no_pictures_give_no_vectors():
    assert encode_pixels([]).shape == (0, DIMENSIONS)


def test_directions_of_edges_and_colours_are_told_apart():
    kinds = [lines(upright=True), lines(upright=False), lines(upright=True, colour="red", page="yellow")]
    again = encode_pixels([picture.resize((50, 70)) for picture in kinds])
    likeness = encode_pixels(kinds) @ again.T
    assert likeness.argmax(axis=1).tolist() == [0, 1, 2]


def test_a_brighter_picture_has_nearly_the_same_greys_and_edges():
    rng = np.random.default_rng(3)
    dark = rng.integers(0, 120, (48, 48, 3), dtype=np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    darker, brighter = encode_pixels([Image.fromarray(dark), Image.fromarray(dark + 60)])[:, :832]
    assert darker @ brighter / (np.linalg.norm(darker) * np.linalg.norm(brighter)) > 0.98


def test_joined_features_have_unit_length_and_the_mean_of_both_cosines():
    pixels = encode_pixels(some_pictures(5))
    vectors = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    joined = join_pixels(vectors, pixels)
    assert joined.shape == (5, 8 + DIMENSIONS)
    expected = (1 - SHARE_OF_PIXELS) * vectors @ vectors.T + SHARE_OF_PIXELS * pixels @ pixels.T
    assert np.allclose(joined @ joined.T, expected, atol=1e-5)


def test_pixels_of_other_pictures_are_not_joined():
    with pytest.raises(ValueError, match="2 vectors and pixels of 3 pictures"):
        join_pixels(np.ones((2, 4), dtype=np.float32), encode_pixels(some_pictures(3)))


def test_an_encoder_with_pixels_joins_both_and_says_so_in_its_revision():
    encoder, pictures, heard = with_pixels(OfColours()), some_pictures(4), []
    vectors = encoder.encode(pictures, progress=heard.append)
    assert heard == [4]
    assert vectors.tobytes() == join_pixels(OfColours().encode(pictures), encode_pixels(pictures)).tobytes()
    assert vectors.shape == (4, encoder.dimensions)
    assert (encoder.revision, encoder.side) == ("colours@1+pixels@1", 8)
    assert encoder.encode([]).shape == (0, encoder.dimensions)
    assert not isinstance(encoder, EncodesNames)


def test_names_are_compared_with_what_the_network_sees_alone():
    encoder, pictures = with_pixels(OfNamedColours()), some_pictures(4)
    assert isinstance(encoder, EncodesNames)
    names = ["blue", "red"]
    expected = OfColours().encode(pictures) @ OfNamedColours().encode_names(names).T
    assert np.allclose(encoder.encode(pictures) @ encoder.encode_names(names).T, expected, atol=1e-5)
    assert encoder.encode_names([]).shape == (0, encoder.dimensions)
