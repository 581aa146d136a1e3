"""What several threads want encoded at the same time is encoded together, in turns that are fair."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import numpy as np

from backend.compute_turns import waiting
from backend.errors import NextlabelError, TooBusy
from model.encoders import Progress
from model.records import Floats

T = TypeVar("T")


class _Asked(Generic[T]):
    """What one thread waits for, and how far it has come."""

    def __init__(
        self, items: Sequence[T], sizes: Sequence[int], dimensions: int, progress: Progress | None
    ) -> None:
        self.items = items
        self._ends = np.concatenate([[0], np.cumsum(sizes)])  # the size of all items before each
        self.vectors = np.zeros((len(items), dimensions), dtype=np.float32)
        self.finished = 0
        self.error: BaseException | None = None
        self.called = threading.Event()
        self._progress = progress

    @property
    def left(self) -> int:
        """The size of what is not encoded yet."""
        return int(self._ends[-1] - self._ends[self.finished])

    @property
    def is_over(self) -> bool:
        return self.finished == len(self.items) or self.error is not None

    def following(self, size: int) -> Sequence[T]:
        """The next items of this size together, one at least."""
        end = int(np.searchsorted(self._ends, self._ends[self.finished] + size, side="right")) - 1
        return self.items[self.finished : max(end, self.finished + 1)]

    def take(self, vectors: Floats) -> None:
        self.vectors[self.finished : self.finished + len(vectors)] = vectors
        self.finished += len(vectors)
        if self._progress is not None:
            self._progress(len(vectors))


class Together(Generic[T]):
    """Encodes for many threads by rounds: each of those who wait has some of its items in the next round.

    The first who waits encodes for all, so that there is no thread whose end somebody must notice. A round
    that fails is tried again for each alone: what one sent is no fault of the others.
    """

    def __init__(
        self,
        encode: Callable[[Sequence[T]], Floats],
        *,
        size: Callable[[T], int],
        dimensions: int,
        at_once: int,
        most_waiting: int,
    ) -> None:
        """`encode` gives vectors (n, d) of items whose sizes (1 or more) come to `at_once`.

        Where one item is larger, or so many wait that one of each is more, it gets these all the same.
        """
        self._encode, self._size = encode, size
        self._dimensions = dimensions
        self._at_once, self._most_waiting = at_once, most_waiting
        self._guard = threading.Lock()
        self._is_led = False
        self._waiting: list[_Asked[T]] = []

    def encode(self, items: Sequence[T], progress: Progress | None = None) -> Floats:
        """Vectors (n, d) in the order of the items. Raises TooBusy, and whatever encoding them raises.

        `progress` is called by any thread, with the number of items just finished.
        """
        mine = _Asked(items, [self._size(item) for item in items], self._dimensions, progress)
        if mine.is_over:
            return mine.vectors
        must_wait = self._join(mine)
        with waiting():
            if must_wait:
                mine.called.wait()
            if not mine.is_over:
                self._lead(mine)
        if mine.error is not None:
            raise mine.error
        return mine.vectors

    def _join(self, mine: _Asked[T]) -> bool:
        """Lines up; whether somebody else encodes for all now."""
        with self._guard:
            if len(self._waiting) >= self._most_waiting:
                raise TooBusy(
                    f"{len(self._waiting)} requests wait for the encoder.", hint="Ask again in some seconds."
                )
            self._waiting.append(mine)
            must_wait, self._is_led = self._is_led, True
            return must_wait

    def _lead(self, mine: _Asked[T]) -> None:
        """Encodes for all until its own are finished, and calls the next who does."""
        try:
            while not mine.is_over:
                self._encode_round()
        finally:
            with self._guard:
                self._waiting = [one for one in self._waiting if one is not mine]
                following = self._waiting[:1]
                self._is_led = bool(following)
            for one in following:
                one.called.set()

    def _encode_round(self) -> None:
        with self._guard:
            shares = _shares([one.left for one in self._waiting], self._at_once)
            chosen = [(one, one.following(n)) for one, n in zip(self._waiting, shares, strict=True) if n]
        try:
            self._encode_chosen(chosen)
        except BaseException as error:  # whatever it was: nobody is to wait for ever
            for one, _ in chosen:
                one.error = error
            raise
        finally:
            with self._guard:
                over = [one for one in self._waiting if one.is_over]
                self._waiting = [one for one in self._waiting if not one.is_over]
            for one in over:
                one.called.set()

    def _encode_chosen(self, chosen: Sequence[tuple[_Asked[T], Sequence[T]]]) -> None:
        try:
            found = self._encode([item for _, items in chosen for item in items])
        except NextlabelError as error:
            if len(chosen) == 1:
                chosen[0][0].error = error
                return
            for one in chosen:
                self._encode_chosen([one])
            return
        start = 0
        for asked, items in chosen:
            asked.take(found[start : start + len(items)])
            start += len(items)


def _shares(left: Sequence[int], at_once: int) -> list[int]:
    """How much of what each waits for goes into a round: as even as can be, of those who came first."""
    first = left[:at_once]
    shares, room = [0] * len(left), at_once
    for served, place in enumerate(sorted(range(len(first)), key=first.__getitem__)):
        shares[place] = min(first[place], room // (len(first) - served))
        room -= shares[place]
    return shares
