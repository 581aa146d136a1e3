"""Whether the order pays, and when to stop: in words with intervals, and with what they rest on."""

from __future__ import annotations

from collections.abc import Callable

from backend.json_types import Json
from backend.workflows.project.figures import AdviceSignal, Signals
from backend.workflows.views.wording import ADVICE, percent, share_with_interval
from model.signals.estimate import points
from model.signals.stopping import SignalName

_FOR_STOPPING: dict[bool | None, str] = {True: "yes", False: "no", None: "not known yet"}
# How the number of a signal is written, where it is no plain one.
_WRITTEN: dict[SignalName, Callable[[float], str]] = {
    "gain below the price": lambda gain: f"{points(gain)} points",
    "little left unexplained": percent,
}


def weigh_order(signals: Signals) -> Json | None:
    """Whether this order is better than a random one; None while there is nothing to compare.

    `interval`: low, estimate and high, differences of shares.
    """
    found = signals.advantage
    if found is None or found.value is None or found.low is None or found.high is None:
        return None
    now = found.random_now
    share = share_with_interval(now.value, now.low, now.high) if now else ""
    return {
        "words": found.words,
        "interval": {"kind": "gain", "low": found.low, "estimate": found.value, "high": found.high},
        "notes": [f"As many answers in random order would have given {share}, by extrapolation."]
        if share
        else [],
    }


def advise(signals: Signals) -> Json | None:
    """When to stop: the advice, each signal with its number, and what would change it."""
    found = signals.advice
    if found is None:
        return None
    return {
        "kind": found.advice,
        "title": ADVICE[found.advice],
        "words": found.words,
        "would_change": found.would_change,
        "signals": [_signal(row) for row in found.signals],
    }


def _signal(row: AdviceSignal) -> Json:
    return {
        "name": row.name.replace("_", " ").replace("-", " ").capitalize(),
        "value": "–" if row.value is None else _WRITTEN.get(row.name, _plain)(row.value),
        "for_stopping": _FOR_STOPPING[row.reached],
        "words": row.words,
    }


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) >= 10 else f"{value:.3g}"
