"""Wide vectors are looked at along few axes, and nothing that tells them apart is lost on the way."""

import numpy as np

from model.novelty.detector import detect
from model.novelty.grouping import group_items
from model.novelty.narrow import KEPT, MOST_DIMENSIONS, along, principal_axes
from model.records import Embeddings, Labels, LabelSpace

WIDE = 2304


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def classes_in(dimensions, *, count, of_each, seed=0, noise=0.5):
    """Items of some classes that lie in a few directions of a wide space."""
    rng = np.random.default_rng(seed)
    centres = unit(rng.normal(size=(count, dimensions)))
    classes = np.arange(count * of_each) % count
    spread = rng.normal(size=(len(classes), dimensions)) * noise / np.sqrt(dimensions)
    return unit(centres[classes] + spread), classes


def test_vectors_of_up_to_1024_numbers_are_taken_as_they_are():
    vectors, _ = classes_in(MOST_DIMENSIONS, count=3, of_each=4)
    assert principal_axes(vectors) is None
    assert along(None, vectors) is vectors


def test_angles_are_kept_where_the_rows_span_fewer_dimensions():
    vectors, _ = classes_in(WIDE, count=4, of_each=20)
    axes = principal_axes(vectors[:30], vectors[30:])
    assert axes.shape == (WIDE, 80)
    seen = along(axes, vectors)
    assert np.allclose(seen @ seen.T, vectors @ vectors.T, atol=1e-4)
    assert np.allclose(axes.T @ axes, np.eye(80), atol=1e-4)


def test_no_more_axes_are_kept_than_promised():
    vectors, _ = classes_in(WIDE, count=5, of_each=120, noise=3.0)
    assert principal_axes(vectors).shape == (WIDE, KEPT)


def test_a_class_without_a_label_is_found_among_wide_vectors():
    vectors, classes = classes_in(WIDE, count=5, of_each=40)
    ids = np.arange(len(vectors))
    known = (classes < 4) & (ids % 2 == 0)
    labelled = Embeddings(ids[known], vectors[known], "wide")
    pool = Embeddings(ids[~known], vectors[~known], "wide")
    space = LabelSpace(("a", "b", "c", "d"))
    labels = Labels.from_names(labelled.ids, [space.names[one] for one in classes[known]], space)
    audit = np.arange(len(labelled)) % 3 == 0
    found = detect(labelled, labels, pool, audit=audit, alpha=0.05, rng=np.random.default_rng(1))
    novel = classes[~known] == 4
    assert found.flagged[novel].mean() > 0.9 and found.flagged[~novel].mean() < 0.2
    groups = group_items(pool.take(found.flagged), labelled, labels, seed=0)
    assert len(set(groups[0].ids) & set(ids[classes == 4].tolist())) > 30
