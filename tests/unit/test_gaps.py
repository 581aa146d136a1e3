"""What to make next: classes with errors that more items would cure, and real items to imitate."""

import numpy as np
import pytest

from model.records import Embeddings, Labels, LabelSpace
from model.synthetic.gaps import EXAMPLES, advise_stop, find_gaps
from model.synthetic.items import RealItems, SyntheticItems
from model.synthetic.lift import Lift

DIMENSIONS, PLACES = 96, 30
SPACE = LabelSpace(("clear", "scattered", "strewn", "heads", "tails"))


def near(axes, rng):
    """Unit vectors that each lie around an axis."""
    vectors = np.eye(DIMENSIONS)[axes] + 0.05 * rng.normal(size=(len(axes), DIMENSIONS))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def real_items(seed=0, per_class=60):
    """One class in one place, two in thirty places each, and two that are one place's toss of a coin."""
    rng, each = np.random.default_rng(seed), np.arange(per_class)
    axes = [0 * each, 1 + each % PLACES, 1 + PLACES + each % PLACES, np.full(2 * per_class, 90)]
    classes = np.concatenate([np.repeat([0, 1, 2], per_class), 3 + np.arange(2 * per_class) % 2])
    ids = 100 + np.arange(len(classes))
    return RealItems(
        Embeddings(ids, near(np.concatenate(axes), rng), "e@1"),
        Labels(ids, np.eye(5, dtype=np.float32)[classes], SPACE),
        np.zeros(len(ids), dtype=bool),
    )


def synthetic_items(axes, classes, seed=9):
    ids = 5000 + np.arange(len(classes))
    return SyntheticItems(
        Embeddings(ids, near(np.asarray(axes, dtype=int), np.random.default_rng(seed)), "e@1"),
        Labels(ids, np.eye(5, dtype=np.float32)[np.asarray(classes, dtype=int)], SPACE),
    )


def gaps(real, synthetic=None, *, kept=None, **pool):
    synthetic = synthetic or synthetic_items([], [])
    kept = np.ones(len(synthetic), dtype=bool) if kept is None else kept
    found = find_gaps(real, synthetic, kept, rng=np.random.default_rng(0), **pool)
    return {SPACE.names[gap.column]: gap for gap in found}


def test_a_class_whose_error_more_items_cure_is_steep_and_one_that_is_chance_is_not():
    found = [gaps(real_items(seed)) for seed in range(4)]
    mean = {name: np.mean([each[name].steepness for each in found]) for name in SPACE.names}
    assert mean["clear"] == 0.0
    assert mean["scattered"] + mean["strewn"] > 2 * (mean["heads"] + mean["tails"])


def test_a_gap_counts_its_share_its_error_its_steepness_and_its_holes():
    real = real_items()
    found = gaps(real)
    assert any(gap.steepness > 0.1 for gap in found.values())
    for gap in found.values():
        share = (gap.real + 1) / (len(real.labels) + len(SPACE))
        parts = share * gap.error * (1 + gap.steepness) * (1 + gap.uncovered)
        assert gap.score == pytest.approx(parts, rel=1e-6)


def test_the_most_urgent_gap_comes_first_and_asks_for_most():
    found = list(gaps(real_items()).values())
    assert [gap.score for gap in found] == sorted((gap.score for gap in found), reverse=True)
    assert [gap.count for gap in found] == sorted((gap.count for gap in found), reverse=True)
    assert found[-1].column == SPACE.index("clear") and found[-1].count == 5
    assert sum(gap.count for gap in found) == pytest.approx(200, abs=5)


def test_an_error_is_what_heads_that_never_saw_an_item_get_wrong():
    found = gaps(real_items())
    assert found["clear"].error < 0.02
    assert 0.3 < found["heads"].error < 0.7


def test_kept_synthetic_items_are_learned_from_and_others_are_not():
    real = real_items()
    places = 1 + np.arange(4 * PLACES) % PLACES
    made = synthetic_items(places, np.ones(len(places)))
    nothing = gaps(real, made, kept=np.zeros(len(made), dtype=bool))
    everything = gaps(real, made)
    assert nothing["scattered"] == gaps(real)["scattered"]
    assert (nothing["scattered"].synthetic, everything["scattered"].synthetic) == (0, len(made))
    assert everything["scattered"].error < nothing["scattered"].error


def test_a_part_of_the_pool_that_nothing_learned_from_is_near_is_a_hole():
    real, rng = real_items(), np.random.default_rng(3)
    pool = Embeddings(np.arange(100), near(np.full(100, 80), rng), "e@1")
    believed = np.zeros(100, dtype=np.intp)
    without, with_pool = gaps(real), gaps(real, pool=pool, pool_classes=believed)
    assert without["clear"].uncovered < 0.1
    assert with_pool["clear"].uncovered == pytest.approx((100 + 60 * without["clear"].uncovered) / 160)
    assert with_pool["strewn"].uncovered == without["strewn"].uncovered


def test_examples_are_real_items_of_the_class_and_those_that_are_judged_wrongly_first():
    real = real_items()
    odd = 7  # an item of the clear class where another class lives
    real.embeddings.vectors[odd] = real.embeddings.vectors[60]
    clear = gaps(real)["clear"]
    assert len(clear.examples) == EXAMPLES
    assert clear.examples[0] == real.embeddings.ids[odd]
    assert set(clear.examples) <= set(real.embeddings.ids[:60].tolist())


def test_one_label_shows_no_gap():
    real = real_items()
    one = RealItems(real.embeddings.take(np.arange(1)), real.labels.take(np.arange(1)), real.audit[:1])
    assert gaps(one) == {}


def lift(low, mean, high, *, audit=40):
    return Lift(mean, low, high, items=60, audit=audit)


def test_a_generator_may_stop_when_its_items_surely_bring_less_than_a_point():
    assert advise_stop("A", 60, lift(-0.02, 0.0, 0.009)) == (
        "the last 60 from A changed nothing: +0.0 points, -2.0 to +0.9"
    )
    assert "made it worse" in advise_stop("A", 60, lift(-0.05, -0.03, -0.01))
    assert advise_stop("A", 60, lift(-0.02, 0.0, 0.01)) is None
    assert advise_stop("A", 0, lift(-0.02, 0.0, 0.0)) is None
    assert advise_stop("A", 60, lift(-0.02, 0.0, 0.0, audit=0)) is None
