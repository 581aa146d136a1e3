"""Laws of the order in which items get vectors."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from model.audit import audit_hash, audit_threshold, encoding_order

NUMBERS = st.lists(st.integers(0, 10**9), unique=True, max_size=3000)
IDS = NUMBERS.map(lambda ids: np.array(ids, dtype=np.int64))
SEEDS = st.integers(0, 2**62)


def nobody(ids):
    return np.zeros(len(ids), dtype=np.bool_)


@given(IDS, SEEDS, st.randoms(use_true_random=False))
def test_every_item_comes_once_whatever_the_order_it_is_given_in(ids, seed, chance):
    order = encoding_order(ids, seed, first=nobody(ids))
    assert sorted(order.tolist()) == list(range(len(ids)))
    shuffled = np.array(chance.sample(ids.tolist(), len(ids)), dtype=np.int64)
    again = encoding_order(shuffled, seed, first=nobody(ids))
    assert np.array_equal(ids[order], shuffled[again])


@given(IDS, SEEDS, st.floats(0.0, 1.0))
def test_the_audit_items_of_the_whole_are_among_the_first(ids, seed, share):
    encoded = ids[encoding_order(ids, seed, first=nobody(ids))][: int(share * len(ids))]
    quota = len(encoded) // 4
    audit = ids[audit_hash(ids, seed) < audit_threshold(ids, seed, quota)]
    assert set(audit.tolist()) <= set(encoded.tolist())


@given(IDS, SEEDS, st.data())
def test_what_comes_first_comes_before_all_but_a_part_of_the_others(ids, seed, data):
    first = np.array(data.draw(st.lists(st.booleans(), min_size=len(ids), max_size=len(ids))), dtype=np.bool_)
    order = encoding_order(ids, seed, first=first)
    assert sorted(order.tolist()) == list(range(len(ids)))
    soon = first[order]
    last = int(np.flatnonzero(soon)[-1]) if soon.any() else -1
    assert (~soon[: last + 1]).sum() <= 512


@given(SEEDS)
def test_what_a_strategy_is_offered_beside_the_audit_has_the_largest_hashes(seed):
    ids = np.arange(4000, dtype=np.int64)
    early = encoding_order(ids, seed, first=nobody(ids))[:400]
    hashes = np.sort(audit_hash(ids, seed))
    found = audit_hash(ids[early], seed)
    assert set(found.tolist()) == {*hashes[:100].tolist(), *hashes[-300:].tolist()}
