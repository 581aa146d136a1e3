"""Any picture has a vector of its pixels, which no other picture changes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from model.encoders.pixels import DIMENSIONS, encode_pixels

SIDES = st.integers(1, 40)
PICTURES = (
    st.tuples(SIDES, SIDES, st.just(3)).flatmap(lambda shape: arrays(np.uint8, shape)).map(Image.fromarray)
)


@given(st.lists(PICTURES, max_size=4), st.randoms(use_true_random=False))
def test_every_picture_has_a_vector_of_unit_length_whatever_stands_beside_it(pictures, random):
    vectors = encode_pixels(pictures)
    assert vectors.shape == (len(pictures), DIMENSIONS)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    rows = random.sample(range(len(pictures)), len(pictures))
    assert encode_pixels([pictures[row] for row in rows]).tobytes() == vectors[rows].tobytes()
