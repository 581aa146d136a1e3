"""Which scores to add up, decided without a novel label: known classes play the novel ones in turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.records import Floats

Mask = NDArray[np.bool_]

TRUST = 30.0  # a score whose AUROC is a point lower weighs 26 % less
SLACK = 0.01  # what a sum may lose: it serves novel items unlike any class better than one score does
LEAST_WEIGHT = 0.05  # beside the best score's 1; below this a score is left out
IN_COMPANY, MOST_IN_COMPANY = "density-ratio", 0.25  # sees what is novel only where there is much of it


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One turn: scores by name of the items that played, and which of them played novel ones (n,)."""

    scores: dict[str, Floats]
    novel: Mask


def auroc(scores: Floats, novel: Mask) -> float:
    """How often a novel item scores above a known one, ties counting half; 0.5 when one kind is missing."""
    ordered = np.sort(scores[~novel])
    if not len(ordered) or not novel.any():
        return 0.5
    below = np.searchsorted(ordered, scores[novel], side="left")
    not_above = np.searchsorted(ordered, scores[novel], side="right")
    return float((below + not_above).mean() / (2 * len(ordered)))


def choose_weights(trials: list[Trial]) -> dict[str, float]:
    """The weight of each score in the sum, in all 1.

    Scores weigh exp(30 · AUROC), the mean over trials: those that tell known classes apart from others as
    well as the best count alike, those that fall far behind not at all. If the sum is clearly worse than the
    best single score, that one stands alone. The density ratio is apart: where it is no worse than the best
    of the others it gets a quarter and no more. Only whole classes play, and these it tells best, but it
    hardly sees what is new and like nothing else.
    """
    alone = {name: _mean_auroc(trials, {name: 1.0}) for name in trials[0].scores}
    company = alone.pop(IN_COMPANY, 0.0)
    best = max(alone, key=lambda name: alone[name])
    weights = _share_out({name: value - alone[best] for name, value in alone.items()})
    if _mean_auroc(trials, weights) < alone[best] - SLACK:
        weights = {best: 1.0}
    trust = float(np.exp(TRUST * min(company - alone[best], 0.0)))
    if trust < LEAST_WEIGHT:
        return weights
    share = MOST_IN_COMPANY * trust
    return {name: (1.0 - share) * weight for name, weight in weights.items()} | {IN_COMPANY: share}


def _share_out(behind: dict[str, float]) -> dict[str, float]:
    """Weights, in all 1, of scores that are so far `behind` the best (at most 0)."""
    raw = {name: float(np.exp(TRUST * value)) for name, value in behind.items()}
    kept = {name: weight for name, weight in raw.items() if weight >= LEAST_WEIGHT}
    return {name: weight / sum(kept.values()) for name, weight in kept.items()}


def add_up(scores: dict[str, Floats], weights: dict[str, float]) -> Floats:
    """The weighted sum (n,) of scores that share one scale."""
    total = sum(np.float32(weight) * scores[name] for name, weight in weights.items())
    return np.asarray(total, dtype=np.float32)


def _mean_auroc(trials: list[Trial], weights: dict[str, float]) -> float:
    return float(np.mean([auroc(add_up(trial.scores, weights), trial.novel) for trial in trials]))
