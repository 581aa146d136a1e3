"""What a project's synthetic tasks bought, what to make next, and how real they look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from backend.workflows.intake.snapshot import Snapshot, SyntheticTask
from backend.workflows.project.figures import ClassRealism, GapRow, LiftRow, Realism, SyntheticFigures
from backend.workflows.training.judging import Judged
from model.records import Floats, Labels
from model.synthetic.gaps import Gap, advise_stop, find_gaps
from model.synthetic.items import HELPFUL, VERDICTS
from model.synthetic.label_sets.lift import measure_set_lift
from model.synthetic.lift import Lift, measure_lift

EVERYTHING, HELPFUL_ONLY = "all synthetic tasks", "only those called helpful"
_NOT_LEARNED_FROM = (
    "None of them teaches the model: a question with several choices is learned from real tasks alone."
)
_KEPT = "those that are likelier sound than faulty and repeat nothing"


def weigh(
    judged: Judged, *, unlabelled: Snapshot, beliefs: Floats, auxiliary_weight: float | None, seed: int
) -> SyntheticFigures:
    """The measured lift by generator and slice, what to make next, and how real the set looks.

    `auxiliary_weight` in [0, 1] is how much a synthetic task taught beside a label; None if none taught.
    """
    rng = np.random.default_rng(seed)
    lifts = {
        name: measure_lift(judged.real, judged.synthetic, rows, rng=rng)
        for name, rows in _chosen(judged).items()
    }
    gaps = find_gaps(
        judged.real,
        judged.synthetic,
        judged.judgement.auxiliary,
        rng=rng,
        pool=unlabelled.pool_embeddings,
        pool_classes=beliefs.argmax(axis=1) if len(beliefs) else None,
    )
    return _figures(judged, lifts, gaps, _listening(auxiliary_weight))


def weigh_sets(judged: Judged, *, seed: int) -> SyntheticFigures:
    """The same where tasks have sets of labels; what to make next is not told of these."""
    rng = np.random.default_rng(seed)
    lifts = {
        name: measure_set_lift(judged.real, judged.synthetic, rows, rng=rng)
        for name, rows in _chosen(judged).items()
    }
    return _figures(judged, lifts, (), _NOT_LEARNED_FROM)


def _chosen(judged: Judged) -> dict[str, NDArray[np.bool_]]:
    """Which tasks are added, by what the page calls them: all, the helpful ones, each generator and slice."""
    everything = np.ones(len(judged.tasks), dtype=np.bool_)
    return {EVERYTHING: everything, HELPFUL_ONLY: judged.judgement.mask(HELPFUL)} | _groups(judged.tasks)


def _figures(
    judged: Judged, lifts: Mapping[str, Lift], gaps: Sequence[Gap], teaching: str
) -> SyntheticFigures:
    stops = [advise_stop(name, lift.items, lift) for name, lift in lifts.items() if name != HELPFUL_ONLY]
    verdicts = [item.verdict for item in judged.judgement.items]
    return SyntheticFigures(
        words=f"With all synthetic tasks: {lifts[EVERYTHING].words}. "
        f"With the helpful ones alone: {lifts[HELPFUL_ONLY].words}. {teaching}",
        counts={verdict: verdicts.count(verdict) for verdict in VERDICTS},
        lift=[_lift_row(name, lift) for name, lift in lifts.items()],
        gaps=[_gap_row(gap, judged.real.labels) for gap in gaps],
        stop=[stop for stop in stops if stop],
        realism=_realism(judged),
    )


def _listening(auxiliary_weight: float | None) -> str:
    if auxiliary_weight is None:
        return "None of them teaches the model now."
    if auxiliary_weight == 0.0:
        return "Held-out labels are foreseen best without them: the model does not listen to them now."
    if auxiliary_weight == 1.0:
        return f"The model listens to {_KEPT} as to labels."
    return f"The model listens to {_KEPT}, each as to {auxiliary_weight:.0%} of a label."


def _groups(tasks: Sequence[SyntheticTask]) -> dict[str, NDArray[np.bool_]]:
    """Which tasks come from each generator, and from each slice."""
    found: dict[str, NDArray[np.bool_]] = {}
    for names in ([task.generator for task in tasks], [task.slice for task in tasks]):
        for name in dict.fromkeys(filter(None, names)):
            found[name] = np.array([other == name for other in names], dtype=np.bool_)
    return found


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
