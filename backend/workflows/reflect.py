"""What a loop does once its queue is out: signals, notes on tasks, tabs and the map."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy import select

from backend.context import Context
from backend.database import MapPoint, Project
from backend.errors import NextlabelError
from backend.label_studio.client import LabelStudio
from backend.workflows.lanes import finding_notes
from backend.workflows.learn import Learned
from backend.workflows.notes import Note, write_notes, write_tabs
from backend.workflows.novelty import find_novel
from backend.workflows.pool_map import refresh_map
from backend.workflows.progress import Progress
from backend.workflows.projects import project_seed
from backend.workflows.synthetic import Judged, weigh
from backend.workflows.watch import watch
from backend.workflows.window import Serving

Json = dict[str, Any]
logger = logging.getLogger(__name__)


def reflect(
    context: Context,
    project: Project,
    remote: LabelStudio,
    *,
    learned: Learned,
    serving: Serving,
    judged: Judged | None,
    progress: Progress,
) -> Json:
    """Signals of a published version, as they are stored. The queue is out: a failure here fails no loop."""
    progress.stage("measuring")
    watched = watch(context, project, learned, serving)
    signals = watched.signals
    if judged is not None:
        pool = learned.seen.features.take(learned.seen.pool)
        beliefs = serving.head.probabilities(pool, serving.version).values
        seed = project_seed(project)
        signals["synthetic"] = weigh(judged, unlabelled=learned.seen, beliefs=beliefs, seed=seed)
    progress.stage("looking for new classes")
    signals["novelty"] = find_novel(context, project, learned, serving)
    notes = watched.notes | finding_notes(context, project, learned.seen)
    progress.stage("marking tasks")
    failure = _mark(context, project, remote, notes)
    progress.stage("drawing the map")
    refresh_map(context, project, learned.seen)
    _believe(context, project, serving)
    return {"signals": signals} | ({"marking_failed": failure} if failure else {})


def _mark(context: Context, project: Project, remote: LabelStudio, notes: dict[int, Note]) -> str | None:
    try:
        write_notes(context, project, remote, notes)
        write_tabs(context, project, remote, {note.flag for note in notes.values()})
    except NextlabelError as error:
        logger.warning("tasks were not marked project=%s message=%s", project.label_studio_id, error.message)
        return error.message
    return None


def _believe(context: Context, project: Project, serving: Serving) -> None:
    """Writes beside each point of the map what the version believes of its task."""
    with context.database.session() as session:
        points = session.scalars(
            select(MapPoint).where(MapPoint.project_id == project.id).order_by(MapPoint.task_id)
        ).all()
        beliefs = serving.believe([point.task_id for point in points])
        for point in points:
            if (row := beliefs.get(point.task_id)) is not None:
                column = int(row.argmax())
                point.predicted, point.confidence = serving.head.space.names[column], float(row[column])
