"""The ranking: every item once, audit items at their slots, nothing left to chance."""

import numpy as np
import pytest

from model.audit import audit_hash, audit_slots
from model.ranking import DEFAULT_STRATEGY, NO_MODEL, LaneQueue, rank
from model.records import Embeddings, Probabilities
from model.strategies import STRATEGIES
from tests.beliefs import strategy_input


def some_inputs(n=80, *, c=3, batch=20, seed=0):
    rng = np.random.default_rng(seed)
    ids = rng.permutation(1000)[:n].astype(np.int64)
    vectors = rng.normal(size=(n + 4, 6)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    values = rng.dirichlet(np.ones(c), size=n).astype(np.float32)
    pool, labelled = Embeddings(ids, vectors[:n], "e@1"), Embeddings(np.arange(4) + 5000, vectors[n:], "e@1")
    return strategy_input(pool, Probabilities(ids, values, "nl-000003"), labelled, batch)


def ranked(inputs, *, strategy="margin", window=20, share=0.2, audit_below=0.3, seed=1, queues=()):
    order = audit_hash(inputs.pool.ids, 5)
    return rank(
        inputs,
        strategy=strategy,
        window=window,
        audit=order < audit_below,
        audit_order=order,
        share=share,
        rng=np.random.default_rng(seed),
        queues=queues,
    )


def test_audit_items_stand_at_their_slots_and_nowhere_else_in_the_window():
    ranking = ranked(some_inputs())
    at_audit = [position for position, lane in enumerate(ranking.lanes[:20]) if lane == "audit"]
    assert at_audit == audit_slots(20, 0.2).tolist()


def test_audit_items_come_in_the_order_of_their_hash():
    ranking = ranked(some_inputs())
    hashes = audit_hash(ranking.ids[[lane == "audit" for lane in ranking.lanes]], 5)
    assert (np.diff(hashes) > 0).all()


def test_audit_items_without_a_slot_come_last():
    inputs = some_inputs()
    lanes = ranked(inputs).lanes
    waiting = int((audit_hash(inputs.pool.ids, 5) < 0.3).sum()) - 4
    assert waiting > 0
    assert set(lanes[-waiting:]) == {"audit"}
    assert set(lanes[20:-waiting]) == {"rest"}


def test_slots_that_no_audit_item_fills_go_to_informative_items():
    assert set(ranked(some_inputs(), audit_below=0.0).lanes[:20]) == {"informative"}


def test_informative_items_come_in_the_order_of_the_strategy():
    inputs = some_inputs()
    ranking = ranked(inputs, audit_below=0.0)
    scores = STRATEGIES["margin"](inputs, np.random.default_rng(0))
    margins = dict(zip(scores.ids, scores.values, strict=True))
    assert (np.diff([margins[item] for item in ranking.ids]) <= 0).all()


def test_a_pool_of_audit_items_alone_is_ranked_by_hash():
    ranking = ranked(some_inputs(10), audit_below=1.0)
    assert set(ranking.lanes) == {"audit"}
    assert (np.diff(audit_hash(ranking.ids, 5)) > 0).all()


def test_an_empty_pool_gives_an_empty_ranking():
    assert len(ranked(some_inputs().take(np.zeros(0, dtype=np.intp)))) == 0


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_the_order_of_the_rows_changes_nothing(strategy):
    inputs = some_inputs()
    turned = inputs.take(np.random.default_rng(8).permutation(len(inputs.pool)))
    assert ranked(turned, strategy=strategy).ids.tolist() == ranked(inputs, strategy=strategy).ids.tolist()


def test_ties_fall_the_same_way_for_any_order_of_the_rows():
    inputs = some_inputs()
    even = Probabilities(inputs.pool.ids, np.full((80, 3), 1 / 3, dtype=np.float32), "v")
    tied = strategy_input(inputs.pool, even, inputs.labelled, inputs.batch)
    turned = tied.take(np.arange(80)[::-1])
    assert ranked(turned).ids.tolist() == ranked(tied).ids.tolist()
    assert ranked(tied, seed=2).ids.tolist() != ranked(tied, seed=1).ids.tolist()


def test_without_a_model_the_pool_is_covered():
    inputs = some_inputs()
    bare = strategy_input(inputs.pool, None, inputs.labelled, inputs.batch)
    ranking = ranked(bare, strategy="max-herding")
    assert ranking.model_version == NO_MODEL
    assert ranked(inputs).model_version == "nl-000003"


def test_the_default_strategy_exists():
    assert DEFAULT_STRATEGY in STRATEGIES


def test_unknown_strategies_and_masks_that_do_not_fit_are_refused():
    inputs = some_inputs()
    with pytest.raises(ValueError, match="no strategy 'magic'"):
        ranked(inputs, strategy="magic")
    with pytest.raises(ValueError, match="3 audit marks"):
        rank(
            inputs,
            strategy="margin",
            window=10,
            audit=np.zeros(3, dtype=np.bool_),
            audit_order=np.zeros(80),
            share=0.1,
            rng=np.random.default_rng(0),
        )


def test_what_an_audit_slot_will_ask_is_not_asked_again_by_a_twin():
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(12, 8)).astype(np.float32)
    vectors = np.repeat(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), 2, axis=0)
    ids = np.arange(24)
    pool = Embeddings(ids, vectors, "e@1")
    unsure = Probabilities(ids, np.full((24, 2), 0.5, dtype=np.float32), "v")
    audit = ids < 4  # 0 and 1 are twins, 2 and 3 are twins
    ranking = rank(
        strategy_input(pool, unsure, pool.take(ids[:0]), 10),
        strategy="balanced-herding",
        window=12,
        audit=(ids == 0) | (ids == 2),
        audit_order=ids / 24,
        share=0.2,
        rng=np.random.default_rng(0),
    )
    assert audit[ranking.ids[:12]].sum() == 2
    assert len(set(ranking.ids[:12] // 2)) == 12


def a_queue(ids, *, lane="novelty", share=0.1, soon=0):
    return LaneQueue(lane, np.array(ids, dtype=np.int64), share, soon)


def not_audit(inputs):
    return inputs.pool.ids[audit_hash(inputs.pool.ids, 5) >= 0.3]


def test_items_of_a_lane_keep_their_order_and_take_their_share_of_the_window():
    inputs = some_inputs()
    wanted = not_audit(inputs)[:7]
    ranking = ranked(inputs, queues=[a_queue(wanted)])
    lanes = np.array(ranking.lanes)
    assert ranking.ids[lanes == "novelty"].tolist() == wanted[:2].tolist()
    assert (np.flatnonzero(lanes == "novelty") < 20).all()
    assert sorted(ranking.ids) == sorted(inputs.pool.ids)


def test_the_soon_of_a_lane_are_in_the_first_2_percent_or_at_every_second_place():
    inputs = some_inputs()
    wanted = not_audit(inputs)[:6]
    for soon, last in ((0, 19), (3, 6), (6, 12)):
        ranking = ranked(inputs, queues=[a_queue(wanted, share=0.3, soon=soon)])
        places = np.flatnonzero(np.array(ranking.lanes) == "novelty")
        assert ranking.ids[places].tolist() == wanted.tolist()
        assert (places[:soon] < last).all() and places[-1] < 20


def test_the_first_of_a_lane_have_the_very_front_but_for_the_audit_items_there():
    inputs = some_inputs()
    wanted = not_audit(inputs)[:5]
    front = LaneQueue("chosen", np.array(wanted), 0.2, first=True)
    plain = ranked(inputs, queues=[a_queue(not_audit(inputs)[6:9])])
    ranking = ranked(inputs, queues=[front, a_queue(not_audit(inputs)[6:9])])
    others = [item for item, lane in zip(ranking.ids, ranking.lanes, strict=True) if lane != "audit"]
    assert others[:4] == wanted[:4].tolist()
    at_audit = [np.flatnonzero(np.array(order.lanes[:20]) == "audit").tolist() for order in (plain, ranking)]
    assert at_audit[0] == at_audit[1]
    assert ranking.lanes.count("chosen") == 4 and ranking.lanes.count("novelty") == plain.lanes.count(
        "novelty"
    )


def test_an_audit_item_of_the_soon_takes_no_other_item_s_place():
    inputs = some_inputs()
    audit = inputs.pool.ids[audit_hash(inputs.pool.ids, 5) < 0.3][:1]
    wanted = not_audit(inputs)[:3]
    plain = ranked(inputs, queues=[a_queue(wanted, share=0.3, soon=1)])
    told = ranked(inputs, queues=[a_queue([*audit, *wanted], share=0.3, soon=2)])
    assert told.ids.tolist() == plain.ids.tolist()


def test_items_outside_the_pool_may_come_by_a_lane():
    inputs = some_inputs()
    ranking = ranked(inputs, queues=[a_queue([9001, 9002, 9003], lane="synthetic")])
    assert set(ranking.ids) == {*inputs.pool.ids, 9001, 9002}


def test_audit_items_stay_audit_items_and_nobody_comes_by_two_lanes():
    inputs = some_inputs()
    audit = inputs.pool.ids[audit_hash(inputs.pool.ids, 5) < 0.3]
    novel = not_audit(inputs)[:1]
    queues = [a_queue([*audit[:2], *novel]), a_queue(novel, lane="synthetic")]
    lanes = dict(zip((ranking := ranked(inputs, queues=queues)).ids.tolist(), ranking.lanes, strict=True))
    assert {lanes[item] for item in audit.tolist()} == {"audit"}
    assert lanes[int(novel[0])] == "novelty"


def test_lanes_that_want_more_than_the_window_has_lose_nobody():
    inputs = some_inputs(12)
    ids = inputs.pool.ids
    queues = [a_queue(ids[:8], share=1.0), a_queue([9001, 9002, 9003], lane="synthetic", share=1.0)]
    ranking = ranked(inputs, window=5, share=0.5, queues=queues)
    assert sorted(ranking.ids) == sorted([*ids, 9001, 9002, 9003])


def test_a_share_outside_0_to_1_is_refused():
    with pytest.raises(ValueError, match="share is 1.5"):
        a_queue([1], share=1.5)
