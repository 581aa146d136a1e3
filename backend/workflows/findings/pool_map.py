"""Keeps the map of a project's pool: a point for each of a sample of its tasks, made anew rarely."""

from __future__ import annotations

import numpy as np

from backend.workflows.intake.snapshot import Snapshot
from backend.workflows.project.workspace import Workspace
from model.audit import audit_hash
from model.projection import project_to_plane
from model.records import Embeddings

_MOST_POINTS = 1000
# A map is worth keeping: people find their way on it. This share of unknown tasks makes it worth a new one.
_NEW_SHARE = 0.1


def refresh_map(workspace: Workspace, snapshot: Snapshot) -> int:
    """Draws the map again when too many tasks of the sample are not on it; returns how many points it has."""
    sample = _sample(snapshot, workspace.seed)
    known = set(workspace.map_points.task_ids())
    unknown = [task_id for task_id in sample.ids.tolist() if task_id not in known]
    if len(unknown) <= _NEW_SHARE * len(sample):
        return len(known)
    points = project_to_plane(sample, seed=workspace.seed % 2**32)
    workspace.map_points.replace(
        (task_id, float(x), float(y)) for task_id, (x, y) in zip(sample.ids.tolist(), points, strict=True)
    )
    return len(sample)


def _sample(snapshot: Snapshot, seed: int) -> Embeddings:
    """Real and synthetic tasks alike, those with the lowest hash; the labelled ones are not preferred."""
    real, made = snapshot.embeddings, snapshot.synthetic_embeddings
    ids = np.concatenate([real.ids, made.ids])
    everything = Embeddings(ids, np.concatenate([real.vectors, made.vectors]), real.encoder)
    return everything.take(np.sort(np.argsort(audit_hash(ids, seed + 1))[:_MOST_POINTS]))
