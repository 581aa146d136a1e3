"""What holds for all texts that are compared and rewritten."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.synthetic.duplicates import find_twins
from model.synthetic.likeness import Contents
from model.synthetic.twin_detector import rewrite

parts = st.lists(st.integers(0, 9), min_size=1, max_size=30)
texts = st.lists(st.text(alphabet="ab ", max_size=8), min_size=2, max_size=12)


@given(texts)
def test_two_texts_are_as_alike_whichever_comes_first(said):
    contents = Contents(said)
    first, second = contents.parts[:2]
    assert contents.compare(first, second) == contents.compare(second, first)


@given(parts, parts, st.integers(0, 1000))
def test_a_rewritten_text_says_something_and_only_what_it_was_given(said, other, seed):
    common = np.array([0, 1])
    made = rewrite(np.array(said), np.array(other), common, np.random.default_rng(seed))
    assert len(made) >= 1
    assert len(made) <= len(said) + 3
    assert set(made.tolist()) <= {*said, *other, 0, 1}


@given(texts, st.integers(0, 1000))
def test_of_each_set_of_twins_one_is_kept_and_real_items_always(said, seed):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(len(said), 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    found = find_twins(
        vectors,
        rng.integers(0, 2, len(said)),
        real=1,
        preference=rng.random(len(said)).astype(np.float32),
        texts=said,
        unlabelled=None,
        rng=rng,
    )
    repeats = found.of >= 0
    assert not repeats[0]
    assert not repeats[found.of[repeats]].any()
