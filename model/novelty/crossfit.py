"""Scores of labelled items as if nobody had labelled them: they choose the score and set the threshold."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.neighbours import nearest_row
from model.novelty.folds import assign_groups, near_duplicate_clusters
from model.novelty.known_set import KnownSet, Queries, class_means
from model.novelty.neighbourhood import REFERENCE, find_neighbourhood, make_reference
from model.novelty.scores import SCORES
from model.novelty.selection import Trial, add_up, choose_weights
from model.records import Embeddings, Floats, Labels, ThresholdSource

Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]

AUDIT_FOLDS, FEWEST_FOLDS, MOST_FOLDS = 5, 10, 20
ROWS_TIMES_FOLDS = 12_000  # many folds for few labels: leaving out a tenth would thin their known set
TURNS = 5  # times that some classes play the novel ones; each class plays once
FEW_AUDIT = 30  # audit labels from which on they say where the scores of the pool lie
ENOUGH_AUDIT = 200  # from which on they calibrate alone: the rate is then off by 1.5 points (sd) at 5 %
MOST_JUDGED = 2000  # labelled items that are scored as if unlabelled; more would hardly move the threshold
LIKENESS = 0.05  # p-value below which the audited labels contradict the others
UNJUDGED = {"narrow-kernel": 1.0}  # the weights when no class can play the novel one
_CAUTION = 3.0  # labels a class that say the pool is as the labels are
_MOST_WEIGHT = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Scores (m,) of items of known classes, their weights (m,) if they differ, and where they came from."""

    scores: Floats
    weights: Floats | None
    source: ThresholdSource


class CrossFit:
    """Scores a pool, and labelled items by known sets that never saw them.

    A labelled item's fold is left out of the known set for it; then its neighbours in the pool are scored by
    that set as well, so that nothing tells it from an item of the pool.
    """

    def __init__(
        self,
        known: KnownSet,
        labelled: Embeddings,
        labels: Labels,
        pool: Embeddings,
        *,
        audit: Mask,
        rng: np.random.Generator,
    ) -> None:
        """Take a known set that begins with the labelled items (n, d); audit (n,) marks the random ones."""
        self._pool, self._classes, self._audit = pool, labels.classes, audit
        self._audit_alone = bool(audit.sum() >= ENOUGH_AUDIT)
        self._judged = _choose_judged(audit, rng)
        known = known.choose_landmarks(self._stand_for_pool(len(known)), rng)
        self._folds = AUDIT_FOLDS
        if not self._audit_alone:
            self._folds = min(max(ROWS_TIMES_FOLDS // len(labels), FEWEST_FOLDS), MOST_FOLDS)
        self._fold = _assign_folds(labelled, labels, audit, self._folds, rng)
        self._turn = _assign_turns(labels, rng)  # (c,)
        self._turns = int(self._turn.max()) + 1
        self._around = np.sort(rng.permutation(len(pool))[:REFERENCE])
        reference = make_reference(pool.take(self._around))
        judged = labelled.take(self._judged)
        self._near_judged = find_neighbourhood(judged, reference)
        self._near_pool = find_neighbourhood(pool, reference)
        self._known = replace(known, unlabelled=reference.items.vectors)
        queries = Queries(
            np.concatenate([judged.vectors, reference.items.vectors]),
            np.concatenate([self._judged, np.full(len(reference.items), -1)]),
            np.concatenate([np.full(len(judged), -1), np.arange(len(reference.items))]),
        )
        left_out = np.concatenate([self._without_fold(), self._without_turn()])
        self._held_out = {name: self._score(name, left_out, queries) for name in SCORES}
        unlabelled = slice(len(judged) if len(pool) else 0, None)
        self._scale = {
            name: max(float(found[:, unlabelled].std()), 1e-9) for name, found in self._held_out.items()
        }

    def choose_weights(self) -> dict[str, float]:
        """Weights of the scores in the sum, from known classes that play the novel ones in turn."""
        if self._turns < 2:
            return dict(UNJUDGED)
        turn, part = self._turn[self._classes[self._judged]], self._fold[self._judged] % self._turns
        trials = []
        for number in range(self._turns):
            novel = turn == number
            plays = novel | (part == number)
            scores = {name: self._judged_scores({name: 1.0}, self._folds + number)[plays] for name in SCORES}
            trials.append(Trial(scores, novel[plays]))
        return choose_weights(trials)

    def score_pool(self, weights: dict[str, float]) -> Floats:
        """Scores (n,) of the pool with every label known."""
        whole = np.zeros((1, len(self._known)), dtype=np.bool_)
        nowhere = np.full(len(self._pool), -1)
        among = nowhere.copy()
        among[self._around] = np.arange(len(self._around))
        queries = Queries(self._pool.vectors, nowhere, among)
        own = add_up(
            {name: self._score(name, whole, queries)[0] / self._scale[name] for name in weights},
            weights,
        )
        return self._near_pool.smooth(own, own[self._around])

    def calibrate(self, weights: dict[str, float], pool_scores: Floats) -> Calibration:
        """Held-out scores of the labels that set the threshold for scores (n,) of the pool.

        Audited labels are as the pool is. While they are few the others join them, moved to where the
        audited ones lie: a mean is known from few labels, a tail is not. With hardly any audited label all
        count, each as often as its like is met in the pool.
        """
        fold, held_out = self._fold[self._judged], np.empty(len(self._judged), dtype=np.float32)
        after = pool_scores[self._around]
        near = self._near_pool.take(self._around)
        for number in range(self._folds):
            mine = fold == number
            if mine.any():
                reference = self._sum(weights, number)[len(self._judged) :]
                before = near.smooth(reference, reference)
                held_out[mine] = translate(self._judged_scores(weights, number)[mine], before, after)
        audited = self._audit[self._judged]
        if self._audit_alone or audited.all():
            return Calibration(held_out[audited], None, "audit")
        if audited.sum() < FEW_AUDIT:
            return Calibration(held_out, self._class_shift(held_out, pool_scores), "cross-fit")
        return _join(held_out[audited], held_out[~audited])

    def _sum(self, weights: dict[str, float], variant: int) -> Floats:
        """The weighted sum of what one variant of the known set says of judged items and reference."""
        return add_up({name: self._held_out[name][variant] / self._scale[name] for name in weights}, weights)

    def _judged_scores(self, weights: dict[str, float], variant: int) -> Floats:
        values, count = self._sum(weights, variant), len(self._judged)
        return self._near_judged.smooth(values[:count], values[count:])

    def _score(self, name: str, left_out: Mask, queries: Queries) -> Floats:
        return SCORES[name](self._known, left_out, queries)

    def _stand_for_pool(self, rows: int) -> Mask:
        """The rows (n,) of the known set whose scores set the threshold."""
        found = np.zeros(rows, dtype=np.bool_)
        found[self._judged] = self._audit[self._judged] | (not self._audit_alone)
        return found

    def _without_fold(self) -> Mask:
        """One fold is left out of each; of labels that do not calibrate none has to be."""
        left_out = np.zeros((self._folds, len(self._known)), dtype=np.bool_)
        left_out[:, : len(self._fold)] = self._fold == np.arange(self._folds)[:, None]
        if self._audit_alone:
            left_out[:, : len(self._fold)] &= self._audit
        return left_out

    def _without_turn(self) -> Mask:
        """Classes that play the novel ones are left out, their names too, and some rows of the others."""
        known = np.flatnonzero(self._known.classes < len(self._turn))
        left_out = np.zeros((self._turns, len(self._known)), dtype=np.bool_)
        numbers = np.arange(self._turns)[:, None]
        left_out[:, known] = self._turn[self._known.classes[known]] == numbers
        left_out[:, : len(self._fold)] |= self._fold % self._turns == numbers
        return left_out

    def _class_shift(self, held_out: Floats, pool_scores: Floats) -> Floats:
        """How much oftener the like of each judged item (m,) is met in the pool than among the labels.

        Items are told by the nearest class mean, and only those that are as typical as half of the labels
        count, so that novel items do not (label shift; after Lipton et al., 2018).
        """
        items = slice(0, self._known.items)
        centres = class_means(self._known.vectors[items], self._known.classes[items])
        typical = np.median(held_out)
        mine = nearest_row(self._known.vectors[self._judged], centres)
        pool = nearest_row(self._pool.vectors[pool_scores <= typical], centres)
        here = np.bincount(mine[held_out <= typical], minlength=len(centres)).astype(np.float32)
        there = np.bincount(pool, minlength=len(centres)) * (here.sum() / max(len(pool), 1))
        ratio = np.clip((there + _CAUTION) / (here + _CAUTION), 1.0 / _MOST_WEIGHT, _MOST_WEIGHT)
        found: Floats = ratio[mine].astype(np.float32)
        return found


def translate(scores: Floats, before: Floats, after: Floats) -> Floats:
    """Scores given by one known set in the terms of another, which scored the same items `after` instead.

    A smaller one finds everything more novel. Quantiles of the items that both scored tell how much; beyond
    these the outermost difference holds. With fewer than two of them nothing changes.
    """
    if len(before) < 2:
        return scores
    ordered, wanted = np.sort(before), np.sort(after)
    inside = np.interp(scores, ordered, wanted)
    beyond = np.maximum(scores - ordered[-1], 0.0) + np.minimum(scores - ordered[0], 0.0)
    translated: Floats = (inside + beyond).astype(np.float32)
    return translated


def _choose_judged(audit: Mask, rng: np.random.Generator) -> Rows:
    """Labelled rows that are scored as if unlabelled, the audited ones first."""
    order = np.lexsort((rng.random(len(audit)), ~audit))
    return np.sort(order[:MOST_JUDGED])


def _assign_folds(
    labelled: Embeddings, labels: Labels, audit: Mask, count: int, rng: np.random.Generator
) -> Rows:
    """Near-duplicates share a fold, unless the audit can tell how near the pool is to the labels."""
    groups: Rows = np.arange(len(labels), dtype=np.intp)
    if audit.sum() < FEW_AUDIT:
        groups = near_duplicate_clusters(labelled.vectors)
    return assign_groups(groups, labels.classes, count, rng)


def _assign_turns(labels: Labels, rng: np.random.Generator) -> Rows:
    """The turn (c,) in which each class plays the novel one; -1 for classes without a label."""
    turns = np.full(len(labels.space), -1, dtype=np.intp)
    present = rng.permutation(np.unique(labels.classes))
    turns[present] = np.arange(len(present)) % TURNS
    return turns


def _join(audited: Floats, others: Floats) -> Calibration:
    """Both, the others moved to the mean of the audited; these alone when the two still differ.

    The others are spread a little, as that mean is not known exactly.
    """
    from scipy.stats import ks_2samp

    spread = np.float32(np.sqrt(1.0 + 1.0 / len(audited)))
    moved = audited.mean() + (others - others.mean()) * spread
    if ks_2samp(audited, moved).pvalue < LIKENESS:
        return Calibration(audited, None, "audit")
    return Calibration(np.concatenate([audited, moved]), None, "audit and cross-fit")
