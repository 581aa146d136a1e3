"""The second half of the proof: two questions about each spell, answered as served, figures by question."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from demo.labeling import Labeler
from demo.measure import ask_for_regions
from demo.spell_measure import Regions, measure_stars, measure_ticks, said_stars
from demo.spells import Spell, spell_regions
from demo.stage import Stage

ANSWERS_IN_ALL = 30
ANSWERS_PER_ROUND = 10


@dataclass(frozen=True, slots=True)
class SpellSnapshot:
    """The version that serves, and all pre-annotations of it."""

    version: str
    predicted: Regions
    answers_given: int


# Waits for a version of the project that is newer than one: (project, old) → new.
WaitForVersion = Callable[[str | None], str]


def prove_spells(stage: Stage, console: Console, wait_for_version: WaitForVersion) -> list[str]:
    """Answers both questions of thirty spells; what did not happen as promised, in sentences."""
    truth = stage.find_spells()
    regions = {task_id: spell_regions(spell) for task_id, spell in truth.items()}
    tasks = stage.spells.fetch_tasks()
    labeler = Labeler(stage.spells)
    console.print(
        f"\nAnswering two questions about each of {ANSWERS_IN_ALL} spells, as Label Studio serves them."
    )
    snapshots = [_take_snapshot(stage, tasks, wait_for_version, old=None, given=0)]
    while len(labeler.labelled) < ANSWERS_IN_ALL:
        for _ in range(ANSWERS_PER_ROUND):
            labeler.submit_next(regions)
        started, given = time.monotonic(), len(labeler.labelled)
        newer = _take_snapshot(stage, tasks, wait_for_version, old=snapshots[-1].version, given=given)
        console.print(
            f"  {given} answers: {newer.version} is in Label Studio after {time.monotonic() - started:.1f} s",
            highlight=False,
        )
        snapshots.append(newer)
    _show_figures(console, labeler, snapshots, truth)
    return _faults(labeler, snapshots, truth)


def _take_snapshot(
    stage: Stage,
    tasks: Sequence[Mapping[str, Any]],
    wait_for_version: WaitForVersion,
    *,
    old: str | None,
    given: int,
) -> SpellSnapshot:
    version = wait_for_version(old)
    predicted = ask_for_regions(stage.backend.url, project=stage.spells.settings(), tasks=tasks)
    return SpellSnapshot(version, predicted, given)


def _show_figures(
    console: Console, labeler: Labeler, snapshots: Sequence[SpellSnapshot], truth: Mapping[int, Spell]
) -> None:
    left = {task_id: spell for task_id, spell in truth.items() if task_id not in labeler.seen}
    starred = {
        task_id: spell
        for task_id, spell in left.items()
        if any(said_stars(one.predicted.get(task_id, ())) for one in snapshots)
    }
    table = Table(title="Figures of the spells, by question", title_justify="left", show_header=False)
    for one in snapshots:
        table.add_row(
            f"what it does, {one.answers_given} answers given", str(measure_ticks(one.predicted, left))
        )
    for one in snapshots:
        table.add_row(
            f"stars exactly right, {one.answers_given} answers given",
            str(measure_stars(one.predicted, starred)),
        )
    console.print(table)
    console.print(
        f"Counted on spells that nobody answered: ticks on all {len(left)}, stars on the {len(starred)} that "
        "were given any at least once. Before the first answer nothing says how many stars."
    )


def _faults(labeler: Labeler, snapshots: Sequence[SpellSnapshot], truth: Mapping[int, Spell]) -> list[str]:
    left = {task_id: spell for task_id, spell in truth.items() if task_id not in labeler.seen}
    before, after = (measure_ticks(one.predicted, left).f1 for one in (snapshots[0], snapshots[-1]))
    faults = []
    if after <= before:
        faults.append(f"ticks of the spells did not get better: F1 was {before:.2f}, and is {after:.2f}")
    if not any(said_stars(regions) for regions in snapshots[-1].predicted.values()):
        faults.append("no spell was given stars")
    labeler.open_next()
    if labeler.out_of_order:
        faults.append(
            f"the order of the spells served was not the order published: {labeler.out_of_order[0]}"
        )
    return faults
