"""Simulates the labeling of texts that answer questions of any kind, by several strategies and seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from backend.context import Context
from backend.errors import BadRequest
from backend.label_studio.controls.question import Question
from backend.simulation.answered import AnsweredTexts
from backend.simulation.encoding import encode_items
from backend.simulation.labels import DEFAULT, FULL, HELD_OUT, RANDOM, Options, Outcome, plan_of, within_pool
from backend.task_types import task_type
from backend.workflows.intake.question_labels import to_row
from backend.workflows.project.progress import Progress
from backend.workflows.training.names import readable_titles
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.simulation.questions import (
    AskedQuestion,
    QuestionsExercise,
    QuestionsRun,
    learn_whole_pool,
    share_right,
    simulate_questions,
    whole_figures,
)
from model.simulation.run import Curve, Plan
from model.strategies import needs_probabilities
from model.task_type import Figure

SEVERAL = "the mean over questions"


@dataclass(slots=True)
class _Found:
    """What was measured so far, by question and seed: the whole pool, and each strategy."""

    full: list[list[float]]
    full_figures: list[list[tuple[Figure, ...]]]
    tolerances: list[float]
    runs: dict[str, list[QuestionsRun]]


def run_on_questions(
    context: Context, texts: AnsweredTexts, options: Options, *, dataset: str, progress: Progress
) -> Outcome:
    """Every strategy on every seed, as `run_strategies` does for one choice.

    All questions of a text are answered at once. Raises BadRequest for a strategy that is about one choice.
    """
    _require_any_kind(options, texts.questions)
    encoded = _EncodedAnswers(context, texts, with_names=options.with_names, progress=progress)
    names = tuple(dict.fromkeys((DEFAULT, RANDOM, *options.strategies)))
    count = len(texts.questions)
    found = _Found([[] for _ in range(count)], [[] for _ in range(count)], [0.0] * count, {})
    found.runs = {name: [] for name in names}
    size = 0
    for seed in range(options.seeds):
        exercise = encoded.exercise(seed=seed, noise=options.noise)
        size = len(exercise.pool)
        progress.stage(f"training on the whole pool, seed {seed + 1} of {options.seeds}")
        exercise = _measure_whole_pool(exercise, found, seed)
        total = len(names) * min(max(options.budgets), size)
        progress.stage(f"labeling, seed {seed + 1} of {options.seeds}", total=total)
        for name in names:
            plan = plan_of(name, options)
            seeded = Plan(plan.strategy, plan.batch, plan.budget, plan.audit_share, seed)
            found.runs[name].append(simulate_questions(exercise, seeded, progress=progress.advance))
    parts = {
        question.name: _outcome(dataset, question, place, found, (size, encoded.test_size), options)
        for place, question in enumerate(texts.questions)
    }
    return next(iter(parts.values())) if count == 1 else _together(dataset, parts)


def _require_any_kind(options: Options, questions: Sequence[Question]) -> None:
    for name in options.strategies:
        if "+" in name or needs_probabilities(name):
            kinds = ", ".join(dict.fromkeys(question.kind for question in questions))
            raise BadRequest(
                f"--strategies: {name!r} is about a single choice, and here are: {kinds}.",
                hint="Without --strategies largest-need is measured against random.",
            )
    if options.representation not in (None, "encoder"):
        raise BadRequest(
            f"--representation {options.representation}: heads of these questions see the encoder's vectors.",
            hint="Leave it out.",
        )


def _measure_whole_pool(exercise: QuestionsExercise, found: _Found, seed: int) -> QuestionsExercise:
    """Notes what heads of all answers reach; the exercise with their tolerance, the same for every head."""
    heads = learn_whole_pool(exercise, seed=seed)
    questions = tuple(
        replace(question, tolerance=head.metrics.get("tolerance") or 0.0)
        for question, head in zip(exercise.questions, heads, strict=True)
    )
    exercise = replace(exercise, questions=questions)
    figures = whole_figures(exercise, heads, seed=seed)
    for place, (question, head) in enumerate(zip(questions, heads, strict=True)):
        found.full[place].append(share_right(exercise, question, head.head))
        found.full_figures[place].append(figures[place])
        found.tolerances[place] = question.tolerance
    return exercise


def _outcome(
    dataset: str, question: Question, place: int, found: _Found, sizes: tuple[int, int], options: Options
) -> Outcome:
    figures = {name: [run.figures[place] for run in runs] for name, runs in found.runs.items()}
    budgets, beyond = within_pool(options.budgets, sizes[0])
    return Outcome(
        dataset=dataset,
        pool_size=sizes[0],
        test_size=sizes[1],
        budgets=budgets,
        beyond=beyond,
        full=tuple(found.full[place]),
        curves={name: [run.curves[place] for run in runs] for name, runs in found.runs.items()},
        metric=task_type(question).metric,
        kind=question.kind,
        figures=figures | {FULL: found.full_figures[place]},
        tolerance=found.tolerances[place],
    )


def _together(dataset: str, parts: dict[str, Outcome]) -> Outcome:
    """The mean over questions; what the audit says stands at each of them."""
    outcomes = list(parts.values())
    first = outcomes[0]
    curves = {
        name: [_mean_curve([part.curves[name][seed] for part in outcomes]) for seed in range(len(first.full))]
        for name in first.curves
    }
    full = tuple(fmean(values) for values in zip(*(part.full for part in outcomes), strict=True))
    return replace(
        first, full=full, curves=curves, metric=SEVERAL, kind="", figures={}, tolerance=0.0, parts=parts
    )


def _mean_curve(curves: Sequence[Curve]) -> Curve:
    first = curves[0]
    accuracy = [fmean(values) for values in zip(*(curve.accuracy for curve in curves), strict=True)]
    nothing: list[tuple[float, float, float] | None] = [None] * len(accuracy)
    return Curve(first.labels, accuracy, nothing, first.rank_seconds, first.representation)


class _EncodedAnswers:
    """Encoded texts, from which each seed takes its pool and its test items."""

    def __init__(
        self, context: Context, texts: AnsweredTexts, *, with_names: bool, progress: Progress
    ) -> None:
        titles = [readable_titles(question.labels) for question in texts.questions]
        encoded = encode_items(context, texts.rows, [name for one in titles for name in one], progress)
        self._items = Embeddings(np.arange(1, len(texts.rows) + 1), encoded.items, encoded.revision)
        names = encoded.names if with_names else None
        ends = np.cumsum([0, *map(len, titles)]).tolist()
        self._names: list[Floats | None] = [
            None if names is None else names[start:end]
            for start, end in zip(ends[:-1], ends[1:], strict=True)
        ]
        self._questions = texts.questions
        self._labels = [_labels(question, texts) for question in texts.questions]
        self._is_test = np.array([bool(row.is_test) for row in texts.rows], dtype=np.bool_)
        self._has_split = bool(self._is_test.any())

    @property
    def test_size(self) -> int:
        """Items on which heads are measured."""
        return int(self._is_test.sum()) if self._has_split else round(HELD_OUT * len(self._items))

    def exercise(self, *, seed: int, noise: float) -> QuestionsExercise:
        """The pool and the test items of one seed."""
        rng = np.random.default_rng(seed)
        is_test = self._is_test
        if not self._has_split:
            is_test = np.zeros(len(self._items), dtype=np.bool_)
            is_test[rng.permutation(len(self._items))[: self.test_size]] = True
        questions = [
            AskedQuestion(
                learner=task_type(question).learner,
                pool=_noisy(_among(labels, self._items.ids[~is_test]), noise, rng),
                test=_among(labels, self._items.ids[is_test]),
                names=names,
            )
            for question, labels, names in zip(self._questions, self._labels, self._names, strict=True)
        ]
        for question, asked in zip(self._questions, questions, strict=True):
            if not len(asked.pool) or not len(asked.test):
                raise BadRequest(
                    f"{question.name!r} is answered in too few texts to learn from and to measure on.",
                    hint="Give more answers, or leave the question out: --label-field names another.",
                )
        return QuestionsExercise(self._items.take(~is_test), self._items.take(is_test), tuple(questions))


def _labels(question: Question, texts: AnsweredTexts) -> Labels:
    """The answers to a question, by the number of the text from 1 on."""
    space = LabelSpace(tuple(label.name for label in question.labels))
    ids, rows = [], []
    for number, text in enumerate(texts.rows, start=1):
        target = text.answers.get(question.name)
        row = None if target is None else to_row(target, space, question.kind)
        if row is not None:
            ids.append(number)
            rows.append(row)
    values = np.array(rows, dtype=np.float32).reshape(len(rows), len(space))
    return Labels(np.array(ids, dtype=np.int64), values, space)


def _among(labels: Labels, ids: NDArray[np.int64]) -> Labels:
    return labels.take(np.flatnonzero(np.isin(labels.ids, ids)))


def _noisy(labels: Labels, noise: float, rng: np.random.Generator) -> Labels:
    """A share of the answers, from 0 to 1, is that of another text."""
    if not noise:
        return labels
    others = labels.targets[rng.permutation(len(labels))]
    is_wrong = rng.random(len(labels)) < noise
    return Labels(labels.ids, np.where(is_wrong[:, None], others, labels.targets), labels.space)
