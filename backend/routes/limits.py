"""How many requests of a kind may be in flight: past that the answer is a quick 503, not a queue.

Threads are there for more (see server.py), so that webhooks and /health, which nothing here holds up, always
find one. Label Studio takes a 503 to /predict as no prediction, and asks again when the task is next opened.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from flask import Flask, Response, g, request

from backend.compute_turns import take_part
from backend.errors import TooBusy

# Seconds after which one may ask again; as long as a few predictions take.
_RETRY_AFTER_S = 2
# What waits for its turn is let go before Label Studio hangs up, after 100 s.
_LONGEST_WAIT_S = 20.0


@dataclass(slots=True)
class Places:
    """Room for `total` requests in flight, of which `at_work` are worked on and the others wait.

    One that waits for the encoder's process is not worked on here.
    """

    total: int
    at_work: int
    _free: threading.BoundedSemaphore = field(init=False)
    _turns: threading.BoundedSemaphore = field(init=False)

    def __post_init__(self) -> None:
        self._free = threading.BoundedSemaphore(self.total)
        self._turns = threading.BoundedSemaphore(self.at_work)

    def enter(self) -> None:
        """Waits for a turn. Raises TooBusy: at once where all places are taken, else when no turn comes."""
        if not self._free.acquire(blocking=False):
            raise _too_busy(f"{self.total} requests of this kind are being answered.")
        if not self._turns.acquire(timeout=_LONGEST_WAIT_S):
            self._free.release()
            raise _too_busy(f"No turn came within {_LONGEST_WAIT_S:.0f} seconds.")
        take_part(self._turns)

    def leave(self) -> None:
        """Gives the place to the next."""
        take_part(None)
        self._turns.release()
        self._free.release()


def limit_requests(app: Flask) -> None:
    """Bounds predictions and pages, each for themselves."""
    # Threads that compute take turns of 5 ms at Python's lock: with few of them /health need not wait long.
    # Who waits for the encoder's process computes nothing, and gives its turn away (`compute_turns`).
    predictions = Places(total=40, at_work=3)
    pages = Places(total=8, at_work=4)
    bounded = {"protocol.predict": predictions}
    by_blueprint = {"dashboard": pages, "map": pages}

    @app.before_request
    def enter() -> None:
        places = bounded.get(request.endpoint or "") or by_blueprint.get(request.blueprint or "")
        if places is not None:
            places.enter()
            g.places = places

    @app.teardown_request
    def leave(_error: BaseException | None) -> None:
        places: Places | None = g.pop("places", None)
        if places is not None:
            places.leave()

    @app.after_request
    def tell_when(response: Response) -> Response:
        if response.status_code == 503:
            response.headers.setdefault("Retry-After", str(_RETRY_AFTER_S))
        return response


def _too_busy(what: str) -> TooBusy:
    return TooBusy(what, hint=f"Ask again in {_RETRY_AFTER_S} seconds, or start another web process.")
