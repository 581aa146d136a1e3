"""Judges a project's synthetic tasks before a training, and measures what they bought after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete

from backend.context import Context
from backend.database import Project, Verdict
from backend.workflows.intake.snapshot import Snapshot, SyntheticTask
from backend.workflows.intake.texts import read_texts
from backend.workflows.project.figures import ClassRealism, GapRow, LiftRow, Realism, SyntheticFigures
from backend.workflows.project.projects import project_seed
from backend.workflows.training.learn import Teacher
from model.records import Embeddings, Floats, Labels
from model.synthetic.gaps import Gap, advise_stop, find_gaps
from model.synthetic.items import HELPFUL, VERDICTS, Judgement, RealItems, SyntheticItems, Unlabelled
from model.synthetic.lift import Lift, measure_lift
from model.synthetic.reviews import Outcome, Review
from model.synthetic.verdicts import judge

UNLABELLED = 1000  # tasks without a label that are looked at
EVERYTHING, HELPFUL_ONLY = "all synthetic tasks", "only those called helpful"
_KEPT = "those that are likelier sound than faulty and repeat nothing"


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The synthetic tasks with an intended label, as the model takes them, and the verdicts on them."""

    tasks: tuple[SyntheticTask, ...]
    real: RealItems
    synthetic: SyntheticItems
    judgement: Judgement


def judge_tasks(context: Context, project: Project, snapshot: Snapshot) -> Judged | None:
    """The verdicts, written down in place of the last ones; None without synthetic or real labels."""
    tasks = tuple(task for task in snapshot.synthetic if task.intended_label is not None)
    if not tasks or not len(snapshot.labels):
        _write(context, project, [])
        return None
    real, synthetic = _take_items(context, project, snapshot, tasks)
    rng = np.random.default_rng(project_seed(project))
    judgement = judge(real, synthetic, rng=rng, reviews=_reviews(tasks))
    _write(context, project, judgement.items)
    return Judged(tasks, real, synthetic, judgement)


def teachers(judged: Judged | None) -> list[Teacher]:
    """What synthetic tasks may teach: what a person said of them, else what they were meant to be."""
    if judged is None:
        return []
    found = []
    for task, item in zip(judged.tasks, judged.judgement.items, strict=True):
        label = task.review or (task.intended_label if item.teaches else None)
        if label is not None and not task.is_rejected:
            found.append(Teacher(task.task_id, label))
    return found


def weigh(
    judged: Judged, *, unlabelled: Snapshot, beliefs: Floats, loudness: float | None, seed: int
) -> SyntheticFigures:
    """The measured lift by generator and slice, what to make next, and how real the set looks.

    `loudness` in [0, 1] is how much a synthetic task taught beside a label; None if none taught.
    """
    rng = np.random.default_rng(seed)
    helpful, kept = judged.judgement.mask(HELPFUL), judged.judgement.teaching
    everything = np.ones(len(judged.tasks), dtype=np.bool_)
    chosen = {EVERYTHING: everything, HELPFUL_ONLY: helpful} | _groups(judged.tasks)
    lifts = {
        name: measure_lift(judged.real, judged.synthetic, rows, rng=rng) for name, rows in chosen.items()
    }
    gaps = find_gaps(
        judged.real,
        judged.synthetic,
        kept,
        rng=rng,
        pool=unlabelled.pool_embeddings,
        pool_classes=beliefs.argmax(axis=1) if len(beliefs) else None,
    )
    stops = [advise_stop(name, lift.items, lift) for name, lift in lifts.items() if name != HELPFUL_ONLY]
    verdicts = [item.verdict for item in judged.judgement.items]
    return SyntheticFigures(
        words=f"With all synthetic tasks: {lifts[EVERYTHING].words}. "
        f"With the helpful ones alone: {lifts[HELPFUL_ONLY].words}. {_listening(loudness)}",
        counts={verdict: verdicts.count(verdict) for verdict in VERDICTS},
        lift=[_lift_row(name, lift) for name, lift in lifts.items()],
        gaps=[_gap_row(gap, judged.real.labels) for gap in gaps],
        stop=[stop for stop in stops if stop],
        realism=_realism(judged),
    )


def _listening(loudness: float | None) -> str:
    if loudness is None:
        return "None of them teaches the model now."
    if loudness == 0.0:
        return "Held-out labels are foreseen best without them: the model does not listen to them now."
    if loudness == 1.0:
        return f"The model listens to {_KEPT} as to labels."
    return f"The model listens to {_KEPT}, each as to {loudness:.0%} of a label."


def _take_items(
    context: Context, project: Project, snapshot: Snapshot, tasks: Sequence[SyntheticTask]
) -> tuple[RealItems, SyntheticItems]:
    labels, space = snapshot.labels, snapshot.labels.space
    ids = [task.task_id for task in tasks]
    pool = _sample(snapshot.pool_embeddings, np.random.default_rng(project_seed(project)))
    texts = read_texts(context, project, [*labels.ids.tolist(), *ids, *pool.ids.tolist()])
    real = RealItems(
        snapshot.labelled_embeddings,
        labels,
        snapshot.audit[snapshot.labelled],
        [texts[task_id] for task_id in labels.ids.tolist()],
        Unlabelled(pool, [texts[task_id] for task_id in pool.ids.tolist()]),
    )
    embeddings = snapshot.synthetic_embeddings.take(np.isin(snapshot.synthetic_embeddings.ids, ids))
    kinds = sorted({(task.generator or "", task.slice or "") for task in tasks})
    groups = np.array(
        [kinds.index((task.generator or "", task.slice or "")) for task in tasks], dtype=np.intp
    )
    intended = Labels.from_names(embeddings.ids, [str(task.intended_label) for task in tasks], space)
    return real, SyntheticItems(embeddings, intended, groups, [texts[task_id] for task_id in ids])


def _sample(pool: Embeddings, rng: np.random.Generator) -> Embeddings:
    """At most so many unlabelled tasks as show what real ones are like."""
    return pool.take(np.sort(rng.permutation(len(pool))[:UNLABELLED]))


def _reviews(tasks: Sequence[SyntheticTask]) -> list[Review]:
    reviews = []
    for task in tasks:
        outcome: Outcome | None = None
        if task.is_rejected:
            outcome = "reject"
        elif task.review is not None:
            outcome = "confirm" if task.review == task.intended_label else "relabel"
        if outcome is not None:
            reviews.append(Review(task.task_id, outcome))
    return reviews


def _groups(tasks: Sequence[SyntheticTask]) -> dict[str, NDArray[np.bool_]]:
    """Which tasks come from each generator, and from each slice."""
    found: dict[str, NDArray[np.bool_]] = {}
    for names in ([task.generator for task in tasks], [task.slice for task in tasks]):
        for name in dict.fromkeys(filter(None, names)):
            found[name] = np.array([other == name for other in names], dtype=np.bool_)
    return found


def _write(context: Context, project: Project, items: Sequence[Any]) -> None:
    with context.database.session() as session:
        session.execute(delete(Verdict).where(Verdict.project_id == project.id))
        session.add_all(
            Verdict(
                project_id=project.id,
                task_id=item.id,
                verdict=item.verdict,
                value=item.value,
                low=item.low,
                high=item.high,
                realism=item.realism,
                duplicate_of=item.duplicate_of,
                reason=item.reason,
                review_order=item.review_order,
            )
            for item in items
        )


def _lift_row(name: str, lift: Lift) -> LiftRow:
    return LiftRow(
        generator=name,
        words=lift.words,
        mean=lift.mean,
        low=lift.low,
        high=lift.high,
        n=lift.items,
        audit=lift.audit,
    )


def _gap_row(gap: Gap, labels: Labels) -> GapRow:
    errs = f"{100.0 * gap.error:.0f} % of its real tasks are judged wrongly"
    bare = f"{100.0 * gap.uncovered:.0f} % are far from everything learned from"
    return GapRow(
        label=labels.space.names[gap.column],
        count=gap.count,
        score=gap.score,
        reason=f"{errs}, {bare}.",
        examples=list(gap.examples),
    )


def _realism(judged: Judged) -> Realism:
    realism, names = judged.judgement.realism, judged.real.labels.space.names
    told = f"{100.0 * realism.accuracy:.0f} %"
    return Realism(
        words=f"A classifier tells synthetic tasks from real ones in {told} of cases; chance is 50 %.",
        p_value=realism.p_value,
        c2st=realism.accuracy,
        classes=[
            ClassRealism(label=names[found.column], density=found.density, coverage=found.coverage)
            for found in realism.classes
        ],
    )
