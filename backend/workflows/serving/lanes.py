"""Places in the window for what a person picked and for what the last loop found: groups, doubtful items."""

from __future__ import annotations

import numpy as np

from backend.workflows.intake.chosen import MOST_ASKED, waiting_choice
from backend.workflows.intake.earlier_findings import (
    OPEN,
    doubtful_verdicts,
    new_class_members,
    read_groups,
    was_asked,
)
from backend.workflows.intake.snapshot import Snapshot
from backend.workflows.project.workspace import Workspace
from model.novelty.grouping import order_of_asking
from model.ranking import LaneQueue


def lane_queues(workspace: Workspace, snapshot: Snapshot) -> list[LaneQueue]:
    """What asks for places of its own: picked tasks, groups of novel tasks, and synthetic tasks to review.

    What a person picked to be asked next stands at the very front. Groups that became a class come whole, and
    soon, as does the most typical task of every group of which nobody has seen one yet; after these one task
    of each other group, and then the rest of all.
    """
    settings = workspace.settings
    open_tasks = set(snapshot.embeddings.ids[snapshot.pool].tolist())
    fresh = list(new_class_members(workspace, snapshot))
    groups = read_groups(workspace, OPEN)
    unseen = [group for group in groups if not was_asked(group, open_tasks)]
    soon = [task_id for task_id in fresh if task_id in open_tasks] + [group.members[0] for group in unseen]
    candidates = [[task_id for task_id in group.members if task_id in open_tasks] for group in groups]
    novel = np.array(soon + order_of_asking(candidates), dtype=np.int64)
    doubtful = [row.task_id for row in doubtful_verdicts(workspace, snapshot)]
    return [
        *_chosen(workspace),
        LaneQueue("novelty", novel, settings.novelty_share, soon=len(soon)),
        LaneQueue("synthetic", np.array(doubtful, dtype=np.int64), settings.synthetic_share),
    ]


def _chosen(workspace: Workspace) -> list[LaneQueue]:
    ids = np.array(waiting_choice(workspace), dtype=np.int64)
    # half a place more, so that rounding never leaves one out
    share = min(1.0, (MOST_ASKED + 0.5) / workspace.settings.queue_window)
    return [LaneQueue("chosen", ids, share, first=True)] if len(ids) else []
