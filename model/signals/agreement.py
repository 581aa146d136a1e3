"""How far people agree with each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST = 10  # shared tasks below which an annotator is not judged

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AnnotatorAgreement:
    """One annotator against the others on shared tasks; kappa in [-1, 1], None below ten `shared` answers."""

    annotator: int
    shared: int
    kappa: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Krippendorff's alpha of all answers, 1 = all agree and 0 = as chance would, and each annotator."""

    alpha: float | None
    annotators: tuple[AnnotatorAgreement, ...]
    words: str


def measure_agreement(
    tasks: NDArray[np.int64], annotators: NDArray[np.int64], classes: NDArray[np.intp]
) -> Agreement:
    """Agreement of answers (n,): which task, by whom, which class; tasks with one answer tell nothing.

    Alpha for nominal data (Krippendorff, 1970). Kappa of an annotator is Cohen's (1960), taken over the
    pairs of an answer of his and one of somebody else on the same task.
    Raises ValueError when rows do not match or somebody answered a task twice.
    """
    if not len(tasks) == len(annotators) == len(classes):
        raise ValueError(
            f"measure_agreement: {len(annotators)} annotators and {len(classes)} classes "
            f"for {len(tasks)} answers"
        )
    if len(np.unique(np.stack([tasks, annotators]), axis=1).T) != len(tasks):
        raise ValueError("measure_agreement: somebody answered a task twice")
    by_task = np.lexsort((annotators, tasks))  # so that sums are rounded alike whatever the order
    tasks, annotators, classes = tasks[by_task], annotators[by_task], classes[by_task]
    _, task, answers = np.unique(tasks, return_inverse=True, return_counts=True)
    shared = answers[task] >= 2
    if not shared.any():
        return Agreement(None, (), "No task was answered by two people yet, so agreement is not known.")
    _, task = np.unique(task[shared], return_inverse=True)
    seen, column = np.unique(classes[shared], return_inverse=True)
    counts = np.zeros((int(task.max()) + 1, len(seen)))
    np.add.at(counts, (task, column), 1.0)
    people = tuple(
        _judge(int(person), counts[task[mine]], column[mine])
        for person in np.unique(annotators[shared])
        for mine in [annotators[shared] == person]
    )
    alpha = _alpha(counts)
    return Agreement(alpha, people, _say(alpha, len(counts)))


def cohen_kappa(agreed: float, by_chance: float) -> float | None:
    """Cohen's kappa (1960) from two shares: agreement beyond chance; None if chance alone gives 1."""
    return None if by_chance >= 1.0 else (agreed - by_chance) / (1.0 - by_chance)


def _alpha(counts: Numbers) -> float | None:
    """Krippendorff's alpha from answers per task and class (t, c); None when only one class was given."""
    answers = counts.sum(axis=1)
    totals = counts.sum(axis=0)
    size = totals.sum()
    expected = size**2 - (totals**2).sum()
    if expected == 0.0:
        return None
    observed = ((answers**2 - (counts**2).sum(axis=1)) / (answers - 1.0)).sum()
    return float(1.0 - (size - 1.0) * observed / expected)


def _judge(person: int, counts: Numbers, column: NDArray[np.intp]) -> AnnotatorAgreement:
    """One person: his answers (m,) beside all answers per class on these tasks (m, c), his own included."""
    own = np.eye(counts.shape[1])[column]
    others = (counts - own) / (counts.sum(axis=1, keepdims=True) - 1.0)
    with_others = float((own * others).sum(axis=1).mean())
    by_chance = float(own.mean(axis=0) @ others.mean(axis=0))
    kappa = cohen_kappa(with_others, by_chance) if len(column) >= FEWEST else None
    return AnnotatorAgreement(person, len(column), kappa)


def _say(alpha: float | None, tasks: int) -> str:
    if alpha is None:
        return f"All answers to {tasks} shared tasks are the same class."
    strength = "well" if alpha >= 0.8 else "fairly" if alpha >= 0.667 else "poorly"
    return f"People agree {strength}: alpha {alpha:.2f} on {tasks} shared tasks (1 is perfect, 0 is chance)."
