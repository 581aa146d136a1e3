"""Labels tasks from the known answers, in the order in which Label Studio serves them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from demo.project import LabelingProject


@dataclass(slots=True)
class Labeler:
    """Somebody who knows the answers, and who notes whether tasks come in the order that was published."""

    project: LabelingProject
    answers: Mapping[int, str] = field(default_factory=dict)
    labelled: list[int] = field(default_factory=list)
    skipped: list[int] = field(default_factory=list)
    out_of_order: list[str] = field(default_factory=list)
    _orders: dict[str, list[int]] = field(default_factory=dict)

    @property
    def seen(self) -> frozenset[int]:
        """Tasks that this person has had, and that Label Studio does not serve again."""
        return frozenset(self.labelled) | frozenset(self.skipped)

    def open_next(self) -> int:
        """The task served next; a task that is not the first of the published order is noted."""
        versions = [self.project.fetch_version()]
        task_id = int(self.project.serve_next()["id"])
        # A newer model may be published between two questions: then either order is right.
        versions.append(self.project.fetch_version())
        expected = {self._find_first(version) for version in versions if version}
        if task_id not in expected:
            self.out_of_order.append(f"task {task_id} was served, first of {versions[-1]} was {expected}")
        return task_id

    def submit_next(self, regions: Mapping[int, Sequence[Mapping[str, Any]]]) -> int:
        """Submit what is known of the next task, by its id; the task."""
        task_id = self.open_next()
        self.project.submit(task_id, regions[task_id])
        self.labelled.append(task_id)
        return task_id

    def label_next(self) -> str | None:
        """Answer the next task; one that fits no label is skipped. Returns the label given."""
        task_id = self.open_next()
        label = self.answers.get(task_id)
        if label is None:
            self.project.skip(task_id)
            self.skipped.append(task_id)
        else:
            self.project.annotate(task_id, label)
            self.labelled.append(task_id)
        return label

    def _find_first(self, version: str) -> int | None:
        waiting = [task_id for task_id in self._orders.get(version, []) if task_id not in self.seen]
        if not waiting:
            self._orders[version] = self.project.fetch_published_order(version)
            waiting = [task_id for task_id in self._orders[version] if task_id not in self.seen]
        return waiting[0] if waiting else None
