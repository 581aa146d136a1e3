"""How often somebody may give a wrong user name, password or secret."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

# From one address: ten at once, then two a minute. From all in all: a hundred, then twenty a minute.
_OF_ONE, _ONE_EVERY_S = 10, 30.0
_OF_ALL, _ALL_EVERY_S = 100, 3.0
# Addresses that are remembered; of more, those that were quiet for longest are forgotten.
_MOST_ADDRESSES = 10_000
# Who got in is not shut out by what others guess, for a day.
_TRUSTED_S = 86_400.0

T = TypeVar("T")


@dataclass(slots=True)
class _Allowance:
    """Wrong guesses that are left: as many at once, and one more after every so many seconds."""

    most: int
    every_s: float
    left: float
    at: float
    seen: set[bytes] = field(default_factory=set)

    def wait_s(self, now: float) -> float:
        """Seconds until a guess is left; 0 where one is."""
        self.left = min(float(self.most), self.left + (now - self.at) / self.every_s)
        self.at = now
        return max(0.0, (1.0 - self.left) * self.every_s)

    def take(self) -> None:
        """One guess less."""
        self.left -= 1.0


class WrongGuesses:
    """Counts them in the memory of this process, by address and in all.

    The same wrong guess again is no further one: a Label Studio that still has an earlier password shuts
    nobody out. Whoever got in from an address is only held to what was guessed from there.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` tells seconds that never go back."""
        self._clock = clock
        self._lock = threading.Lock()
        # so that the memory of the process holds no password, nor what could be compared with a list of some
        self._key = secrets.token_bytes(32)
        self._all = _Allowance(_OF_ALL, _ALL_EVERY_S, _OF_ALL, clock())
        self._by_address: OrderedDict[str, _Allowance] = OrderedDict()
        self._trusted: OrderedDict[str, float] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Seconds until a guess from an address is heard; 0 where one is heard now."""
        name, now = _network(address), self._clock()
        with self._lock:
            allowance = self._by_address.get(name)
            wait = 0.0 if allowance is None else allowance.wait_s(now)
            if now - self._trusted.get(name, -_TRUSTED_S) < _TRUSTED_S:
                return wait
            return max(wait, self._all.wait_s(now))

    def wrong(self, address: str, guess: str) -> bool:
        """Counts a wrong guess; returns whether it was a new one."""
        name, now = _network(address), self._clock()
        digest = hmac.digest(self._key, guess.encode(errors="surrogatepass"), hashlib.sha256)
        with self._lock:
            allowance = self._by_address.pop(name, None) or _Allowance(_OF_ONE, _ONE_EVERY_S, _OF_ONE, now)
            _remember(self._by_address, name, allowance)
            if digest in allowance.seen:
                return False
            if len(allowance.seen) >= _OF_ONE:
                allowance.seen.clear()
            allowance.seen.add(digest)
            for one in (allowance, self._all):
                one.wait_s(now)
                one.take()
            return True

    def right(self, address: str) -> None:
        """Remembers that somebody got in from an address."""
        name, now = _network(address), self._clock()
        with self._lock:
            self._trusted.pop(name, None)
            _remember(self._trusted, name, now)


def _remember(kept: OrderedDict[str, T], name: str, value: T) -> None:
    kept[name] = value
    if len(kept) > _MOST_ADDRESSES:
        kept.popitem(last=False)


def _network(address: str) -> str:
    """Of IPv6 the first half: whoever has one address there has all of the second half."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped:
            return str(found.ipv4_mapped)
        return str(ipaddress.IPv6Network((found, 64), strict=False))
    return address
