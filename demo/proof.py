"""The proof of `make demo ONCE=1`: label 30 tasks of a project as served, watch the model retrain, print the
figures.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from rich.console import Console
from rich.table import Table

from demo.labeling import Labeler
from demo.measure import TOP, Move, ask_for_predictions, compare_orders, measure_accuracy
from demo.processes import BackendProcesses
from demo.project import LabelingProject
from demo.spell_proof import prove_spells
from demo.stage import Stage
from demo.waiting import wait_for

LABELS_IN_ALL = 30
LABELS_PER_ROUND = 10
RETRAIN_TIMEOUT_S = 180.0
TOP_SHOWN = 10


class ProofFailed(Exception):
    """Something that the demonstration promises did not happen; the message says what."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The published queue and all pre-annotations at one moment."""

    version: str
    order: list[int]
    predicted: Mapping[int, str | None]
    labels_given: int


class OneChoiceStage(Protocol):
    """What runs, and the truth about the tasks of a project that asks for one choice."""

    @property
    def backend(self) -> BackendProcesses:
        """The backend and its worker."""
        ...

    @property
    def project(self) -> LabelingProject:
        """The project."""
        ...

    def find_answers(self) -> dict[int, str]:
        """The true label of every task that has one among the labels of the project, by task id."""
        ...

    def describe_failure(self) -> str | None:
        """Which of the programs has ended, with its log; None while all run."""
        ...

    def describe_task(self, task: Mapping[str, Any]) -> str:
        """What people know a task by, in a few letters."""
        ...


def prove(stage: Stage, console: Console) -> None:
    """The proof of both projects; raises ProofFailed with the sentence that names what did not happen."""
    prove_one_choice(stage, console)
    faults = prove_spells(stage, console, lambda old: _wait_for_version(stage, stage.spells, old=old))
    if faults:
        raise ProofFailed(f"{faults[0]}.")


def prove_one_choice(stage: OneChoiceStage, console: Console) -> None:
    """The proof of the first project; raises ProofFailed with the sentence that names what did not happen."""
    tasks = stage.project.fetch_tasks()
    labeler = Labeler(stage.project, answers=stage.find_answers())
    console.print(f"\nLabeling {LABELS_IN_ALL} tasks from the known answers, as Label Studio serves them.")
    snapshots = [_take_snapshot(stage, tasks, old=None, labels_given=0)]
    while len(labeler.labelled) < LABELS_IN_ALL:
        snapshots.append(_label_and_wait(stage, console, labeler=labeler, tasks=tasks, old=snapshots[-1]))
    move = compare_orders(snapshots[0].order, snapshots[-1].order, seen=labeler.seen)
    names = {task["id"]: stage.describe_task(task) for task in tasks}
    _show_queue(console, move, snapshots=snapshots, names=names)
    _show_figures(console, labeler, snapshots=snapshots, move=move)
    _check(labeler, snapshots, move)


def _label_and_wait(
    stage: OneChoiceStage,
    console: Console,
    *,
    labeler: Labeler,
    tasks: Sequence[Mapping[str, Any]],
    old: Snapshot,
) -> Snapshot:
    """One round: label ten tasks, then wait for a model newer than that of the snapshot `old`."""
    wanted = len(labeler.labelled) + LABELS_PER_ROUND
    given: list[str] = []
    while len(labeler.labelled) < wanted:
        given.append(labeler.label_next() or "skipped")
    console.print(f"  {old.version} asked for: [dim]{', '.join(given)}[/dim]", highlight=False)
    started = time.monotonic()
    newer = _take_snapshot(stage, tasks, old=old.version, labels_given=len(labeler.labelled))
    seconds = time.monotonic() - started
    console.print(
        f"  {wanted} labels: {newer.version} is in Label Studio after {seconds:.1f} s", highlight=False
    )
    return newer


def _take_snapshot(
    stage: OneChoiceStage, tasks: Sequence[Mapping[str, Any]], *, old: str | None, labels_given: int
) -> Snapshot:
    version = _wait_for_version(stage, stage.project, old=old)
    order = stage.project.fetch_published_order(version)
    predicted = ask_for_predictions(stage.backend.url, project=stage.project.settings(), tasks=tasks)
    return Snapshot(version, order, predicted, labels_given)


def _wait_for_version(stage: OneChoiceStage, project: LabelingProject, *, old: str | None) -> str:
    def look() -> str | None:
        failure = stage.describe_failure()
        if failure is not None:
            raise ProofFailed(failure)
        version = project.fetch_version()
        return version if version != old else None

    try:
        return wait_for(look, f"no model newer than {old} was published", timeout_s=RETRAIN_TIMEOUT_S)
    except TimeoutError as error:
        raise ProofFailed(f"{error}.\n{stage.backend.worker.describe_log()}") from error


def _show_queue(
    console: Console, move: Move, *, snapshots: Sequence[Snapshot], names: Mapping[int, str]
) -> None:
    table = Table(title=f"The next {TOP_SHOWN} tasks", title_justify="left")
    table.add_column("", justify="right")
    table.add_column(f"left of {snapshots[0].version}", no_wrap=True)
    table.add_column(f"now, {snapshots[-1].version}", no_wrap=True)
    pairs = list(zip(move.before, move.after, strict=False))[:TOP_SHOWN]
    for place, pair in enumerate(pairs, start=1):
        table.add_row(str(place), *(f"{task_id}: {names[task_id]}" for task_id in pair))
    console.print(table)


def _show_figures(console: Console, labeler: Labeler, *, snapshots: Sequence[Snapshot], move: Move) -> None:
    # The same tasks every time: never seen by the labeler, and ticked in one snapshot at least. Where the
    # model is too unsure to tick anything, it is not right.
    truth = {
        task_id: label
        for task_id, label in labeler.answers.items()
        if task_id not in labeler.seen and any(s.predicted.get(task_id) for s in snapshots)
    }
    table = Table(title="Figures", title_justify="left", show_header=False)
    table.add_row("labels given", str(len(labeler.labelled)))
    table.add_row("tasks skipped, as no label fits", str(len(labeler.skipped)))
    for snapshot in snapshots:
        accuracy = measure_accuracy(snapshot.predicted, truth)
        table.add_row(f"tasks ticked rightly, {snapshot.labels_given} labels given", str(accuracy))
    table.add_row(f"new among the first {TOP} tasks", f"{move.new_in_top} of {TOP}")
    table.add_row("new among all published tasks", f"{move.new_in_window} of {len(move.after)}")
    if move.rank_correlation is not None:
        table.add_row("rank correlation of tasks in both orders", f"{move.rank_correlation:.2f}")
    console.print(table)
    console.print(
        "Counted on tasks that nobody labelled and that were ticked at least once; blind ones never are."
    )


def _check(labeler: Labeler, snapshots: Sequence[Snapshot], move: Move) -> None:
    if len(labeler.labelled) != LABELS_IN_ALL:
        raise ProofFailed(f"{len(labeler.labelled)} labels were given instead of {LABELS_IN_ALL}.")
    if snapshots[0].version == snapshots[-1].version:
        raise ProofFailed(f"the version is still {snapshots[0].version}.")
    if not move.is_changed:
        raise ProofFailed("the retrained model left the queue in the order it had.")
    labeler.open_next()
    if labeler.out_of_order:
        raise ProofFailed(f"the order served was not the order published: {labeler.out_of_order[0]}.")
