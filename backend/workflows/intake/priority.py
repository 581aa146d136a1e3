"""What an admin wants asked sooner, as the fields of the waiting tasks say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from backend.settings import QuotaSetting
from backend.workflows.project.workspace import Workspace
from model.priority import Priority, Quota
from model.records import Ids

# More than this no one means; and a product of it and a score is a number still.
_MOST = 1e6


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the settings ask for, and what the waiting tasks say to it.

    `multipliers` by task, of those that have one; `without` counts those that have none, or no number above
    0, and so count as 1. `members` are the tasks of each quota.
    """

    field: str
    multipliers: Mapping[int, float]
    without: int
    members: Mapping[QuotaSetting, tuple[int, ...]]

    @property
    def is_heard(self) -> bool:
        """Whether some waiting task speaks to each thing that is asked for."""
        return bool(self.multipliers or not self.field) and all(self.members.values())

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the waiting tasks say to each setting, without full stops."""
        found = [
            f"{quota.name}: at least {100 * quota.share:.3g} % of the order; waiting tasks: {len(tasks):,}"
            for quota, tasks in self.members.items()
        ]
        if self.field:
            given = f"{self.field}: waiting tasks with a number above 0: {len(self.multipliers):,}"
            found.insert(0, f"{given}; without one, which counts as 1: {self.without:,}")
        return tuple(found)

    def of(self, ids: Ids) -> Priority:
        """The same for some items; without a setting nothing."""
        known = set(ids.tolist())
        given = {task: value for task, value in self.multipliers.items() if task in known and value != 1.0}
        quotas = (
            Quota(quota.name, quota.share, _ids(task for task in tasks if task in known))
            for quota, tasks in self.members.items()
        )
        return Priority(_ids(given), np.array(list(given.values()), dtype=np.float64), tuple(quotas))


def read_priority(workspace: Workspace) -> Wishes:
    """The wishes of a project and its waiting tasks, as last read."""
    settings = workspace.settings
    field, quotas = settings.priority_field.strip(), settings.quota_list
    if not settings.order_fields:
        return Wishes("", {}, 0, {})
    rows = [(row.task_id, row.order_fields or {}) for row in workspace.tasks.read_order_fields()]
    found = {task: multiplier(said.get(field, "")) for task, said in rows} if field else {}
    multipliers = {task: value for task, value in found.items() if value is not None}
    members = {
        quota: tuple(task for task, said in rows if said.get(quota.field) == quota.value) for quota in quotas
    }
    return Wishes(field, multipliers, len(found) - len(multipliers), members)


def multiplier(text: str) -> float | None:
    """The number that a field says, above 0 and at most a million; None where it says no such number."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0.0 < value <= _MOST else None


def _ids(tasks: Iterable[int]) -> Ids:
    return np.array(list(tasks), dtype=np.int64)
