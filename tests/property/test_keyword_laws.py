"""Laws of keywords: trust is a share, names stay unit vectors, what nobody hinted at does not move."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.encoders.keywords import find_keywords
from model.heads.keywords import KeywordHits, join_keywords, keyword_weights


@st.composite
def projects(draw):
    """Targets (m, c) of the first m of n items, hits (n, k), columns (k,), vectors (n, d), names (c, d)."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    items, classes, keywords = draw(st.integers(0, 12)), draw(st.integers(2, 5)), draw(st.integers(0, 6))
    labelled = draw(st.integers(0, items))
    targets = (rng.random((labelled, classes)) < 0.5).astype(np.float32)
    found = rng.random((items, keywords)) < draw(st.sampled_from([0.0, 0.3, 1.0]))
    columns = rng.integers(0, classes, keywords)
    vectors, names = (rng.normal(size=(rows, 6)).astype(np.float32) for rows in (items, classes))
    unit = [part / np.linalg.norm(part, axis=1, keepdims=True) for part in (vectors, names)]
    return targets, KeywordHits(found, columns.astype(np.intp)), *unit


@given(projects())
def test_trust_is_between_nothing_and_all(project):
    targets, hits, _vectors, _names = project
    weights = keyword_weights(hits.found[: len(targets)], hits.columns, targets)
    assert weights.shape == hits.columns.shape and weights.dtype == np.float32
    assert ((weights >= 0) & (weights <= 1)).all()


@given(projects())
def test_one_more_right_answer_never_takes_trust_away(project):
    targets, hits, _vectors, _names = project
    if not len(hits.columns) or not len(targets):
        return
    found = hits.found[: len(targets)]
    column = hits.columns[0]
    others = np.zeros_like(targets)
    others[:, column] = targets[:, column]
    only = KeywordHits(found[:, :1], hits.columns[:1])
    before = keyword_weights(only.found, only.columns, others)
    # beside it, items without the keyword and without the label say that the label is no matter of course
    more = np.concatenate([others, others[:1] * 0])
    after = keyword_weights(np.concatenate([only.found, [[False]]]), only.columns, more)
    assert after[0] >= before[0] - 1e-6


@given(projects())
def test_names_stay_unit_vectors_and_without_a_hit_the_same_bits(project):
    targets, hits, vectors, names = project
    weights = keyword_weights(hits.found[: len(targets)], hits.columns, targets)
    joined = join_keywords(names, vectors, hits, weights)
    assert np.linalg.norm(joined, axis=1) == pytest.approx(np.ones(len(names)), abs=1e-4)
    untouched = ~np.isin(np.arange(len(names)), hits.columns[hits.found.any(axis=0)])
    assert np.array_equal(joined[untouched], names[untouched])
    again = join_keywords(names, vectors, hits, weights)
    assert np.array_equal(joined, again)


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_whatever_is_written_a_keyword_with_a_letter_is_found_between_blanks(before, keyword, behind):
    alone = bool(find_keywords([keyword], [keyword])[0, 0])
    if alone:
        assert find_keywords([f"{before} {keyword} {behind}"], [keyword])[0, 0]
