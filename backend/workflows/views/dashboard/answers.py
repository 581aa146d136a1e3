"""The four questions of an admin, answered in words with intervals, or with "too early to say"."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from backend.json_types import Json
from backend.workflows.project.figures import (
    Accuracy,
    Advantage,
    AdviceSignal,
    GainForecast,
    HeadMetrics,
    Signals,
)
from backend.workflows.views.wording import ADVICE, AUDIT_NEEDED, percent, share_with_interval
from model.signals.estimate import points
from model.signals.stopping import SignalName

_FOR_STOPPING: dict[bool | None, str] = {True: "yes", False: "no", None: "not known yet"}
# How the number of a signal is written, where it is no plain one.
_WRITTEN: dict[SignalName, Callable[[float], str]] = {
    "gain below the price": lambda gain: f"{points(gain)} points",
    "little left unexplained": percent,
}


def answer_questions(signals: Signals, metrics: HeadMetrics) -> list[Json]:
    """The first three answers: words, and an interval to draw where there is one.

    `interval`: low, estimate and high, all shares (`kind` "share") or differences of shares (`kind` "gain").
    `metrics` are those of the version in use; accuracy is taken from there while no loop has signals.
    """
    accuracy = _accuracy(signals, metrics)
    return [accuracy, _advantage(signals.advantage, accuracy), _forecast(signals.forecast, accuracy)]


def advise(signals: Signals, accuracy: Json) -> Json:
    """The fourth answer: when to stop, each signal with its number, and what would change it."""
    found = signals.advice
    return {
        "question": "When can we stop?",
        "kind": found.advice if found else None,
        "title": ADVICE[found.advice] if found else "",
        "words": found.words if found else accuracy["early_words"],
        "is_early": found is None,
        "would_change": found.would_change if found else "",
        "signals": [_signal(row) for row in found.signals] if found else [],
    }


def _accuracy(signals: Signals, metrics: HeadMetrics) -> Json:
    found = signals.accuracy or _accuracy_of_version(metrics)
    early = f"Too early to say: {found.n} of {found.needed} audit labels."
    is_early = found.n < found.needed or found.estimate is None
    macro = signals.macro_f1
    return {
        "key": "accuracy",
        "question": "How good is it really?",
        "words": found.words or early,
        "early_words": early,
        "is_early": is_early,
        "interval": None if is_early else _interval("share", found.low, found.estimate, found.high),
        "notes": [f"Macro-F1 {macro:.2f}: every class weighs the same."] if macro is not None else [],
    }


def _accuracy_of_version(metrics: HeadMetrics) -> Accuracy:
    labels, estimate = int(metrics.audit_labels or 0), metrics.audit_accuracy
    words = ""
    if estimate is not None and labels >= AUDIT_NEEDED:
        share = share_with_interval(estimate, metrics.audit_low, metrics.audit_high)
        words = f"{share} on {labels} audit labels"
    return Accuracy(
        words=words,
        estimate=estimate,
        low=metrics.audit_low,
        high=metrics.audit_high,
        n=labels,
        needed=AUDIT_NEEDED,
    )


def _advantage(found: Advantage | None, accuracy: Json) -> Json:
    interval = _interval("gain", found.low, found.value, found.high) if found else None
    notes = []
    if found and (now := found.random_now):
        share = share_with_interval(now.value, now.low, now.high)
        notes = [f"As many labels at random as there are now would have given {share}, by extrapolation."]
    question = "Is it better than labeling at random?"
    return _gain("advantage", question, found, interval, accuracy=accuracy, notes=notes)


def _forecast(found: GainForecast | None, accuracy: Json) -> Json:
    interval = _interval("gain", found.low, found.gain, found.high) if found else None
    return _gain("forecast", "What would the next 100 labels buy?", found, interval, accuracy=accuracy)


def _gain(
    key: str,
    question: str,
    found: Advantage | GainForecast | None,
    interval: Json | None,
    *,
    accuracy: Json,
    notes: Sequence[str] = (),
) -> Json:
    """A gain in words that hold its interval, and the interval to draw."""
    return {
        "key": key,
        "question": question,
        "words": found.words if found else accuracy["early_words"],
        "is_early": interval is None,
        "interval": interval,
        "notes": list(notes),
    }


def _interval(kind: str, low: float | None, middle: float | None, high: float | None) -> Json | None:
    if low is None or middle is None or high is None:
        return None
    return {"kind": kind, "low": low, "estimate": middle, "high": high}


def _signal(row: AdviceSignal) -> Json:
    return {
        "name": row.name.replace("_", " ").replace("-", " ").capitalize(),
        "value": "–" if row.value is None else _WRITTEN.get(row.name, _plain)(row.value),
        "for_stopping": _FOR_STOPPING[row.reached],
        "words": row.words,
    }


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) >= 10 else f"{value:.3g}"
