"""The prediction-powered (difference) estimator: accuracy from a random sample and confidences elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.calibration import Z95, exact_interval, score_interval
from model.records import Floats
from model.signals.estimate import Estimate

_CAUTION = 20.0  # as if so many items had shown that confidences explain nothing
_TRUST = 20.0  # as if so many items had shown that confidences mean what they say
_WORTH = (0.5, 3.0)  # an audit label is never taken for more or less than this many

Mask = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """What a head got right, on items it had not learned from, and how sure somebody was that it would.

    That is the head itself, or a better one. right and sure (m,) belong to blind items: a random sample of
    the part of the pool that no strategy had asked, which holds `share` of all `items`, and in which the
    mean confidence is `rest`. In the other part, where every answer is known, `known` are right.
    """

    right: Numbers
    sure: Numbers
    rest: float
    known: float
    share: float
    items: int

    @classmethod
    def from_pool(
        cls,
        correct: Mask,
        confidence: Numbers,
        *,
        blind: Mask,
        unlabelled_confidence: Floats,
        items: int | None = None,
        position: NDArray[np.intp] | None = None,
    ) -> Sample:
        """The sample of labelled rows (n,) and confidences (u,) in the rest of the pool.

        `items` is the size of the pool if these confidences are but a random part of those. A blind item
        was drawn from all that the strategy had not asked until then, hard items among them that it asked
        later: with `position` (n,), how many labels there were before each, the blind item stands for
        these, too. Without it, all of the strategy's labels count as earlier than all blind ones.
        """
        items = len(correct) + len(unlabelled_confidence) if items is None else items
        unlabelled = items - len(correct)
        belief = float(confidence.sum(dtype=np.float64))
        if unlabelled:
            belief += unlabelled * float(unlabelled_confidence.mean(dtype=np.float64))
        order = np.lexsort((blind,) if position is None else (blind, position))
        asked = ~blind[order]
        # What the strategy had asked before each blind item: how many, how many right, how sure.
        before = np.cumsum(asked)[~asked].astype(np.float64)
        right_before = np.cumsum(np.where(asked, correct[order], 0.0))[~asked]
        sure_before = np.cumsum(np.where(asked, confidence[order], 0.0))[~asked]
        sizes = items - before
        return cls(
            right=correct[order][~asked].astype(np.float64),
            sure=confidence[order][~asked].astype(np.float64),
            rest=float((belief - sure_before).sum() / sizes.sum()),
            known=float(right_before.sum() / max(before.sum(), 1.0)),
            share=float(sizes.mean() / items),
            items=items,
        )


def estimate_accuracy(sample: Sample) -> Estimate:
    """The difference estimator (Särndal et al., 1992) in a stratified pool: prediction-powered inference.

    After Angelopoulos et al., 2023. What the strategy asked stands for itself. Blind items stand for the
    rest: the mean confidence there, corrected by how far confidence is from right answers on them. The range
    is Wilson's, for as many draws as the correction leaves uncertainty, and wider by what a pool of this size
    can differ from where it came from.
    """
    found = estimate_share(sample)
    return _in_the_pool(sample, found.value, found.low, found.high)


def estimate_share(sample: Sample, weights: Numbers | None = None) -> Estimate:
    """The same for the part alone that no strategy had asked, as if it were without end.

    `weights` (m,), above 0, say how many items each blind one stands for; they are worth as many draws as
    Kish's (1965) effective size says. Without them all stand for as many.
    """
    right, sure = sample.right, sample.sure
    drawn = np.ones(len(right)) if weights is None else weights
    drawn = drawn / drawn.sum()
    trust = power_tuning(right, sure, drawn)
    is_right, is_sure = float(drawn @ right), float(drawn @ sure)
    value = float(np.clip(is_right + trust * (sample.rest - is_sure), 0.0, 1.0))
    leftover = right - is_right - trust * (sure - is_sure)
    return Estimate(value, *score_interval(value, _worth(right, leftover, drawn) / float(drawn @ drawn)))


def estimate_exactly(sample: Sample) -> Estimate:
    """The share that is right of blind items alone, with Clopper and Pearson's range, in a stratified pool.

    Confidences say nothing here: with a few blind items nobody knows yet what these are worth.
    """
    right, rows = int(sample.right.sum()), len(sample.right)
    low, high = exact_interval(right, rows)
    return _in_the_pool(sample, right / rows, low, high)


def _in_the_pool(sample: Sample, value: float, low: float, high: float) -> Estimate:
    """What was said of the part that no strategy had asked, together with the other part."""
    whole = min((1.0 - sample.share) * sample.known + sample.share * value, 1.0)
    beyond = Z95 * Z95 * whole * (1.0 - whole) / sample.items
    below = math.sqrt((sample.share * (value - low)) ** 2 + beyond)
    above = math.sqrt((sample.share * (high - value)) ** 2 + beyond)
    return Estimate(whole, max(0.0, whole - below), min(1.0, whole + above))


def power_tuning(right: Numbers, sure: Numbers, drawn: Numbers | None = None) -> float:
    """How far to trust confidences, 0 to 1: the slope of right answers on them, drawn towards 1.

    Power tuning (Angelopoulos, Duchi and Zrnic, 2023, PPI++). `drawn` (m,), summing to 1, weighs the rows.
    """
    drawn = np.full(len(right), 1.0 / len(right)) if drawn is None else drawn
    away = sure - drawn @ sure
    spread = float(drawn @ away**2)
    if spread <= 0.0:
        return 0.0
    together = float((drawn * (right - drawn @ right)) @ away)
    rows = 1.0 / float(drawn @ drawn)
    return float(np.clip((rows * together + _TRUST * spread) / ((rows + _TRUST) * spread), 0.0, 1.0))


def _worth(right: Numbers, leftover: Numbers, drawn: Numbers) -> float:
    """Spread of right answers over the spread that confidences leave unexplained, drawn towards 1."""
    rows, mean = 1.0 / float(drawn @ drawn), float(drawn @ right)
    share_right = (rows * mean + 2.0) / (rows + 4.0)
    caution = _CAUTION * share_right * (1.0 - share_right)
    ratio = (rows * mean * (1.0 - mean) + caution) / (rows * float(drawn @ leftover**2) + caution)
    return float(np.clip(ratio, *_WORTH))
