"""What labels bought so far: heads of shorter logs, judged by the audit labels, beside a random order."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.calibration import Z95
from model.heads.neighbour_graph import NeighbourGraph
from model.heads.trained import TrainedHead
from model.heads.training_set import FOLDS
from model.records import Embeddings, Floats, Labels
from model.signals.estimate import Estimate, percent_range, points_range
from model.signals.power_law import accuracies_of, draw_rows, fit_power_law, learned_more
from model.signals.prediction_powered import Sample, estimate_accuracy
from model.training import train

FEWEST_AUDIT = 30
FEWEST_LABELS = 10
SHARES = (0.125, 0.25, 0.5, 0.75)  # of the log, at which the curve is drawn
POOL_SAMPLE = 4000
_DRAWS = 400
_LUCK = 0.15  # times 1 / sqrt(labels): spread of accuracy between two draws of so many labels
_LUCK_OF_A_DOUBLING = 0.015  # spread of accuracy by which a power law is off after twice the labels

Mask = NDArray[np.bool_]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LabelLog:
    """All labels in the order they were given: vectors, answers, and which were asked blind (n,)."""

    embeddings: Embeddings
    labels: Labels
    blind: Mask

    def __post_init__(self) -> None:
        if not np.array_equal(self.embeddings.ids, self.labels.ids):
            raise ValueError("LabelLog: embeddings and labels differ in their ids")
        if len(self.blind) != len(self.labels):
            raise ValueError(f"LabelLog: {len(self.blind)} blind marks for {len(self.labels)} labels")

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[np.intp]) -> LabelLog:
        """Some rows of the log, given by position."""
        return LabelLog(self.embeddings.take(rows), self.labels.take(rows), self.blind[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """The head of `labels` labels; `learned` of them on average, as out-of-fold heads see a fifth less.

    `sample` is what judged, alike for all steps, to compare them; `accuracy` is what the audit labels say of
    a head of all these labels, as `measure_accuracy` does.
    """

    labels: int
    learned: float
    sample: Sample
    accuracy: Estimate


@dataclass(frozen=True, slots=True)
class AgainstRandom:
    """The order in use beside a random one; a difference above 0 means that the order in use is better.

    `difference` is measured on the audit items after `labels` labels each: as many as there are in random
    order. `random_now` is what as many random labels as there are now would give, if both orders lead to
    the same accuracy in the end: a power law, so its range is wide. `shown` tells whether the difference
    is beyond chance.
    """

    labels: int
    difference: Estimate
    random_now: Estimate
    shown: bool
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class LearningCurve:
    """Accuracy by labels in the order that was used, and in random order as far as audit labels go."""

    steps: tuple[Step, ...]
    random_steps: tuple[Step, ...]
    against_random: AgainstRandom | None
    words: str


def trace_learning(
    log: LabelLog,
    trained: TrainedHead,
    *,
    unlabelled: Embeddings,
    pool_size: int,
    name_vectors: Floats | None,
    rng: np.random.Generator,
    neighbour_graph: NeighbourGraph | None = None,
) -> LearningCurve:
    """The learning curve of a log; `trained` is the head of all of it, with rows in the same order.

    `unlabelled` (u, d) are items without a label, or a random part of them; pool_size counts the labelled
    ones too. Trains eleven times, mostly on small parts of the log. Before 30 blind labels there is no curve.
    Raises ValueError when rows do not match.
    """
    if not np.array_equal(trained.out_of_fold.ids, log.labels.ids):
        raise ValueError("trace_learning: the head was not trained on this log, or in another order")
    blind = np.flatnonzero(log.blind)
    if len(blind) < FEWEST_AUDIT:
        words = f"Too early to draw a learning curve: {len(blind)} of {FEWEST_AUDIT} audit labels."
        return LearningCurve((), (), None, words)
    if len(unlabelled) > POOL_SAMPLE:
        unlabelled = unlabelled.take(np.sort(rng.permutation(len(unlabelled))[:POOL_SAMPLE]))
    judge = Judge(log, trained, unlabelled, pool_size)

    def learn(rows: NDArray[np.intp]) -> TrainedHead:
        part = log.take(rows)
        return train(
            part.embeddings,
            part.labels,
            name_vectors=name_vectors,
            audit=np.zeros(len(rows), dtype=np.bool_),
            rng=rng,
            neighbour_graph=neighbour_graph,
        )

    def learn_first(size: int) -> Step:
        rows = np.arange(size)
        return judge.step(rows, learn(rows))

    sizes = sorted({round(share * len(log)) for share in SHARES} - {len(log)})
    steps = [learn_first(size) for size in sizes if size >= FEWEST_LABELS]
    steps.append(judge.step(np.arange(len(log)), trained))
    few, many = _learn_at_random(judge, learn, blind)
    ours = learn_first(min(round(many.learned / (1.0 - many.learned / (len(log) * FOLDS))), len(log)))
    against = _compare(ours, (few, many), steps, rng)
    return LearningCurve(tuple(steps), (few, many), against, _say(steps, len(blind)))


def _learn_at_random(
    judge: Judge, learn: Callable[[NDArray[np.intp]], TrainedHead], blind: NDArray[np.intp]
) -> tuple[Step, Step]:
    """Random order: heads of each third of the blind labels, and of each two thirds."""
    thirds = [blind[number::3] for number in range(3)]
    few = judge.cross(thirds, [learn(third) for third in thirds])
    others = [np.setdiff1d(blind, third) for third in thirds]
    return few, judge.cross(others, [learn(rows) for rows in others])


class Judge:
    """What the audit says of heads of parts of a log, with the help of the best head, that of all of it."""

    def __init__(self, log: LabelLog, best: TrainedHead, unlabelled: Embeddings, pool_size: int) -> None:
        """Take the log, its head with rows in the same order, and the rest of the pool or a part of it."""
        self._log, self._unlabelled = log, unlabelled
        self._items = pool_size if len(unlabelled) else len(log)
        self._on_log = best.out_of_fold.values
        self._on_rest = best.head.probabilities(unlabelled, "best").values

    def step(self, rows: NDArray[np.intp], trained: TrainedHead) -> Step:
        """Score a head that learned some rows of the log; its own rows are scored out of fold."""
        predicted, on_rest = self._predict(trained)
        predicted[rows] = trained.out_of_fold.values.argmax(axis=1)
        inside = float(self._log.blind[rows].sum()) / float(self._log.blind.sum())
        return self._step(len(rows), len(rows) * (1.0 - inside / FOLDS), predicted, [on_rest])

    def cross(self, parts: list[NDArray[np.intp]], heads: list[TrainedHead]) -> Step:
        """Score heads of several parts of the blind rows together, each row by one that did not learn it.

        Out-of-fold beliefs would do worse: with few labels the settings are chosen by them.
        """
        guesses = [self._predict(trained) for trained in heads]
        predicted = guesses[0][0].copy()
        for part, guess in zip(reversed(parts), reversed(guesses), strict=True):
            unseen = np.setdiff1d(np.arange(len(predicted)), part)
            predicted[unseen] = guess[0][unseen]
        size = float(np.mean([len(part) for part in parts]))
        return self._step(round(size), size, predicted, [guess[1] for guess in guesses])

    def _step(
        self, labels: int, learned: float, predicted: NDArray[np.intp], on_rest: list[NDArray[np.intp]]
    ) -> Step:
        in_order = self._sample(predicted, on_rest, position=np.arange(len(predicted)))
        accuracy = learned_more(estimate_accuracy(in_order), min(learned / labels, 1.0))
        return Step(labels, learned, self._sample(predicted, on_rest), accuracy)

    def _predict(self, trained: TrainedHead) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Classes of the log (n,) and of the rest (u,)."""
        on_log = trained.head.logits(self._log.embeddings.vectors).argmax(axis=1)
        return on_log, trained.head.logits(self._unlabelled.vectors).argmax(axis=1)

    def _sample(
        self,
        predicted: NDArray[np.intp],
        on_rest: list[NDArray[np.intp]],
        *,
        position: NDArray[np.intp] | None = None,
    ) -> Sample:
        sure = [np.take_along_axis(self._on_rest, one[:, None], axis=1)[:, 0] for one in on_rest]
        return Sample.from_pool(
            predicted == self._log.labels.classes,
            np.take_along_axis(self._on_log, predicted[:, None], axis=1)[:, 0].astype(np.float64),
            blind=self._log.blind,
            unlabelled_confidence=np.mean(sure, axis=0, dtype=np.float32),
            items=self._items,
            position=position,
        )


def _compare(
    ours: Step, random_steps: tuple[Step, ...], steps: list[Step], rng: np.random.Generator
) -> AgainstRandom:
    """The same number of labels in both orders, on the same audit items, and the random ones drawn out."""
    by_chance = random_steps[-1]
    drawn = draw_rows(len(by_chance.sample.right), _DRAWS, rng)
    pair = accuracies_of([ours.sample, by_chance.sample], drawn)
    value = estimate_accuracy(ours.sample).value - estimate_accuracy(by_chance.sample).value
    luck = _LUCK * math.sqrt(2.0 / by_chance.learned)
    half = Z95 * math.hypot(float((pair[:, 0] - pair[:, 1]).std()), luck)
    difference = Estimate(value, value - half, value + half)
    shown = difference.low > 0.0 or difference.high < 0.0
    figures = f"{points_range(difference)} at {ours.labels} answers."
    words = f"No difference shown between this order and a random one: {figures}"
    if shown:
        words = f"This order is {'better' if value > 0 else 'worse'} than a random one: {figures}"
    return AgainstRandom(ours.labels, difference, _draw_out(random_steps, steps, drawn), shown, words)


def _draw_out(random_steps: tuple[Step, ...], steps: list[Step], drawn: Numbers) -> Estimate:
    """Accuracy after as many random labels as the last of the steps has, for bootstrap weights (b, m)."""
    law = fit_power_law(
        accuracies_of([step.sample for step in steps], drawn), np.array([step.learned for step in steps])
    )
    at = np.array([step.learned for step in random_steps])
    random = law.through(accuracies_of([step.sample for step in random_steps], drawn), at)
    labels = float(steps[-1].labels)
    later = random.accuracy(np.full(len(drawn), labels))
    luck = _LUCK_OF_A_DOUBLING * math.log2(max(labels / float(at[-1]), 1.0))
    half = Z95 * math.hypot(float(later.std()), luck)
    value = float(np.clip(later.mean(), 0.0, 1.0))
    return Estimate(value, max(value - half, 0.0), min(value + half, 1.0))


def _say(steps: list[Step], audit_labels: int) -> str:
    first, last = steps[0], steps[-1]
    if len(steps) == 1:
        return f"{last.labels} labels: {percent_range(last.accuracy)}, judged by {audit_labels} audit labels."
    return (
        f"From {first.labels} to {last.labels} labels accuracy went from {percent_range(first.accuracy)} to "
        f"{percent_range(last.accuracy)}, judged by {audit_labels} audit labels."
    )
