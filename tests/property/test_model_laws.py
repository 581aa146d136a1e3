"""Laws that hold for any input: calibration, training, audit, ranking and registry."""

import math
import re

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from model.audit import audit_hash, audit_quota, audit_slots, audit_threshold
from model.calibration import calibration_error, fit_temperature, wilson_interval
from model.encoders.hashing import HashingEncoder
from model.encoders.tfidf import TfidfEncoder, fit_tfidf, rows_to_fit
from model.heads.single_label import LinearHead, softmax
from model.ranking import rank
from model.records import Embeddings, Labels, LabelSpace, Probabilities
from model.registry import Manifest, ModelRegistry
from model.stores.folder import FolderStore
from model.strategies import STRATEGIES
from model.training import train
from tests.beliefs import strategy_input

settings.register_profile("model", deadline=None, max_examples=40, derandomize=True)
settings.load_profile("model")

finite = st.floats(-50, 50, width=32)
shapes = st.tuples(st.integers(1, 12), st.integers(1, 5))
logits = shapes.flatmap(lambda shape: arrays(np.float32, shape, elements=finite))
id_lists = st.lists(st.integers(-(2**62), 2**62), unique=True, max_size=60)
any_ids = id_lists.map(lambda ids: np.array(ids, dtype=np.int64))
seeds = st.integers(0, 2**32 - 1)


@given(logits)
def test_probabilities_sum_to_one(values):
    assert np.allclose(softmax(values).sum(axis=1), 1.0, atol=1e-5)


@given(logits, st.randoms(use_true_random=False))
def test_temperature_stays_in_bounds_and_never_changes_the_favourite(values, random):
    classes = np.array([random.randrange(values.shape[1]) for _ in values])
    temperature = fit_temperature(values, classes)
    assert 0.05 <= temperature <= 20.0
    best = values.max(axis=1)
    kept = (values / np.float32(temperature)).argmax(axis=1)
    assert np.allclose(values[np.arange(len(values)), kept], best, rtol=1e-5)
    assert 0.0 <= calibration_error(softmax(values), classes) <= 1.0


@given(st.integers(0, 500).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_the_wilson_interval_holds_the_share(counts):
    right, total = counts
    low, high = wilson_interval(right, total)
    assert 0.0 <= low <= (right / total if total else 0.5) <= high <= 1.0


@given(any_ids, seeds, st.integers(0, 80))
def test_the_audit_set_is_a_prefix_of_the_hash_order(ids, seed, quota):
    hashes = audit_hash(ids, seed)
    assert ((hashes >= 0) & (hashes < 1)).all()
    members = hashes < audit_threshold(ids, seed, quota)
    assert members.sum() == min(quota, len(ids))
    if 0 < quota < len(ids):
        assert hashes[members].max() < hashes[~members].min()


@given(any_ids, seeds)
def test_an_audit_hash_does_not_depend_on_the_other_ids(ids, seed):
    assert np.array_equal(audit_hash(ids[::2], seed), audit_hash(ids, seed)[::2])


@given(st.integers(0, 5000), st.floats(0, 1))
def test_the_audit_quota_never_falls_and_never_exceeds_the_labels(labels, share):
    assert audit_quota(labels, share=share) <= audit_quota(labels + 1, share=share)
    assert audit_quota(labels, share=share) <= labels


@given(st.integers(0, 300), st.floats(0, 1))
def test_audit_slots_are_places_of_the_window_each_once(window, share):
    slots = audit_slots(window, share)
    assert len(slots) == round(window * share)
    assert (np.diff(slots) > 0).all()
    assert ((slots >= 0) & (slots < max(window, 1))).all()


@given(
    st.integers(0, 30),
    st.integers(1, 4),
    st.integers(1, 12),
    st.integers(0, 40),
    st.floats(0, 1),
    seeds,
    st.sampled_from(sorted(STRATEGIES)),
)
def test_every_item_is_ranked_once_whatever_the_order_of_rows(n, c, batch, window, share, seed, strategy):
    rng = np.random.default_rng(seed)
    ids = rng.permutation(500)[:n].astype(np.int64)
    vectors = HashingEncoder(8).encode([f"w{word}" for word in rng.integers(0, 9, n)])  # with twins
    values = rng.dirichlet(np.ones(c), size=n).astype(np.float32).reshape(n, c)
    probabilities = Probabilities(ids, values, "v")
    pool = Embeddings(ids, vectors, "e")
    inputs = strategy_input(pool, probabilities, pool.take(ids[:0]), batch)
    turn = rng.permutation(n)

    def ranked(inputs):
        order = audit_hash(inputs.pool.ids, seed)
        return rank(
            inputs,
            strategy=strategy,
            window=window,
            audit=order < 0.3,
            audit_order=order,
            share=share,
            rng=np.random.default_rng(seed),
        )

    ranking = ranked(inputs)
    assert sorted(ranking.ids.tolist()) == sorted(ids.tolist())
    assert ranked(inputs.take(turn)).ids.tolist() == ranking.ids.tolist()


@settings(max_examples=20)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=25), st.booleans(), seeds)
def test_any_labels_train_a_head_whose_beliefs_sum_to_one(classes, with_names, seed):
    space = LabelSpace(("a", "b", "c", "d"))
    rng = np.random.default_rng(seed)
    ids = np.arange(len(classes))
    vectors = HashingEncoder(12).encode([f"w{word}" for word in rng.integers(0, 9, len(ids))])
    result = train(
        Embeddings(ids, vectors, "e"),
        Labels(ids, np.eye(4, dtype=np.float32)[classes], space),
        name_vectors=HashingEncoder(12).encode(space.names) if with_names else None,
        audit=rng.random(len(ids)) < 0.3,
        rng=rng,
    )
    assert np.allclose(result.out_of_fold.values.sum(axis=1), 1.0, atol=1e-5)
    assert all(value is None or math.isfinite(value) for value in result.metrics.values())


@given(st.lists(st.text(max_size=40)), st.lists(st.text(max_size=40)))
def test_any_text_is_a_vector_of_length_one_before_and_after_storing(pool, others):
    words = fit_tfidf([*pool, *pool], revision="tfidf@x")
    if words is None:
        assert not any(re.search(r"\w\w", text.lower()) for text in pool)
        return
    vectors = words.encode([*pool, *others])
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    again = TfidfEncoder.from_bytes(words.to_bytes())
    assert np.array_equal(again.encode([*pool, *others]), vectors)


@given(st.integers(0, 50_000))
def test_the_texts_to_fit_to_are_rows_of_the_pool_each_once(count):
    rows = rows_to_fit(count)
    assert (np.diff(rows) > 0).all()
    assert ((rows >= 0) & (rows < max(count, 1))).all()
    assert len(rows) >= min(count / 1.2, 10_000)


@given(
    arrays(np.float32, (3, 2), elements=st.floats(allow_nan=False, allow_infinity=False, width=32)),
    st.floats(1e-6, 1e6),
)
def test_a_saved_head_is_loaded_with_the_same_bits(tmp_path_factory, weights, temperature):
    registry = ModelRegistry(FolderStore(tmp_path_factory.mktemp("models")))
    space = LabelSpace(("a", "b"))
    head = LinearHead(weights, weights[0].copy(), temperature, space)
    manifest = Manifest("v", "trained", space.names, "e", 1, "f", 0.1, {}, "margin", "now", "0")
    registry.save("p", "v", head, manifest)
    loaded, _ = registry.load("p", "v")
    assert loaded.weights.tobytes() == head.weights.tobytes()
    assert loaded.bias.tobytes() == head.bias.tobytes()
    assert loaded.temperature == head.temperature
