"""Laws of taxonomies: any tree, any paths, from one row on, with and without names."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from model.records import Embeddings, Labels, LabelSpace
from model.tasks.paths import join_path, split_path, tree_of
from model.tasks.taxonomy import Taxonomy

settings.register_profile("taxonomy", deadline=None, max_examples=30, derandomize=True)
settings.load_profile("taxonomy")

LEARNER = Taxonomy()
seeds = st.integers(0, 2**32 - 1)
steps = st.text(st.sampled_from("ab/\\> é\n"), max_size=4)


def some_tree(nodes, rng):
    paths = [("0",)]
    for number in range(1, nodes):
        above = paths[rng.integers(len(paths))] if rng.random() < 0.7 else ()
        paths.append((*above, str(number)))
    return LabelSpace(tuple(join_path(path) for path in paths))


def some_rows(rows, nodes, most, seed, dimensions=6):
    """Rows with up to `most` paths each; with 1 every row has exactly one."""
    rng = np.random.default_rng(seed)
    space = some_tree(nodes, rng)
    vectors = rng.normal(size=(rows + nodes, dimensions)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    targets = np.zeros((rows, nodes), dtype=np.float32)
    for _ in range(most):
        targets[np.arange(rows), rng.integers(nodes, size=rows)] = 1.0
    ids = rng.permutation(1000)[:rows].astype(np.int64)
    ends = tree_of(space).ends(tree_of(space).close(targets))
    return Embeddings(ids, vectors[:rows], "e"), Labels(ids, ends, space), vectors[rows:]


def train(items, labels, names, seed):
    audit = np.zeros(len(labels), dtype=np.bool_)
    return LEARNER.train(items, labels, names=names, audit=audit, rng=np.random.default_rng(seed))


@given(st.lists(steps, min_size=1, max_size=4))
def test_every_path_has_its_own_name(path):
    assert split_path(join_path(path)) == tuple(path)


@given(st.integers(1, 25), st.integers(2, 9), st.integers(1, 3), st.booleans(), seeds)
def test_an_answer_never_has_a_child_without_its_parent(rows, nodes, most, named, seed):
    items, labels, names = some_rows(rows, nodes, most, seed)
    tree = tree_of(labels.space)
    trained = train(items, labels, names if named else None, seed)
    for beliefs in (trained.out_of_fold, trained.head.believe(items, "v")):
        assert np.array_equal(beliefs.ids, items.ids)
        below = np.flatnonzero(tree.parents >= 0)
        assert (beliefs.values[:, below] <= beliefs.values[:, tree.parents[below]] + 1e-5).all()
        assert ((beliefs.values >= 0) & (beliefs.values <= 1)).all()
        assert ((beliefs.confidence >= 0) & (beliefs.confidence <= 1)).all()
        assert np.array_equal(tree.ends(tree.close(beliefs.answers)), beliefs.answers)
        assert beliefs.answers.any(axis=1).all()
        if (labels.targets.sum(axis=1) == 1).all():
            assert (beliefs.answers.sum(axis=1) == 1).all()
    again = LEARNER.load(trained.head.tensors(), labels.space).believe(items, "v")
    assert again.values.tobytes() == trained.head.believe(items, "v").values.tobytes()


@given(st.integers(2, 25), st.integers(2, 9), st.integers(1, 3), seeds)
def test_the_order_of_rows_does_not_matter(rows, nodes, most, seed):
    items, labels, names = some_rows(rows, nodes, most, seed)
    order = np.random.default_rng(seed).permutation(rows)
    one, other = train(items, labels, names, 1), train(items.take(order), labels.take(order), names, 1)
    assert one.head.believe(items, "v").values.tobytes() == other.head.believe(items, "v").values.tobytes()
    assert one.out_of_fold.values[order].tobytes() == other.out_of_fold.values.tobytes()


@given(st.integers(2, 9), seeds)
def test_names_alone_give_one_path_or_none(nodes, seed):
    items, labels, names = some_rows(10, nodes, 1, seed)
    head = LEARNER.cold_start(names, labels.space).head
    beliefs = head.believe(items, "v")
    assert (beliefs.answers.sum(axis=1) <= 1).all() and (beliefs.uncertainty == 1).all()
    again = LEARNER.load(head.tensors(), labels.space).believe(items, "v")
    assert again.values.tobytes() == beliefs.values.tobytes()
    assert again.uncertainty.tobytes() == beliefs.uncertainty.tobytes()
