"""What a loop does once its queue is out: signals, notes on tasks, tabs and the map."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from backend.errors import NextlabelError
from backend.label_studio.client import LabelStudio
from backend.label_studio.tabs import UP_NEXT
from backend.task_types import task_type
from backend.workflows.findings.keywords import measure_keywords
from backend.workflows.findings.notes import Note, finding_notes, write_notes, write_tabs
from backend.workflows.findings.novelty import find_novel
from backend.workflows.findings.people import name_people
from backend.workflows.findings.pool_map import refresh_map
from backend.workflows.findings.skips import find_skips
from backend.workflows.findings.synthetic import weigh, weigh_sets
from backend.workflows.findings.watch import blind_ids, watch
from backend.workflows.project.colours import keep_colours
from backend.workflows.project.failures import unforeseen
from backend.workflows.project.figures import Signals, SyntheticFigures
from backend.workflows.project.lease import check_lease
from backend.workflows.project.progress import Progress
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving.answers import in_words
from backend.workflows.serving.serving import Serving
from backend.workflows.training.judging import Judged
from backend.workflows.training.learn import Learned
from model.skips import Waiting

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Renewal:
    """What a loop has just published, and the verdicts on the synthetic tasks, if there are any.

    `behind` are tasks that wait behind all others, because people skipped the like of them.
    """

    learned: Learned
    serving: Serving
    judged: Judged | None
    behind: Waiting


@dataclass(frozen=True, slots=True)
class Reflection:
    """What a loop measured, and why what is missing could not be, by part."""

    signals: Signals
    failed: dict[str, str]


def reflect(workspace: Workspace, remote: LabelStudio, made: Renewal, *, progress: Progress) -> Reflection:
    """Signals of a published version, and which parts failed.

    The queue is out: what fails here is missing, and fails no loop. Raises LeaseLost.
    """
    learned, serving, judged = made.learned, made.serving, made.judged
    steps = _Steps(workspace, progress)
    signals = Signals()
    notes: dict[int, Note] = {}
    with steps.step("measuring"):
        watched = watch(workspace, learned, serving, step=steps.step)
        signals = watched.signals
        notes |= watched.notes
    if learned.seen.keywords is not None:
        with steps.step("counting keywords"):
            blind = blind_ids(workspace, learned)
            signals.keywords = measure_keywords(serving.config, learned.seen, blind)
    if judged is not None:
        with steps.step("weighing synthetic tasks"):
            signals.synthetic = _weigh(workspace, judged, learned, serving)
    if task_type(serving.config.questions[0]).finds_new_classes:
        with steps.step("looking for new classes"):
            signals.novelty = find_novel(workspace, learned, serving)
    if learned.choice is not None:
        with steps.step("looking at what people skipped"):
            find_skips(workspace, learned, serving, behind=made.behind)
    check_lease(workspace)
    if not steps.failed:  # else notes that still hold would be taken away
        with steps.step("marking tasks"):
            notes |= finding_notes(workspace, learned.seen)
            write_notes(workspace, remote, notes)
            write_tabs(workspace, remote, {UP_NEXT, *(note.flag for note in notes.values())})
    with steps.step("drawing the map"):
        if not task_type(serving.config.questions[0]).is_number:  # numbers are coloured by ranges
            keep_colours(workspace, serving.config.space.names)
        refresh_map(workspace, learned.seen)
        _believe(workspace, serving)
    with steps.survived("asking for names"):
        name_people(workspace, remote, progress=progress)
    return Reflection(signals, steps.failed)


class _Steps:
    """Parts that may fail one by one: `failed` says which, and why."""

    def __init__(self, workspace: Workspace, progress: Progress) -> None:
        self._project, self._progress = workspace, progress
        self.failed: dict[str, str] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """One part, told to who waits."""
        self._progress.stage(name)
        with self.survived(name):
            yield

    @contextmanager
    def survived(self, name: str) -> Iterator[None]:
        """One part. A number that cannot be worked out is named by its place in the code, not by its data."""
        try:
            yield
        except NextlabelError as error:
            self._note(name, error.message)
        except (ValueError, ArithmeticError, LookupError) as error:
            self._note(name, unforeseen(error))

    def _note(self, name: str, why: str) -> None:
        logger.warning("%s failed project=%s message=%s", name, self._project.label_studio_id, why)
        self.failed[name] = why


def _weigh(workspace: Workspace, judged: Judged, learned: Learned, serving: Serving) -> SyntheticFigures:
    if learned.choice is None:
        return weigh_sets(judged, seed=workspace.seed)
    pool = learned.seen.pool_features
    beliefs = serving.head.probabilities(pool, serving.version).values
    return weigh(
        judged,
        unlabelled=learned.seen,
        beliefs=beliefs,
        auxiliary_weight=learned.trained.settings.auxiliary_weight,
        seed=workspace.seed,
    )


def _believe(workspace: Workspace, serving: Serving) -> None:
    """Writes beside each point of the map what the version believes of its task."""
    on_the_map = workspace.map_points.task_ids()
    if serving.choice is None:
        answered = serving.answer(on_the_map)
        first = {task_id: found[0] for task_id, found in answered.items() if found}
        workspace.map_points.write_beliefs(
            {task_id: (in_words(one), one.confidence) for task_id, one in first.items()}
        )
        return
    if serving.choice.knows_nothing:
        return
    names, beliefs = serving.choice.space.names, serving.believe(on_the_map)
    if not beliefs:
        return
    values = np.stack(list(beliefs.values()))
    told = zip(beliefs, values.argmax(axis=1).tolist(), values.max(axis=1).tolist(), strict=True)
    workspace.map_points.write_beliefs({task_id: (names[best], sure) for task_id, best, sure in told})
