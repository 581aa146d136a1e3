"""How many wrong guesses are heard, from one address and in all, and that their memory is bounded."""

import pytest

from backend.routes import guesses as module
from backend.routes.guesses import WrongGuesses


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def guesses(clock):
    return WrongGuesses(clock=clock)


def heard(guesses, address, count, start=0):
    """How many of some new guesses are heard."""
    found = 0
    for number in range(start, start + count):
        if guesses.wait_s(address) == 0.0:
            found += 1
            guesses.wrong(address, f"{address} {number}")
    return found


def test_ten_at_once_then_two_a_minute(guesses, clock):
    assert heard(guesses, "192.0.2.1", 50) == 10
    assert 0.0 < guesses.wait_s("192.0.2.1") <= 30.0
    clock.now += 29.0
    assert guesses.wait_s("192.0.2.1") > 0.0
    clock.now += 1.5
    assert heard(guesses, "192.0.2.1", 50, start=50) == 1
    clock.now += 3600.0
    assert heard(guesses, "192.0.2.1", 50, start=100) == 10


def test_many_addresses_share_an_allowance_too(guesses, clock):
    assert sum(heard(guesses, f"192.0.2.{number}", 2) for number in range(200)) == 100
    clock.now += 60.0
    assert sum(heard(guesses, f"198.51.100.{number}", 2) for number in range(200)) == 20


def test_whoever_got_in_is_not_shut_out_by_others(guesses, clock):
    guesses.right("203.0.113.5")
    for number in range(200):
        heard(guesses, f"192.0.2.{number}", 1)
    assert guesses.wait_s("203.0.113.6") > 0.0
    assert guesses.wait_s("203.0.113.5") == 0.0
    assert heard(guesses, "203.0.113.5", 50) == 10
    clock.now += 2 * 86_400.0
    for number in range(200):
        heard(guesses, f"192.0.2.{number}", 1, start=9)
    assert guesses.wait_s("203.0.113.5") > 0.0


def test_the_same_guess_again_is_no_further_one(guesses):
    assert guesses.wrong("192.0.2.1", "an earlier password")
    assert not any(guesses.wrong("192.0.2.1", "an earlier password") for _ in range(99))
    assert heard(guesses, "192.0.2.1", 50) == 9


def test_one_half_of_an_ipv6_address_is_one_place(guesses):
    assert sum(heard(guesses, f"2001:db8::{number:x}", 1) for number in range(50)) == 10
    assert heard(guesses, "2001:db8:0:1::1", 1) == 1
    assert sum(heard(guesses, address, 6) for address in ("::ffff:192.0.2.1", "192.0.2.1")) == 10


def test_what_is_remembered_is_bounded(guesses, monkeypatch):
    monkeypatch.setattr(module, "_MOST_ADDRESSES", 50)
    for number in range(500):
        guesses.wrong(f"address {number}", "x")
        guesses.right(f"address {number}")
    assert len(guesses._by_address) == len(guesses._trusted) == 50
    for number in range(500):
        guesses.wrong("one", str(number))
    assert len(guesses._by_address["one"].seen) <= 10


def test_no_guess_is_kept_as_it_was(guesses):
    guesses.wrong("192.0.2.1", "my password, mistyped")
    assert "mistyped" not in repr(vars(guesses))


def test_a_clock_that_stands_still_opens_nothing(guesses):
    assert heard(guesses, "192.0.2.1", 50) == 10
    assert all(guesses.wait_s("192.0.2.1") > 0.0 for _ in range(1000))
