"""How many tasks have no text, or no picture, where the labeling config looks for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backend.label_studio.label_config import LabelConfig
from backend.label_studio.shown_noun import TEXT, Noun, field_nouns
from backend.workflows.project.workspace import Workspace


@dataclass(frozen=True, slots=True)
class TextGaps:
    """Tasks as last read, those among them without anything to read, and by field of the config those
    without it. `noun` is what tasks show, `nouns` what each field holds.
    """

    tasks: int
    without_text: int
    by_field: Mapping[str, int]
    noun: Noun = TEXT
    nouns: Mapping[str, Noun] = field(default_factory=dict)

    @property
    def is_unreadable(self) -> bool:
        """Whether there are tasks, and none of them can be read."""
        return self.tasks > 0 and self.without_text == self.tasks

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is missing. Of several fields a task may lack some, but not all, and no field all tasks."""
        alone = len(self.by_field) == 1
        named = [
            f"{count:,} of {self.tasks:,} tasks have no {self.nouns.get(name, self.noun).one} in field {name}"
            for name, count in self.by_field.items()
            if count and (alone or count == self.tasks)
        ]
        if self.without_text and not alone:
            fields = ", ".join(self.by_field)
            named.append(
                f"{self.without_text:,} of {self.tasks:,} tasks have no {self.noun.one} in any of the fields "
                f"{fields}"
            )
        return tuple(named)


def find_gaps(workspace: Workspace, config: LabelConfig) -> TextGaps:
    """What the mirror says about the fields that are read."""
    tasks, without_text = workspace.tasks.count_without_text()
    missing, nouns = workspace.tasks.count_missing_fields(), field_nouns(config)
    by_field = {name: missing.get(name, 0) for name in config.text_fields}
    return TextGaps(tasks, without_text, by_field, workspace.noun, nouns)
