"""What several threads want encoded at once: together, in fair rounds; no fault of one falls on others."""

import threading

import numpy as np
import pytest

from backend import compute_turns
from backend.encoding.together import Together, _shares
from backend.errors import EncoderUnavailable, TooBusy


class Encoding:
    """Gives each number itself as a vector, once it is let go."""

    def __init__(self):
        self.rounds = []
        self.began, self.go = threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, items):
        self.rounds.append(list(items))
        self.began.release()
        assert self.go.acquire(timeout=30)
        if -1 in items:
            raise EncoderUnavailable("no")
        if -2 in items:
            raise RuntimeError("a fault of ours")
        return np.array([[item] for item in items], dtype=np.float32)


@pytest.fixture
def encoding():
    return Encoding()


@pytest.fixture
def together(encoding):
    return Together(encoding, size=lambda _item: 1, dimensions=1, at_once=4, most_waiting=6)


@pytest.fixture
def ask(together):
    """ask([1, 2]): a thread that waits for these; what came of it is its `found` or `error`."""
    threads = []

    def start(items):
        def run():
            try:
                thread.found = together.encode(items)[:, 0].tolist()
            except Exception as error:  # noqa: BLE001 (the test looks at it)
                thread.error = error

        before = len(together._waiting)
        thread = threading.Thread(target=run)
        thread.found = thread.error = None
        threads.append(thread)
        thread.start()
        while len(together._waiting) == before and thread.is_alive():
            pass
        return thread

    yield start
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()


def test_who_comes_while_others_are_encoded_is_in_the_next_round(ask, encoding):
    first = ask([1])
    assert encoding.began.acquire(timeout=30)
    others = [ask([number]) for number in (2, 3, 4)]
    encoding.go.release(2)
    for thread in [first, *others]:
        thread.join(30)
    assert encoding.rounds == [[1], [2, 3, 4]]
    assert [thread.found for thread in [first, *others]] == [[1], [2], [3], [4]]


def test_a_large_request_keeps_no_small_one_waiting_and_is_finished_itself(ask, encoding):
    large = ask(list(range(10, 20)))
    assert encoding.began.acquire(timeout=30)
    small = ask([1])
    encoding.go.release(2)
    small.join(30)
    assert encoding.rounds[1] == [14, 15, 16, 1]
    encoding.go.release(1)
    large.join(30)
    assert large.found == list(range(10, 20))


def test_an_error_of_one_is_not_that_of_the_others(ask, encoding):
    ask([1])
    assert encoding.began.acquire(timeout=30)
    bad, good = ask([-1]), ask([2])
    encoding.go.release(4)
    good.join(30)
    bad.join(30)
    assert encoding.rounds == [[1], [-1, 2], [-1], [2]]
    assert good.found == [2]
    assert isinstance(bad.error, EncoderUnavailable)


def test_a_fault_of_ours_leaves_nobody_waiting(ask, encoding):
    first = ask([-2])
    assert encoding.began.acquire(timeout=30)
    second = ask([2])
    encoding.go.release(2)
    first.join(30)
    second.join(30)
    assert isinstance(first.error, RuntimeError)
    assert second.found == [2]


def test_past_the_bound_nobody_lines_up(ask, encoding):
    ask([1])
    assert encoding.began.acquire(timeout=30)
    for number in range(2, 7):
        ask([number])
    refused = ask([7])
    refused.join(30)
    assert isinstance(refused.error, TooBusy)
    encoding.go.release(3)


def test_large_items_fill_a_round_and_one_too_large_has_a_round_of_its_own():
    rounds = []

    def encode(items):
        rounds.append(list(items))
        return np.array([[item] for item in items], dtype=np.float32)

    together = Together(encode, size=lambda item: item, dimensions=1, at_once=6, most_waiting=6)
    items = [1, 2, 3, 4, 9, 1, 5, 5]
    assert together.encode(items)[:, 0].tolist() == items
    assert rounds == [[1, 2, 3], [4], [9], [1, 5], [5]]


def test_nothing_to_encode_asks_nobody(together, encoding):
    assert together.encode([]).shape == (0, 1)
    assert encoding.rounds == []


@pytest.mark.parametrize(
    ("left", "at_once", "expected"),
    [
        ([3], 4, [3]),
        ([9], 4, [4]),
        ([9, 1], 4, [3, 1]),
        ([9, 9], 4, [2, 2]),
        ([9, 9, 1], 7, [3, 3, 1]),
        ([1] * 6, 4, [1, 1, 1, 1, 0, 0]),
        ([9, 1, 1, 1, 1], 3, [1, 1, 1, 0, 0]),
    ],
)
def test_a_round_is_shared_evenly_by_those_who_came_first(left, at_once, expected):
    assert _shares(left, at_once) == expected


def test_who_waits_gives_its_turn_to_another():
    semaphore = threading.BoundedSemaphore(1)
    semaphore.acquire()
    compute_turns.take_part(semaphore)
    try:
        with compute_turns.waiting():
            assert semaphore.acquire(blocking=False)
            semaphore.release()
        assert not semaphore.acquire(blocking=False)
    finally:
        compute_turns.take_part(None)
    with compute_turns.waiting():
        assert not semaphore.acquire(blocking=False)
