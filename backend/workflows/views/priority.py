"""What an admin wants asked sooner, what the tasks say to it, and what it changed, as people read it."""

from __future__ import annotations

from dataclasses import dataclass

from backend.json_types import Json
from backend.workflows.intake.priority import read_priority
from backend.workflows.project.figures import Figures
from backend.workflows.project.workspace import Workspace
from backend.workflows.views.wording import counted

# docs/figures.md: what a single project cannot tell, as it is labelled once
_SIMULATED = (
    "In a simulation by fields that say nothing about the texts, a third of the places took about 13 % more "
    "answers to the same accuracy, and doubled scores about 5 % more."
)


@dataclass(frozen=True, slots=True)
class PriorityView:
    """The two settings in words, and how many of the `window` tasks last sent came by them.

    `moved` is None where that is not known: the order was made before the settings, or without them.
    """

    sentences: tuple[str, ...]
    without_number: int
    moved: int | None
    window: int

    @property
    def cost(self) -> str:
        """What it changed, in one sentence; empty where there is nothing to say."""
        if not self.sentences or self.moved is None:
            return ""
        if not self.moved:
            return "It changed none of the tasks that come next."
        share = f"{self.moved:,} of the {counted(self.window, 'task')} of this order"
        come = "comes" if self.moved == 1 else "come"
        return f"{share} {come} by it, in place of ones that the model would ask first. {_SIMULATED}"

    def to_json(self) -> Json:
        """All of it."""
        return {
            "words": list(self.sentences),
            "without_number": self.without_number,
            "moved": self.moved,
            "window": self.window,
            "cost": self.cost,
        }


def view_priority(workspace: Workspace) -> PriorityView:
    """The priority of a project as its tasks were last read, and what it changed in the order that serves."""
    wishes = read_priority(workspace)
    rows = workspace.loops.newest_published(1)
    figures = Figures()
    if rows and rows[0].version == workspace.state.active_version:
        figures = Figures.read(rows[0].figures)
    return PriorityView(wishes.sentences, wishes.without, figures.moved, figures.window)
