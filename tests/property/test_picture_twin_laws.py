"""Laws of twins among pictures, whatever is shown."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from model.encoders.looks import HASH_BYTES, STATISTICS, Look, look_of, unpack
from model.synthetic.duplicates import find_twins
from model.synthetic.pictures import gather_pictures, join_pictures

SEEDS = st.integers(0, 2**32 - 1)


def picture(rng, side=48):
    """Smooth colours at random."""
    pixels = rng.integers(0, 256, size=(4, 4, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC)


def any_look(rng):
    numbers = rng.normal(size=(2, len(STATISTICS))).astype(np.float32)
    return Look(rng.integers(0, 256, HASH_BYTES, dtype=np.uint8), *numbers)


@given(SEEDS, st.integers(1, 12), st.integers(0, 3))
def test_distances_are_symmetric_and_zero_to_itself(seed, count, most):
    rng = np.random.default_rng(seed)
    looks = [[any_look(rng) for _ in range(rng.integers(most + 1))] for _ in range(count)]
    shown = gather_pictures([str(n) for n in range(count)], looks)
    left, right = rng.integers(count, size=(2, 40))
    there = shown.distances(left, right)
    assert np.array_equal(there, shown.distances(right, left))
    assert ((there >= 0.0) & (there <= 1.0)).all()
    everyone = np.arange(count)
    assert (shown.distances(everyone, everyone) == 0.0).all()
    assert np.array_equal(join_pictures(shown, shown).distances(left, right + count), there)


@given(SEEDS)
def test_a_look_depends_on_the_picture_alone_and_is_packed_to_the_bit(seed):
    shown = picture(np.random.default_rng(seed))
    look, again = look_of(shown), unpack(look_of(shown.copy()).pack())
    assert np.array_equal(look.bits, again.bits)
    assert np.array_equal(look.statistics, again.statistics)
    assert np.array_equal(look.spoiled, again.spoiled)
    assert np.isfinite(look.statistics).all() and np.isfinite(look.spoiled).all()


@given(st.binary(max_size=200) | st.none())
def test_what_was_not_packed_is_no_look(packed):
    assert unpack(packed) is None or len(packed) == 1 + HASH_BYTES + 8 * len(STATISTICS)


@settings(max_examples=25)
@given(SEEDS)
def test_a_picture_is_its_own_twin_and_the_order_of_items_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    pictures = [picture(rng) for _ in range(12)]
    vectors = rng.normal(size=(12, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    copied = rng.choice(8, 3, replace=False)
    rows = np.concatenate([np.arange(12), copied])
    shown = gather_pictures([str(row) for row in rows], [[look_of(pictures[row])] for row in rows])

    def twins(order):
        found = find_twins(
            vectors[rows[order]],
            np.zeros(len(rows), dtype=np.intp),
            real=8,
            preference=np.ones(len(rows), dtype=np.float32),
            texts=None,
            pictures=shown.take(order),
            unlabelled=None,
            rng=np.random.default_rng(0),
        )
        return {int(order[row]): int(order[of]) for row, of in enumerate(found.of) if of >= 0}, found.exact

    order = np.arange(len(rows))
    found, exact = twins(order)
    assert all(found[12 + place] == base for place, base in enumerate(copied))
    assert exact[12:].all()
    mixed = np.concatenate([rng.permutation(8), 8 + rng.permutation(len(rows) - 8)])
    again, _ = twins(mixed)
    assert {item: base for item, base in again.items() if base < 8} == {
        item: base for item, base in found.items() if base < 8
    }


def test_a_look_is_taken_of_a_small_jpeg_and_of_nothing_else():
    out = io.BytesIO()
    Image.new("L", (9, 7), 30).save(out, "JPEG")
    from model.encoders.looks import look_at

    assert look_at(out.getvalue()).statistics.shape == (len(STATISTICS),)
    with pytest.raises(OSError, match="cannot identify"):
        look_at(b"no picture")
