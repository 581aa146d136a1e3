"""The loop without a person for questions of any kind, one or several about the same items."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.audit import audit_hash, audit_quota, audit_threshold
from model.heads.measures import measure_answers
from model.ranking import SEVERAL_QUESTIONS, rank
from model.records import Embeddings, Floats, Labels, Probabilities, Ranking
from model.simulation.run import AUTO, Curve, Plan, Progress
from model.strategies import StrategyInput
from model.strategies.inputs import Rows
from model.task_type import Beliefs, Figure, Head, Learner, Trained
from model.tasks import single_choice


@dataclass(frozen=True, slots=True, eq=False)
class AskedQuestion:
    """One question: who learns it, and the answers to it among the items of the pool and of the test.

    Labels hold only the items that have an answer; names (c, d) are vectors of what its labels are called.
    `tolerance` ≥ 0: how far off a number may be and be right; 0 where an answer is right or wrong.
    """

    learner: Learner
    pool: Labels
    test: Labels
    names: Floats | None
    tolerance: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class QuestionsExercise:
    """A pool to label and the items on which heads are measured."""

    pool: Embeddings
    test: Embeddings
    questions: tuple[AskedQuestion, ...]


@dataclass(frozen=True, slots=True, eq=False)
class QuestionsRun:
    """A curve for each question, and what the last head of each is worth on the test items."""

    curves: tuple[Curve, ...]
    figures: tuple[tuple[Figure, ...], ...]


def simulate_questions(
    exercise: QuestionsExercise, plan: Plan, *, progress: Progress | None = None
) -> QuestionsRun:
    """Label the pool in the order of a plan, each time all questions of an item, until its budget is used up.

    `auto` is the order of the live loop for such questions. `progress` is called after every batch with the
    number of labels just given.
    """
    curves = tuple(Curve() for _ in exercise.questions)
    budget = min(plan.budget, len(exercise.pool))
    labelled: Rows = np.zeros(0, dtype=np.intp)
    trained = _learn(exercise, plan, labelled)
    _note(curves, exercise, trained, plan, labels=0)
    while len(labelled) < budget:
        started = time.perf_counter()
        ranking = _rank(exercise, plan, labelled, trained)
        for curve in curves:
            curve.rank_seconds.append(time.perf_counter() - started)
        asked = ranking.ids[: min(plan.batch, budget - len(labelled))]
        labelled = np.concatenate([labelled, np.searchsorted(exercise.pool.ids, asked)])
        trained = _learn(exercise, plan, labelled)
        _note(curves, exercise, trained, plan, labels=len(labelled))
        if progress is not None:
            progress(len(asked))
    return QuestionsRun(curves, _figures(exercise, trained, plan.seed))


def learn_whole_pool(exercise: QuestionsExercise, *, seed: int) -> list[Trained]:
    """A head for each question from all answers of the pool."""
    nobody = np.zeros(0, dtype=np.int64)
    rows = np.arange(len(exercise.pool))
    return [_train(exercise, question, rows, nobody, seed) for question in exercise.questions]


def share_right(exercise: QuestionsExercise, question: AskedQuestion, head: Head) -> float:
    """Share of the test answers to a question that a head gives in every part; of numbers, nearly enough."""
    beliefs = _believe_test(exercise, question, head)
    return float(_right(beliefs.answers, question.test.targets, question.tolerance).mean())


def whole_figures(
    exercise: QuestionsExercise, heads: Sequence[Trained], *, seed: int
) -> tuple[tuple[Figure, ...], ...]:
    """For each question what its head is worth on the test items, as its learner measures it."""
    return _figures(exercise, heads, seed)


def _learn(exercise: QuestionsExercise, plan: Plan, labelled: Rows) -> list[Trained | None]:
    audit = _audit_ids(exercise, plan, len(labelled))
    found: list[Trained | None] = []
    for question in exercise.questions:
        if np.isin(exercise.pool.ids[labelled], question.pool.ids).any():
            found.append(_train(exercise, question, labelled, audit, plan.seed))
        else:
            found.append(question.learner.cold_start(question.names, question.pool.space))
    return found


def _train(
    exercise: QuestionsExercise, question: AskedQuestion, labelled: Rows, audit: NDArray[np.int64], seed: int
) -> Trained:
    labels = _answers(exercise, question, labelled)
    return question.learner.train(
        exercise.pool.take(np.searchsorted(exercise.pool.ids, labels.ids)),
        labels,
        names=question.names,
        audit=np.isin(labels.ids, audit),
        rng=np.random.default_rng(seed),
    )


def _answers(exercise: QuestionsExercise, question: AskedQuestion, labelled: Rows) -> Labels:
    """What is known of a question, in the order of the ids."""
    is_known = np.isin(question.pool.ids, exercise.pool.ids[labelled])
    return question.pool.take(np.flatnonzero(is_known))


def _rank(
    exercise: QuestionsExercise, plan: Plan, labelled: Rows, trained: Sequence[Trained | None]
) -> Ranking:
    left = np.ones(len(exercise.pool), dtype=np.bool_)
    left[labelled] = False
    pool, known = exercise.pool.take(left), exercise.pool.take(np.sort(labelled))
    version = f"after-{len(labelled)}"
    beliefs = [None if one is None else one.head.believe(pool, version) for one in trained]
    choice, first = None, exercise.questions[0]
    if first.learner.kind == single_choice.KIND and beliefs[0] is not None:
        choice = Probabilities(pool.ids, beliefs[0].values, version)
        beliefs[0] = None
    return rank(
        StrategyInput(
            pool,
            choice,
            known,
            plan.batch,
            None if choice is None else _classes(first, known),
            questions=tuple(one for one in beliefs if one is not None),
        ),
        strategy=SEVERAL_QUESTIONS if plan.strategy == AUTO else plan.strategy,
        window=plan.batch,
        audit=np.isin(pool.ids, _audit_ids(exercise, plan, len(labelled))),
        audit_order=audit_hash(pool.ids, plan.seed),
        share=plan.audit_share,
        rng=np.random.default_rng((plan.seed, len(labelled))),
    )


def _classes(question: AskedQuestion, known: Embeddings) -> NDArray[np.intp]:
    """The class of each labelled item (m,); -1 where it has no answer to this question."""
    by_id = dict(zip(question.pool.ids.tolist(), question.pool.classes.tolist(), strict=True))
    return np.array([by_id.get(item, -1) for item in known.ids.tolist()], dtype=np.intp)


def _audit_ids(exercise: QuestionsExercise, plan: Plan, labels: int) -> NDArray[np.int64]:
    ids = exercise.pool.ids
    quota = audit_quota(labels + plan.batch, share=plan.audit_share)
    return ids[audit_hash(ids, plan.seed) < audit_threshold(ids, plan.seed, quota)]


def _note(
    curves: Sequence[Curve],
    exercise: QuestionsExercise,
    trained: Sequence[Trained | None],
    plan: Plan,
    *,
    labels: int,
) -> None:
    audit = _audit_ids(exercise, plan, labels)
    for curve, question, one in zip(curves, exercise.questions, trained, strict=True):
        curve.labels.append(labels)
        curve.representation.append("encoder")
        curve.accuracy.append(0.0 if one is None else share_right(exercise, question, one.head))
        curve.audit.append(None if one is None else _audited(question, one, audit))


def _audited(
    question: AskedQuestion, trained: Trained, audit: NDArray[np.int64]
) -> tuple[float, float, float] | None:
    """What the audit items say of a head, by answers of heads that never saw them: estimate, low, high."""
    known = question.pool.take(np.flatnonzero(np.isin(question.pool.ids, trained.out_of_fold.ids)))
    right = _right(trained.out_of_fold.answers, known.targets, question.tolerance)
    metrics = measure_answers(right, known, np.isin(known.ids, audit))
    found = [metrics[name] for name in ("audit_accuracy", "audit_low", "audit_high")]
    return None if None in found else (found[0] or 0.0, found[1] or 0.0, found[2] or 0.0)


def _figures(
    exercise: QuestionsExercise, trained: Sequence[Trained | None], seed: int
) -> tuple[tuple[Figure, ...], ...]:
    found: list[tuple[Figure, ...]] = []
    for question, one in zip(exercise.questions, trained, strict=True):
        if one is None:
            found.append(())
            continue
        everything = np.ones(len(question.test), dtype=np.bool_)
        beliefs = _believe_test(exercise, question, one.head)
        rng = np.random.default_rng(seed)
        found.append(tuple(question.learner.figures(question.test, beliefs, blind=everything, rng=rng)))
    return tuple(found)


def _believe_test(exercise: QuestionsExercise, question: AskedQuestion, head: Head) -> Beliefs:
    items = exercise.test.take(np.flatnonzero(np.isin(exercise.test.ids, question.test.ids)))
    return head.believe(items, "simulated")


def _right(answers: Floats, targets: Floats, tolerance: float) -> NDArray[np.bool_]:
    off = np.abs(answers - targets).max(axis=1, initial=0.0)
    right: NDArray[np.bool_] = off <= tolerance
    return right
