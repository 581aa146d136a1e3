"""Simulates the labeling of a file by several strategies and seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from backend.context import Context
from backend.errors import BadRequest
from backend.label_studio.controls.question import SINGLE_CHOICE
from backend.label_studio.tasks import content_hash
from backend.simulation.encoding import encode_items
from backend.simulation.rows import LabelledText
from backend.task_types import TASK_TYPES
from backend.workflows.project.progress import Progress
from backend.workflows.training.names import readable_name
from model.encoders.tfidf import ALL_TERMS, Terms, TfidfEncoder, fit_tfidf, rows_to_fit, tfidf_revision
from model.heads.neighbour_graph import build_neighbour_graph
from model.records import Embeddings, Floats, LabelSpace, Representation
from model.representations.features import TERMS, represent, represent_names
from model.simulation.oracle import noisy_oracle
from model.simulation.run import AUTO, Curve, Exercise, Features, Plan, full_accuracy, simulate
from model.task_type import Figure

DEFAULT, RANDOM, FULL = "default", "random", "full"
HELD_OUT = 0.3


@dataclass(frozen=True, slots=True)
class Options:
    """What is simulated: `strategies` beside default and random, and labels counted at `budgets`.

    `representation` None lets the labels choose, as the live loop does.
    """

    strategies: tuple[str, ...]
    budgets: tuple[int, ...]
    batch: int
    seeds: int
    noise: float
    audit_share: float
    with_names: bool
    representation: Representation | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """Curves by strategy, one a seed, and the accuracy (by seed) that the whole pool gives.

    `metric`: what accuracy is the share of. `figures` are other figures by the same test items, by strategy
    after its last label, and under FULL of the whole pool: for each seed. `tolerance`: how far off a number
    may be and be right. With several questions `parts` has an outcome for each by its name, and the curves
    here are their mean. `beyond` are budgets that were asked for and that the pool does not reach.
    """

    dataset: str
    pool_size: int
    test_size: int
    budgets: tuple[int, ...]
    full: tuple[float, ...]
    curves: dict[str, list[Curve]]
    metric: str = TASK_TYPES[SINGLE_CHOICE].metric
    kind: str = SINGLE_CHOICE
    figures: dict[str, list[tuple[Figure, ...]]] = field(default_factory=dict)
    tolerance: float = 0.0
    parts: dict[str, Outcome] = field(default_factory=dict)
    beyond: tuple[int, ...] = ()


def run_strategies(
    context: Context, rows: Sequence[LabelledText], options: Options, *, dataset: str, progress: Progress
) -> Outcome:
    """Every strategy on every seed. Seeds are paired: the same pool, answers and audit for all strategies.

    Raises BadRequest for a representation of words where pictures stand alone.
    """
    _require_words(rows, options)
    encoded = encode_rows(context, rows, with_names=options.with_names, progress=progress)
    texts = EncodedTexts(rows, *encoded, only=options.representation)
    names = tuple(dict.fromkeys((DEFAULT, RANDOM, *options.strategies)))
    plans = [plan_of(name, options) for name in names]
    curves: dict[str, list[Curve]] = {name: [] for name in names}
    full: list[float] = []
    size = 0
    for seed in range(options.seeds):
        exercise = texts.exercise(seed=seed, noise=options.noise)
        size = len(exercise.pool)
        if seed == 0 or not texts.has_split:
            progress.stage(f"training on the whole pool, seed {seed + 1} of {options.seeds}")
            full.append(full_accuracy(exercise, seed=seed))
        else:
            full.append(full[0])
        total = len(plans) * min(max(options.budgets), size)
        progress.stage(f"labeling, seed {seed + 1} of {options.seeds}", total=total)
        for name, plan in zip(names, plans, strict=True):
            seeded = Plan(plan.strategy, plan.batch, plan.budget, plan.audit_share, seed)
            curves[name].append(simulate(exercise, seeded, progress=progress.advance))
    budgets, beyond = within_pool(options.budgets, size)
    return Outcome(dataset, size, texts.test_size, budgets, tuple(full), curves, beyond=beyond)


def within_pool(budgets: Sequence[int], pool_size: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The budgets that a pool reaches, its whole size in place of larger ones, and these larger ones."""
    beyond = tuple(budget for budget in budgets if budget > pool_size)
    reached = [budget for budget in budgets if budget <= pool_size]
    if beyond and pool_size not in reached:
        reached.append(pool_size)
    return tuple(reached), beyond


def _require_words(rows: Sequence[LabelledText], options: Options) -> None:
    if options.representation in (None, "encoder") or any(row.text for row in rows):
        return
    raise BadRequest(
        f"--representation {options.representation}: it counts words, and here are pictures alone.",
        hint="Leave it out.",
    )


class EncodedTexts:
    """Encoded rows, from which each seed takes its pool and its test items."""

    def __init__(
        self,
        rows: Sequence[LabelledText],
        vectors: Embeddings,
        names: Floats | None,
        *,
        only: Representation | None,
    ) -> None:
        self._space = LabelSpace(tuple(sorted({row.label for row in rows})))
        columns = {name: column for column, name in enumerate(self._space.names)}
        self._answers = np.array([columns[row.label] for row in rows], dtype=np.intp)
        self._is_test = np.array([bool(row.is_test) for row in rows], dtype=np.bool_)
        self._vectors, self._names, self._only = vectors, names, only
        self._contents = [row.text for row in rows]
        self._titles = [readable_name(name) for name in self._space.names]
        self.has_split = bool(self._is_test.any())

    @property
    def test_size(self) -> int:
        """Items on which a head is measured."""
        return int(self._is_test.sum()) if self.has_split else round(HELD_OUT * len(self._answers))

    def exercise(self, *, seed: int, noise: float) -> Exercise:
        """The pool and the test items of one seed."""
        rng = np.random.default_rng(seed)
        is_test = self._is_test
        if not self.has_split:
            is_test = np.zeros(len(self._answers), dtype=np.bool_)
            is_test[rng.permutation(len(self._answers))[: self.test_size]] = True
        seen = self._features("encoder", None, is_test, seed)
        counters = {} if self._only == "encoder" else self._fit_counters(is_test)
        others = {
            name: self._features(name, counters[terms], is_test, seed)
            for name, terms in TERMS.items()
            if terms in counters
        }
        return Exercise(
            pool=seen.pool,
            oracle=noisy_oracle(self._answers[~is_test], self._space, noise=noise, rng=rng),
            test=seen.test,
            test_classes=self._answers[is_test],
            name_vectors=seen.name_vectors,
            neighbour_graph=seen.neighbour_graph,
            others=others,
            only=self._only if self._only in others else None,
            # live, too, names count for nothing where nothing is written
            starts_untaught=self._names is None and not any(self._contents),
        )

    def _fit_counters(self, is_test: NDArray[np.bool_]) -> dict[Terms, TfidfEncoder]:
        pool = np.flatnonzero(~is_test)
        found: dict[Terms, TfidfEncoder] = {}
        for terms in ALL_TERMS:
            texts = [self._contents[row] for row in pool[rows_to_fit(len(pool), terms)]]
            counter = fit_tfidf(texts, revision=tfidf_revision(map(content_hash, texts), terms))
            if counter is not None:
                found[terms] = counter
        return found

    def _features(
        self, name: Representation, words: TfidfEncoder | None, is_test: NDArray[np.bool_], seed: int
    ) -> Features:
        """What a head sees of the texts and of the names in one representation."""
        counted, titles = None, None
        if words is not None:
            counted = Embeddings(self._vectors.ids, words.encode(self._contents), words.revision)
            titles = words.encode(self._titles)
        everything = represent(name, self._vectors, counted)
        pool = everything.take(~is_test)
        return Features(
            pool=pool,
            test=everything.take(is_test),
            name_vectors=None if self._names is None else represent_names(name, self._names, titles),
            neighbour_graph=build_neighbour_graph(pool, np.random.default_rng(seed)),
        )


def plan_of(name: str, options: Options) -> Plan:
    """Only the default pays for an audit, as only it runs live."""
    strategy, share = (AUTO, options.audit_share) if name == DEFAULT else (name, 0.0)
    return Plan(strategy, options.batch, max(options.budgets), share, seed=0)


def encode_rows(
    context: Context, rows: Sequence[LabelledText], *, with_names: bool, progress: Progress
) -> tuple[Embeddings, Floats | None]:
    """Vectors of what rows show and of the names of their labels, kept in DATA_DIR for the next time."""
    titles = [readable_name(label) for label in sorted({row.label for row in rows})]
    encoded = encode_items(context, rows, titles, progress)
    embeddings = Embeddings(np.arange(1, len(rows) + 1), encoded.items, encoded.revision)
    return embeddings, encoded.names if with_names else None
