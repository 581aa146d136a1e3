"""What groups of tasks could be called: possible new classes, and tasks like those that people skip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from backend.workflows.project.workspace import Workspace
from backend.workflows.training.learn import Learned
from model.novelty.grouping import Group
from model.novelty.naming import name_groups

_OTHERS: Final = 2000  # tasks that names are told apart from


def propose_names(workspace: Workspace, learned: Learned, groups: Sequence[Group]) -> list[str]:
    """What each group could be called by the words of its tasks; empty where they do not tell."""
    if not groups:
        return []
    grouped = [task_id for group in groups for task_id in group.ids]
    ids = learned.seen.embeddings.ids
    others = ids[~np.isin(ids, grouped)][:_OTHERS].tolist()
    words = workspace.tasks.read_words([*grouped, *others])
    return name_groups(
        [[words[task_id] for task_id in group.ids] for group in groups],
        [words[task_id] for task_id in others],
    )
