"""Laws of the novelty detector: a promise that holds for any scores, and no order of rows that matters."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from model.novelty.conformal import p_values
from model.novelty.crossfit import translate
from model.novelty.detector import detect
from model.novelty.folds import assign_groups, near_duplicate_clusters
from model.novelty.neighbourhood import find_neighbourhood, make_reference
from model.novelty.selection import IN_COMPANY, MOST_IN_COMPANY, Trial, auroc, choose_weights
from model.records import Embeddings, Labels, LabelSpace

SEEDS = st.integers(0, 10**6)
SPACE = LabelSpace(("a", "b", "c"))


def unit(rng, count, d=6):
    vectors = rng.normal(size=(count, d)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def embedded(vectors, *, first=0):
    return Embeddings(np.arange(first, first + len(vectors)), vectors, "e@1")


@given(SEEDS, st.integers(1, 80), st.floats(0.01, 0.5))
def test_exchangeable_scores_are_flagged_no_oftener_than_promised(seed, size, alpha):
    rng = np.random.default_rng(seed)
    scores = rng.choice(30, size=(500, size + 1)).astype(np.float32)  # ties are common
    flagged = [p_values(row[:-1], row[-1:])[0] <= alpha for row in scores]
    assert np.mean(flagged) <= alpha + 4 * np.sqrt(alpha / len(flagged))


@given(SEEDS, st.integers(0, 50), st.floats(0.01, 1.0))
def test_p_values_never_rise_with_the_score_nor_depend_on_an_order(seed, size, tie):
    rng = np.random.default_rng(seed)
    calibration = rng.normal(size=size).round(1).astype(np.float32)
    weights = rng.random(size).astype(np.float32)
    scores = np.sort(rng.normal(size=40).round(1)).astype(np.float32)
    found = p_values(calibration, scores, tie=tie, weights=weights)
    assert (np.diff(found) <= 1e-12).all()
    assert ((found > 0) & (found <= 1)).all()
    order = rng.permutation(size)
    again = p_values(calibration[order], scores, tie=tie, weights=weights[order])
    assert np.allclose(found, again, atol=1e-6)


@settings(max_examples=10)  # two trainings each
@given(SEEDS, st.integers(20, 40), st.integers(0, 30))
def test_the_order_of_the_rows_changes_no_flag(seed, labels, size):
    rng = np.random.default_rng(seed)
    known, pool = embedded(unit(rng, labels)), embedded(unit(rng, size), first=1000)
    given_labels = Labels(known.ids, np.eye(3, dtype=np.float32)[rng.integers(3, size=labels)], SPACE)
    audit = rng.random(labels) < 0.5
    plain = detect(known, given_labels, pool, audit=audit, alpha=0.1, rng=np.random.default_rng(0))
    mine, theirs = rng.permutation(labels), rng.permutation(size)
    turned = detect(
        known.take(mine),
        Labels(given_labels.ids[mine], given_labels.targets[mine], SPACE),
        pool.take(theirs),
        audit=audit[mine],
        alpha=0.1,
        rng=np.random.default_rng(0),
    )
    assert np.array_equal(turned.scores, plain.scores[theirs])
    assert np.array_equal(turned.p_values, plain.p_values[theirs])


@given(SEEDS, st.integers(1, 40), st.integers(1, 12))
def test_near_duplicates_are_held_out_together(seed, size, count):
    rng = np.random.default_rng(seed)
    vectors = unit(rng, size)
    clusters = near_duplicate_clusters(np.concatenate([vectors, vectors[::-1]]))
    assert np.array_equal(clusters[:size], clusters[size:][::-1])
    folds = assign_groups(clusters, rng.integers(3, size=2 * size), count, rng)
    assert np.array_equal(folds[:size], folds[size:][::-1])
    assert folds.min() >= 0 and folds.max() < count


@given(SEEDS, st.integers(2, 60))
def test_translated_scores_keep_their_order(seed, size):
    rng = np.random.default_rng(seed)
    before, after = rng.normal(size=size), rng.normal(size=size) - 1.0
    scores = np.sort(3.0 * rng.normal(size=50)).astype(np.float32)
    assert (np.diff(translate(scores, before, after)) >= -1e-6).all()
    assert np.allclose(translate(scores, before, before), scores, atol=1e-5)


@given(SEEDS, st.integers(1, 40), st.integers(0, 40))
def test_neighbours_never_push_a_score_outside_their_range(seed, size, around):
    rng = np.random.default_rng(seed)
    items, reference = embedded(unit(rng, size)), embedded(unit(rng, around), first=size // 2)
    own, others = rng.random(size).astype(np.float32), rng.random(around).astype(np.float32)
    smoothed = find_neighbourhood(items, make_reference(reference)).smooth(own, others)
    everyone = np.concatenate([own, others])
    assert (smoothed >= everyone.min() - 1e-6).all() and (smoothed <= everyone.max() + 1e-6).all()


@given(SEEDS)
def test_the_chosen_sum_is_hardly_worse_than_the_best_single_score(seed):
    rng = np.random.default_rng(seed)
    novel = np.arange(60) < 20
    scores = {name: (rng.normal(size=60) + 2 * rng.random() * novel).astype(np.float32) for name in "abc"}
    weights = choose_weights([Trial(scores, novel)])
    chosen = sum(weight * scores[name] for name, weight in weights.items())
    assert abs(sum(weights.values()) - 1.0) < 1e-9
    assert auroc(chosen, novel) >= max(auroc(values, novel) for values in scores.values()) - 0.011


@given(SEEDS, st.floats(-1.0, 3.0))
def test_the_density_ratio_gets_a_quarter_at_most_and_nothing_where_it_is_far_behind(seed, strength):
    rng = np.random.default_rng(seed)
    novel = np.arange(60) < 20
    scores = {name: (rng.normal(size=60) + novel).astype(np.float32) for name in "ab"}
    scores[IN_COMPANY] = (rng.normal(size=60) + strength * novel).astype(np.float32)
    weights = choose_weights([Trial(scores, novel)])
    behind = max(auroc(scores[name], novel) for name in "ab") - auroc(scores[IN_COMPANY], novel)
    assert abs(sum(weights.values()) - 1.0) < 1e-9
    if behind <= 0:
        assert weights[IN_COMPANY] == MOST_IN_COMPANY
    else:
        assert weights.get(IN_COMPANY, 0.0) < MOST_IN_COMPANY
    assert (IN_COMPANY in weights) == (behind < 0.0998)
