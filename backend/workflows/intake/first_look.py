"""The first look at a large project: a sample of its tasks is read, so that there is an order soon.

Label Studio gives some hundreds of tasks a second. The sample is drawn by the audit's hash from the ids
alone, and what has answers is read too; the next loop reads the rest. Blind tasks are those of the whole
project from the beginning: their hashes are the smallest of all, and those are in the sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

import numpy as np

from backend.database import in_chunks
from backend.json_types import Json
from backend.label_studio.client import LabelStudio
from backend.label_studio.label_config import LabelConfig
from backend.label_studio.tasks import read_task
from backend.workflows.project.progress import Progress
from backend.workflows.project.workspace import Workspace
from model.audit import encoding_order
from model.records import Ids

# Beyond so many tasks reading all of them takes longer than people wait.
_LARGE: Final = 5000
_SAMPLE: Final = 3000  # tasks
_MOST_ANSWERED_PAGES: Final = 2
# Ids in one address.
_AT_ONCE: Final = 300
# Where fewer of the ids between the smallest and the largest are tasks of the project, a draw finds too few.
_DENSE: Final = 0.25
_MOST_IDS: Final = 50_000_000


def is_first_look(workspace: Workspace, total: int) -> bool:
    """Whether a project of so many tasks is large, and none of them was read before."""
    return total > _LARGE and workspace.state.active_version is None and not workspace.tasks.count()


def read_sample(
    workspace: Workspace, remote: LabelStudio, total: int, *, config: LabelConfig, progress: Progress
) -> int | None:
    """Reads tasks with answers and a sample of all; returns how many, None where ids are too scattered."""
    low, high = remote.id_range(workspace.label_studio_id)
    count = high - low + 1
    if count > _MOST_IDS or total < _DENSE * count:
        return None
    progress.stage("fetching the first tasks", total=_SAMPLE)
    drawn = _draw(np.arange(low, high + 1, dtype=np.int64), workspace.seed, wanted=_SAMPLE * count // total)
    read, synthetic, fields = set[int](), workspace.synthetic_fields, workspace.settings.order_fields
    for page in _pages(workspace, remote, drawn):
        states = [read_task(task, config, synthetic=synthetic, order_fields=fields) for task in page]
        workspace.tasks.write(states)
        read |= {state.task_id for state in states}
        progress.advance(len(states))
    return len(read)


def _draw(ids: Ids, seed: int, *, wanted: int) -> list[int]:
    """The ids that are encoded first."""
    order = encoding_order(ids, seed, first=np.zeros(len(ids), dtype=np.bool_))
    drawn: list[int] = ids[order[:wanted]].tolist()
    return drawn


def _pages(workspace: Workspace, remote: LabelStudio, drawn: Sequence[int]) -> Iterator[list[Json]]:
    number = workspace.label_studio_id
    yield from islice(remote.annotated_tasks(number), _MOST_ANSWERED_PAGES)
    for chunk in in_chunks(drawn, _AT_ONCE):
        yield remote.tasks_of(number, chunk)
