"""Whether more labels of this pool are worth their price: four signals with numbers, and an advice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from model.audit import audit_hash
from model.margin import margins
from model.records import Floats, Ids, LabelSpace
from model.signals.agreement import cohen_kappa
from model.signals.estimate import percent, points, points_range
from model.signals.forecast import Forecast

Advice = Literal["keep-labeling", "label-novel-lane", "collect-data", "stop"]
SignalName = Literal["stable predictions", "gain below the price", "little left unexplained", "no new class"]

STOP_SET = 2000
STABLE_KAPPA = 0.99
STABLE_VERSIONS = 3
FEW_UNEXPLAINED = 0.02
NOVELTY_LABELS = 100
RECENT = 100
FEW_OF_A_CLASS = 10
DEFAULT_PRICE = 0.005
_STOP_SET_SEED = 0x5709

Mask = NDArray[np.bool_]
Columns = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Signal:
    """One reason to stop: its number, the bar, and whether it is reached; None where nothing is known."""

    name: SignalName
    value: float | None
    bar: float
    reached: bool | None
    words: str


@dataclass(frozen=True, slots=True)
class StopAdvice:
    """What to do next and what would change it. Nothing is ever stopped by it."""

    advice: Advice
    signals: tuple[Signal, ...]
    words: str
    would_change: str


def advise(
    *,
    kappas: Sequence[float],
    forecast: Forecast,
    price: float = DEFAULT_PRICE,
    unexplained: float | None = None,
    novelty_labels: int = 0,
    new_classes: int = 0,
    starved_classes: Sequence[str] = (),
) -> StopAdvice:
    """The advice of today.

    kappas: agreement of consecutive versions on the stop set, the last one last (`agreement_of_versions`);
    price: the gain in accuracy that a hundred labels must bring, 0.005 = half a point; unexplained: see
    `unexplained_mass`; new_classes were found among the last novelty_labels of the novelty lane.

    Labels are no longer worth it when the forecast is below the price and its upper bound below twice the
    price; without a forecast, when predictions have been stable (Bloodgood and Vijay-Shanker, 2009).
    Raises ValueError on a price that is not above 0 or a number that is not finite.
    """
    numbers = [*kappas, *([] if unexplained is None else [unexplained])]
    if not np.isfinite(numbers).all():
        raise ValueError("advise: a kappa or the unexplained share is not finite")
    if not 0.0 < price < np.inf:
        raise ValueError(f"advise: price is {price}; it must be above 0")
    stable = _stable_signal(kappas)
    cheap = _price_signal(forecast, price)
    novelty = _novelty_signal(novelty_labels, new_classes)
    signals = (stable, cheap, _unexplained_signal(unexplained), novelty)
    enough = stable.reached is True if cheap.reached is None else cheap.reached
    if not enough:
        advice: Advice = "keep-labeling"
    elif new_classes:
        advice = "label-novel-lane"
    elif starved_classes:
        advice = "collect-data"
    else:
        advice = "stop"
    words, change = _say(advice, cheap, price, new_classes, starved_classes)
    return StopAdvice(advice, signals, words, change)


def pick_stop_set(ids: Ids, seed: int) -> Ids:
    """At most 2,000 ids of a pool on which versions are compared: nearly the same after the pool grows."""
    order = np.lexsort((ids, audit_hash(ids, seed ^ _STOP_SET_SEED)))
    return np.sort(ids[order[:STOP_SET]])


def agreement_of_versions(
    before_ids: Ids, before_classes: Columns, now_ids: Ids, now_classes: Columns
) -> float | None:
    """Cohen's kappa of two versions on the items (ids unique) that both predicted; None if there are none.

    1 when both say the same of everything, even if that is a single class.
    """
    _, before_rows, now_rows = np.intersect1d(before_ids, now_ids, return_indices=True)
    if not len(before_rows):
        return None
    before, now = before_classes[before_rows], now_classes[now_rows]
    same = float((before == now).mean())
    classes = int(max(before.max(), now.max())) + 1
    shares = [np.bincount(one, minlength=classes) / len(before) for one in (before, now)]
    kappa = cohen_kappa(same, float(shares[0] @ shares[1]))
    return 1.0 if kappa is None else kappa


def unexplained_mass(unlabelled: Floats, recent: Floats, recent_correct: Mask) -> float | None:
    """Share of the pool that is less sure than what the model already gets right at the border.

    unlabelled (u, c): beliefs of the deployed head; recent (r, c): out-of-fold beliefs of the labels given
    last (about a hundred) and whether they are right (r,). The bar is their median margin where right.
    """
    if not len(unlabelled) or not recent_correct.any() or recent.shape[1] < 2:
        return None
    bar = float(np.median(margins(recent[recent_correct])))
    return float((margins(unlabelled) < bar).mean())


def find_starved_classes(label_counts: Columns, expected_left: Floats, space: LabelSpace) -> tuple[str, ...]:
    """Classes with fewer than ten labels of which the pool holds fewer than ten more: it has run out of them.

    expected_left (c,) is the sum of the deployed head's beliefs over the items without a label.
    """
    starved = (label_counts < FEW_OF_A_CLASS) & (expected_left < FEW_OF_A_CLASS)
    return tuple(space.names[column] for column in np.flatnonzero(starved))


def _stable_signal(kappas: Sequence[float]) -> Signal:
    name: SignalName = "stable predictions"
    if len(kappas) < STABLE_VERSIONS:
        words = f"Stability is known after {STABLE_VERSIONS + 1} versions."
        return Signal(name, None, STABLE_KAPPA, None, words)
    value = round(float(np.mean(kappas[-STABLE_VERSIONS:])), 6)
    words = f"The last versions agree with kappa {value:.3f}; {STABLE_KAPPA} counts as stable."
    return Signal(name, value, STABLE_KAPPA, value >= STABLE_KAPPA, words)


def _price_signal(forecast: Forecast, price: float) -> Signal:
    name: SignalName = "gain below the price"
    bar = price * forecast.more / 100.0
    if forecast.gain is None:
        return Signal(name, None, bar, None, forecast.words)
    reached = forecast.gain.value < bar and forecast.gain.high < 2.0 * bar
    words = (
        f"The next {forecast.more} labels should bring {points_range(forecast.gain)}; "
        f"they are worth it from {points(bar)} on."
    )
    return Signal(name, forecast.gain.value, bar, reached, words)


def _unexplained_signal(unexplained: float | None) -> Signal:
    name: SignalName = "little left unexplained"
    if unexplained is None:
        return Signal(name, None, FEW_UNEXPLAINED, None, "What the pool leaves unexplained is not known yet.")
    words = f"{percent(unexplained)} of the pool is less clear than what the model just learned."
    return Signal(name, unexplained, FEW_UNEXPLAINED, unexplained < FEW_UNEXPLAINED, words)


def _novelty_signal(labels: int, new_classes: int) -> Signal:
    name: SignalName = "no new class"
    if not new_classes and labels < NOVELTY_LABELS:
        words = f"No new class in {labels} labels of the novelty lane; {NOVELTY_LABELS} are needed to say so."
        return Signal(name, 0.0, 1.0, None, words)
    words = f"{new_classes} new classes in the last {labels} labels of the novelty lane."
    return Signal(name, float(new_classes), 1.0, new_classes == 0, words)


def _say(
    advice: Advice, cheap: Signal, price: float, new_classes: int, starved_classes: Sequence[str]
) -> tuple[str, str]:
    """The advice in words, and what would change it."""
    if advice == "keep-labeling":
        enough = f"A forecast by which a hundred labels surely bring less than {100.0 * price:.2g} points."
        return f"Keep labeling: {_first_low(cheap.words)}", enough
    if advice == "label-novel-lane":
        words = f"Label the new-class lane: others bring too little, but it held {new_classes} new classes."
        return words, "No new class among the next labels of that lane."
    if advice == "collect-data":
        named = ", ".join(starved_classes)
        words = (
            f"Collect or create data for {named}: other labels bring too little, and the pool has hardly any "
            "of these left."
        )
        return words, "New items of these classes."
    return "Stop: more labels of this pool bring less than they cost.", (
        "New data, new classes, or a lower price of a label."
    )


def _first_low(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
