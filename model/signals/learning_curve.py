"""What labels bought so far: heads of shorter logs, judged by the audit labels, beside a random order."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.heads.material import FOLDS
from model.heads.surroundings import Surroundings
from model.heads.trained import TrainedHead
from model.records import Embeddings, Floats, Labels
from model.signals.assisted import Sample, estimate_accuracy
from model.signals.estimate import Z95, Estimate, percent_range, points_range
from model.signals.power_law import accuracies_of, draw_rows
from model.signals.rehearsal import rehearse
from model.training import train

FEWEST_AUDIT = 30
FEWEST_LABELS = 10
SHARES = (0.125, 0.25, 0.5, 0.75)  # of the log, at which the curve is drawn
POOL_SAMPLE = 4000
_DRAWS = 400
_LUCK = 0.15  # times 1 / sqrt(labels): spread of accuracy between two draws of so many labels

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
        labels = Labels(self.labels.ids[rows], self.labels.targets[rows], self.labels.space)
        return LabelLog(self.embeddings.take(rows), labels, self.blind[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """The head of `labels` labels; `learned` of them on average, as out-of-fold heads see a fifth less."""

    labels: int
    learned: float
    sample: Sample

    @property
    def accuracy(self) -> Estimate:
        """What the audit labels say of it."""
        return estimate_accuracy(self.sample)


@dataclass(frozen=True, slots=True)
class AgainstRandom:
    """The order in use beside a random one, as differences of accuracy; above 0 = the order in use is better.

    `measured` is what audit answers say, at the `measured_at` labels that there are in random order;
    `rehearsed` is the gain at all labels (see `rehearse`), and `random_now` what as many random labels
    would have given. `shown` tells whether a difference is beyond chance.
    """

    measured: Estimate
    measured_at: int
    rehearsed: Estimate
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
    surroundings: Surroundings | None = None,
) -> LearningCurve:
    """The learning curve of a log; `trained` is the head of all of it, with rows in the same order.

    `unlabelled` (u, d) are items without a label, or a random part of them; pool_size counts the labelled
    ones too. Trains at most seven times on parts of the log. Before 30 blind labels there is no curve.
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

    def learn(rows: NDArray[np.intp]) -> Step:
        part = log.take(rows)
        nothing = np.zeros(len(rows), dtype=np.bool_)
        head = train(
            part.embeddings,
            part.labels,
            name_vectors=name_vectors,
            audit=nothing,
            rng=rng,
            surroundings=surroundings,
        )
        return judge_step(log, rows, head, unlabelled, pool_size)

    last = judge_step(log, np.arange(len(log)), trained, unlabelled, pool_size)
    sizes = sorted({round(share * len(log)) for share in SHARES} - {len(log)})
    steps = [learn(np.arange(size)) for size in sizes if size >= FEWEST_LABELS] + [last]
    random_steps = (learn(blind[: len(blind) // 2]), learn(blind))
    by_chance = random_steps[-1]
    like = round(by_chance.learned / (1.0 - by_chance.learned / (len(log) * FOLDS)))
    ours = learn(np.arange(min(max(like, FEWEST_LABELS), len(log))))
    rehearsed = rehearse(
        log.embeddings,
        trained,
        unlabelled=unlabelled,
        pool_size=pool_size,
        name_vectors=name_vectors,
        rng=rng,
    )
    against = _conclude(_measure(by_chance, ours, rng), ours.labels, rehearsed, last)
    return LearningCurve(tuple(steps), random_steps, against, _say(steps, len(blind)))


def judge_step(
    log: LabelLog,
    rows: NDArray[np.intp],
    trained: TrainedHead,
    unlabelled: Embeddings,
    pool_size: int,
) -> Step:
    """What the audit says of a head that learned some `rows` of the log; no label scores a head it taught."""
    beliefs = trained.head.probabilities(log.embeddings, "prefix").values
    beliefs[rows] = trained.out_of_fold.values
    correct = beliefs.argmax(axis=1) == log.labels.classes
    sure = trained.head.probabilities(unlabelled, "prefix").values.max(axis=1, initial=0.0)
    sample = Sample.from_pool(
        correct,
        beliefs.max(axis=1),
        blind=log.blind,
        unlabelled_confidence=sure,
        items=pool_size if len(unlabelled) else len(log),
    )
    inside = float(log.blind[rows].sum()) / float(log.blind.sum())
    return Step(len(rows), len(rows) * (1.0 - inside / FOLDS), sample)


def _measure(by_chance: Step, ours: Step, rng: np.random.Generator) -> Estimate:
    """Difference of two heads on the same audit items, with the luck of two draws of labels in its range."""
    drawn = draw_rows(len(by_chance.sample.right), _DRAWS, rng)
    accuracy = accuracies_of([ours.sample, by_chance.sample], drawn)
    value = ours.accuracy.value - by_chance.accuracy.value
    spread = float((accuracy[:, 0] - accuracy[:, 1]).std())
    half = Z95 * math.hypot(spread, _LUCK * math.sqrt(2.0 / by_chance.learned))
    return Estimate(value, value - half, value + half)


def _conclude(measured: Estimate, measured_at: int, rehearsed: Estimate, last: Step) -> AgainstRandom:
    now = last.accuracy
    value = float(np.clip(now.value - rehearsed.value, 0.0, 1.0))
    half = math.hypot(now.high - now.low, rehearsed.high - rehearsed.low) / 2.0
    random_now = Estimate(value, max(value - half, 0.0), min(value + half, 1.0))
    better = rehearsed.low > 0.0 and measured.high > 0.0
    worse = rehearsed.high < 0.0 and measured.low < 0.0
    shown = better or worse
    figures = (
        f"{points_range(rehearsed)} at {last.labels} labels in rehearsal, "
        f"{points_range(measured)} at {measured_at} labels by the audit"
    )
    words = f"No difference shown between this order and a random one: {figures}."
    if shown:
        words = f"This order is {'better' if better else 'worse'} than a random one: {figures}."
    return AgainstRandom(measured, measured_at, rehearsed, random_now, shown, words)


def _say(steps: list[Step], audit_labels: int) -> str:
    first, last = steps[0], steps[-1]
    if len(steps) == 1:
        return f"{last.labels} labels: {percent_range(last.accuracy)}, judged by {audit_labels} audit labels."
    return (
        f"From {first.labels} to {last.labels} labels accuracy went from {percent_range(first.accuracy)} to "
        f"{percent_range(last.accuracy)}, judged by {audit_labels} audit labels."
    )
