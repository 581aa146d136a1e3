"""How many tasks have no text where the labeling config looks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backend.workflows.project.workspace import Workspace


@dataclass(frozen=True, slots=True)
class TextGaps:
    """Tasks as last read, those among them without any text, and by field of the config those without it."""

    tasks: int
    without_text: int
    by_field: Mapping[str, int]

    @property
    def is_unreadable(self) -> bool:
        """Whether there are tasks, and none of them can be read."""
        return self.tasks > 0 and self.without_text == self.tasks

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is missing. Of several fields a task may lack some, but not all, and no field all tasks."""
        alone = len(self.by_field) == 1
        named = [
            f"{count:,} of {self.tasks:,} tasks have no text in field {field}"
            for field, count in self.by_field.items()
            if count and (alone or count == self.tasks)
        ]
        if self.without_text and not alone:
            fields = ", ".join(self.by_field)
            named.append(
                f"{self.without_text:,} of {self.tasks:,} tasks have no text in any of the fields {fields}"
            )
        return tuple(named)


def find_gaps(workspace: Workspace, fields: tuple[str, ...]) -> TextGaps:
    """What the mirror says about the fields that are read."""
    tasks, without_text = workspace.tasks.count_without_text()
    missing = workspace.tasks.count_missing_fields()
    return TextGaps(tasks, without_text, {field: missing.get(field, 0) for field in fields})
