"""The four questions of an admin, answered in words with intervals, or with "too early to say"."""

from __future__ import annotations

from collections.abc import Callable

from backend.json_types import Json
from backend.workflows.views.fields import count, number, part, rows, text
from backend.workflows.views.wording import ADVICE, AUDIT_NEEDED, percent, share_with_interval
from model.signals.estimate import points

_FOR_STOPPING: dict[object, str] = {True: "yes", False: "no"}
# How the number of a signal is written, where it is no plain one.
_WRITTEN: dict[str, Callable[[float], str]] = {
    "gain below the price": lambda gain: f"{points(gain)} points",
    "little left unexplained": percent,
}


def answer_questions(signals: Json, metrics: Json) -> list[Json]:
    """The first three answers: words, and an interval to draw where there is one.

    `interval`: low, estimate and high, all shares (`kind` "share") or differences of shares (`kind` "gain").
    `metrics` are those of the version in use; accuracy is taken from there while no loop has signals.
    """
    accuracy = _accuracy(signals, metrics)
    return [
        accuracy,
        _gain("advantage", "Is it better than labeling at random?", part(signals, "advantage"), accuracy),
        _gain("forecast", "What would the next 100 labels buy?", part(signals, "forecast"), accuracy),
    ]


def advise(signals: Json, accuracy: Json) -> Json:
    """The fourth answer: when to stop, each signal with its number, and what would change it."""
    advice = part(signals, "advice")
    return {
        "question": "When can we stop?",
        "kind": text(advice, "advice") or None,
        "title": ADVICE.get(text(advice, "advice"), ""),
        "words": text(advice, "words") or accuracy["early_words"],
        "is_early": not text(advice, "words"),
        "would_change": text(advice, "would_change"),
        "signals": [
            {
                "name": _readable(text(row, "name")),
                "value": _value(row),
                "for_stopping": _FOR_STOPPING.get(row.get("reached"), "not known yet"),
                "words": text(row, "words"),
            }
            for row in rows(advice, "signals")
        ],
    }


def _accuracy(signals: Json, metrics: Json) -> Json:
    found = part(signals, "accuracy") or {
        "n": metrics.get("audit_labels"),
        "estimate": metrics.get("audit_accuracy"),
        "low": metrics.get("audit_low"),
        "high": metrics.get("audit_high"),
    }
    labels, needed = count(found, "n"), count(found, "needed") or AUDIT_NEEDED
    estimate, low, high = (number(found, name) for name in ("estimate", "low", "high"))
    early = f"Too early to say: {labels} of {needed} audit labels."
    is_early = labels < needed or estimate is None
    words = text(found, "words")
    if estimate is not None and not is_early and not words:
        words = f"{share_with_interval(estimate, low, high)} on {labels} audit labels"
    macro = number(signals, "macro_f1")
    return {
        "key": "accuracy",
        "question": "How good is it really?",
        "words": words or early,
        "early_words": early,
        "is_early": is_early,
        "interval": None if is_early else _interval("share", low, estimate, high),
        "notes": [f"Macro-F1 {macro:.2f}: every class weighs the same."] if macro is not None else [],
    }


def _gain(key: str, question: str, found: Json, accuracy: Json) -> Json:
    """A gain in words that hold its interval, and the interval to draw."""
    words = text(found, "words")
    low, high = number(found, "low"), number(found, "high")
    is_early = low is None or high is None
    middle = number(found, "value" if key == "advantage" else "gain")
    if middle is None and low is not None and high is not None:
        middle = (low + high) / 2
    return {
        "key": key,
        "question": question,
        "words": words or accuracy["early_words"],
        "is_early": not words or is_early,
        "interval": _interval("gain", low, middle, high) if words else None,
        "notes": _random_now(part(found, "random_now")),
    }


def _random_now(found: Json) -> list[str]:
    value, low, high = (number(found, name) for name in ("value", "low", "high"))
    if value is None:
        return []
    words = share_with_interval(value, low, high)
    return [f"As many labels at random as there are now would have given {words}, by extrapolation."]


def _interval(kind: str, low: float | None, middle: float | None, high: float | None) -> Json | None:
    if low is None or middle is None or high is None:
        return None
    return {"kind": kind, "low": low, "estimate": middle, "high": high}


def _value(row: Json) -> str:
    value = number(row, "value")
    if value is None:
        return text(row, "value") or "–"
    if text(row, "name") in _WRITTEN:
        return _WRITTEN[text(row, "name")](value)
    return f"{value:,.0f}" if value == int(value) and abs(value) >= 10 else f"{value:.3g}"


def _readable(name: str) -> str:
    return name.replace("_", " ").replace("-", " ").capitalize()
