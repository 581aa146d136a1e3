"""Keeps the map of a project's pool: a point for each task, or for a sample of many; made anew rarely."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from backend.store.map_points import MOST_POINTS
from backend.workflows.intake.snapshot import Snapshot
from backend.workflows.project.workspace import Workspace
from model.audit import audit_hash
from model.projection import place_near, project_to_plane
from model.records import Embeddings, Ids

# To work out places takes seconds for a thousand tasks and minutes for ten: the others stand near their like.
_ANCHORS = 1000
# A map is worth keeping: people find their way on it. This share of unknown tasks makes it worth a new one.
_NEW_SHARE = 0.1


def refresh_map(workspace: Workspace, snapshot: Snapshot) -> int:
    """Draws the map again when too many tasks of the sample are not on it; returns how many points it has."""
    sample = _sample(snapshot, workspace.seed)
    known = set(workspace.map_points.task_ids())
    unknown = len(set(sample.tolist()) - known)
    if unknown <= _NEW_SHARE * len(sample):
        return len(known)
    items = _items(snapshot, sample)
    points = _places(items, workspace.seed)
    workspace.map_points.replace(
        (task_id, float(x), float(y)) for task_id, (x, y) in zip(items.ids.tolist(), points, strict=True)
    )
    return len(items)


def _sample(snapshot: Snapshot, seed: int) -> Ids:
    """Real and synthetic tasks alike, those with the lowest hash; the labelled ones are not preferred."""
    ids = np.concatenate([snapshot.embeddings.ids, snapshot.synthetic_embeddings.ids])
    return ids[np.sort(np.argsort(audit_hash(ids, seed + 1))[:MOST_POINTS])]


def _items(snapshot: Snapshot, sample: Ids) -> Embeddings:
    """The vectors of a sample."""
    real, made = (
        each.take(np.isin(each.ids, sample)) for each in (snapshot.embeddings, snapshot.synthetic_embeddings)
    )
    ids, vectors = np.concatenate([real.ids, made.ids]), np.concatenate([real.vectors, made.vectors])
    return Embeddings(ids, vectors, real.encoder)


def _places(sample: Embeddings, seed: int) -> NDArray[np.float64]:
    """Coordinates (n, 2): worked out for the tasks with the lowest hash, the others stand near their like."""
    is_anchor = np.zeros(len(sample), dtype=bool)
    is_anchor[np.argsort(audit_hash(sample.ids, seed + 1))[:_ANCHORS]] = True
    anchors, number = sample.take(is_anchor), seed % 2**32
    points = np.empty((len(sample), 2))
    points[is_anchor] = project_to_plane(anchors, seed=number)
    points[~is_anchor] = place_near(sample.take(~is_anchor), anchors, points[is_anchor], seed=number)
    return points
