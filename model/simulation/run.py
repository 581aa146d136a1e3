"""The loop without a person: rank, label a batch, train, and again, by the functions of the live loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from model.audit import audit_hash, audit_quota, audit_threshold
from model.heads.cold_start import cold_start
from model.heads.neighbour_graph import NeighbourGraph
from model.heads.trained import TrainedHead
from model.priority import Priority
from model.ranking import DEFAULT_STRATEGY, rank
from model.records import Embeddings, Floats, Labels, Ranking, Representation
from model.representations.choice import View, choose_representation
from model.simulation.oracle import Oracle
from model.strategies import HeadView, StrategyInput, needs_probabilities
from model.training import train

AUTO = "auto"  # what the live loop calls its own choice
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What a head sees of the same pool, test items and class names."""

    pool: Embeddings
    test: Embeddings
    name_vectors: Floats | None
    neighbour_graph: NeighbourGraph | None


@dataclass(frozen=True, slots=True, eq=False)
class Exercise:
    """A pool to label and the items on which the head is measured; name vectors (c, d) if names may help.

    The head may see `others` than the encoder's vectors; `only` one, if that is named, else the best.
    `priority` is what an admin wants asked sooner. `starts_untaught`: no names can help (pictures), so that
    the loop's own choice starts from a head that knows nothing, as it does live, and not at random.
    """

    pool: Embeddings
    oracle: Oracle
    test: Embeddings
    test_classes: NDArray[np.intp]
    name_vectors: Floats | None
    neighbour_graph: NeighbourGraph | None = None
    others: Mapping[Representation, Features] = field(default_factory=dict)
    only: Representation | None = None
    priority: Priority | None = None
    starts_untaught: bool = False

    def features(self, representation: Representation) -> Features:
        """What a head sees in one representation."""
        if representation == "encoder":
            return Features(self.pool, self.test, self.name_vectors, self.neighbour_graph)
        return self.others[representation]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to label: `strategy` may be `start+then`, where the first orders the pool before any label."""

    strategy: str
    batch: int
    budget: int
    audit_share: float
    seed: int

    def __post_init__(self) -> None:
        if self.batch < 1 or self.budget < 1:
            raise ValueError(f"Plan: batch is {self.batch} and budget {self.budget}; both must be 1 or more")
        for name in self.strategy.split("+", maxsplit=1):
            if name != AUTO:
                needs_probabilities(name)  # raises on a name that does not exist


@dataclass(slots=True)
class Curve:
    """What was known after each training: one entry a training, the first before any label.

    `audit` holds the estimate and its lowest and highest likely value, None while nothing was audited.
    """

    labels: list[int] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    audit: list[tuple[float, float, float] | None] = field(default_factory=list)
    rank_seconds: list[float] = field(default_factory=list)
    representation: list[Representation] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """A head, and what it sees."""

    trained: TrainedHead
    representation: Representation


def simulate(exercise: Exercise, plan: Plan, *, progress: Progress | None = None) -> Curve:
    """Label the pool in the order of a plan until its budget or the pool is used up.

    `progress` is called after every batch with the number of labels just given.
    """
    curve = Curve()
    budget = min(plan.budget, len(exercise.pool))
    labelled: NDArray[np.intp] = np.zeros(0, dtype=np.intp)
    model = _learn(exercise, plan, labelled)
    _note(curve, exercise, model, labels=0)
    while len(labelled) < budget:
        started = time.perf_counter()
        ranking = _rank(exercise, plan, labelled, model)
        curve.rank_seconds.append(time.perf_counter() - started)
        asked = ranking.ids[: min(plan.batch, budget - len(labelled))]
        labelled = np.concatenate([labelled, np.searchsorted(exercise.pool.ids, asked)])
        model = _learn(exercise, plan, labelled)
        _note(curve, exercise, model, labels=len(labelled))
        if progress is not None:
            progress(len(asked))
    return curve


def full_accuracy(exercise: Exercise, *, seed: int) -> float:
    """Accuracy on the test items of the head that learned from the whole pool."""
    everything = np.arange(len(exercise.pool))
    return _accuracy(_train(exercise, everything, audit=np.zeros(0, dtype=np.int64), seed=seed), exercise)


def _accuracy(model: _Model, exercise: Exercise) -> float:
    """Share of the test items that a head gets right."""
    logits = model.trained.head.logits(exercise.features(model.representation).test.vectors)
    return float((logits.argmax(axis=1) == exercise.test_classes).mean())


def _learn(exercise: Exercise, plan: Plan, labelled: NDArray[np.intp]) -> _Model | None:
    """The head of the live loop at this point; None without labels and without names."""
    if not len(labelled):
        if exercise.name_vectors is None:
            return None
        return _Model(cold_start(exercise.name_vectors, exercise.oracle.space), "encoder")
    return _train(exercise, labelled, audit=_audit_ids(exercise, plan, len(labelled)), seed=plan.seed)


def _train(exercise: Exercise, labelled: NDArray[np.intp], *, audit: NDArray[np.int64], seed: int) -> _Model:
    rows = np.sort(labelled)
    labels = exercise.oracle.label(exercise.pool, rows)
    representation = exercise.only or _choose(exercise, rows, labels, seed)
    seen = exercise.features(representation)
    trained = train(
        seen.pool.take(rows),
        labels,
        name_vectors=seen.name_vectors,
        audit=np.isin(labels.ids, audit),
        rng=np.random.default_rng(seed),
        neighbour_graph=seen.neighbour_graph,
    )
    return _Model(trained, representation)


def _choose(exercise: Exercise, rows: NDArray[np.intp], labels: Labels, seed: int) -> Representation:
    names: list[Representation] = ["encoder", *exercise.others]
    seen = {name: exercise.features(name) for name in names}
    views = {name: View(some.pool.take(rows), some.name_vectors) for name, some in seen.items()}
    return choose_representation(views, labels, seed=seed).representation


def _rank(exercise: Exercise, plan: Plan, labelled: NDArray[np.intp], model: _Model | None) -> Ranking:
    left = np.ones(len(exercise.pool), dtype=np.bool_)
    left[labelled] = False
    pool = exercise.pool.take(left)
    rows = np.sort(labelled)
    probabilities, view = None, None
    if model is None and _is_untaught(exercise, plan):
        nothing = np.zeros((len(exercise.oracle.space), exercise.pool.vectors.shape[1]), dtype=np.float32)
        model = _Model(cold_start(nothing, exercise.oracle.space), "encoder")
    if model is not None:
        seen = exercise.features(model.representation).pool
        view = HeadView(model.trained.head, seen.take(left), seen.take(rows))
        probabilities = view.head.probabilities(view.pool, f"after-{len(labelled)}")
    answers = exercise.oracle.answers[rows]
    return rank(
        StrategyInput(pool, probabilities, exercise.pool.take(rows), plan.batch, answers, view=view),
        strategy=_strategy_now(plan, exercise, len(labelled)),
        window=plan.batch,
        audit=np.isin(pool.ids, _audit_ids(exercise, plan, len(labelled))),
        audit_order=audit_hash(pool.ids, plan.seed),
        share=plan.audit_share,
        # Another one for each batch: with the same numbers for a pool that lost a few rows, what is drawn by
        # chance would be the neighbours of what was drawn before, and files are often sorted by class.
        rng=np.random.default_rng((plan.seed, len(labelled))),
        priority=exercise.priority,
    )


def _strategy_now(plan: Plan, exercise: Exercise, labels: int) -> str:
    start, _, then = plan.strategy.partition("+")
    name = start if labels == 0 or not then else then
    if name == AUTO:
        name = DEFAULT_STRATEGY
    knows_nothing = labels == 0 and exercise.name_vectors is None
    if knows_nothing and needs_probabilities(name) and not _is_untaught(exercise, plan):
        return "random"  # what libraries do that have nothing to start from
    return name


def _is_untaught(exercise: Exercise, plan: Plan) -> bool:
    """Whether the loop's own choice starts from a head that knows nothing."""
    return exercise.starts_untaught and plan.strategy == AUTO


def _audit_ids(exercise: Exercise, plan: Plan, labels: int) -> NDArray[np.int64]:
    """Ids of the audit set that a live loop has with so many labels."""
    ids = exercise.pool.ids
    quota = audit_quota(labels + plan.batch, share=plan.audit_share)
    return ids[audit_hash(ids, plan.seed) < audit_threshold(ids, plan.seed, quota)]


def _note(curve: Curve, exercise: Exercise, model: _Model | None, *, labels: int) -> None:
    curve.labels.append(labels)
    curve.representation.append("encoder" if model is None else model.representation)
    if model is None:
        curve.accuracy.append(1.0 / len(exercise.oracle.space))  # a guess
        curve.audit.append(None)
        return
    curve.accuracy.append(_accuracy(model, exercise))
    found = [model.trained.metrics[name] for name in ("audit_accuracy", "audit_low", "audit_high")]
    curve.audit.append(None if None in found else (found[0] or 0.0, found[1] or 0.0, found[2] or 0.0))
