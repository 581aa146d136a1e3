"""What people skipped, as the page and the command line show it."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from backend.database import SkipGroup
from backend.json_types import Json
from backend.workflows.project.skip_states import OPEN, REOPEN
from backend.workflows.project.workspace import Workspace
from backend.workflows.views.wording import counted

_TYPICAL = 8


@dataclass(frozen=True, slots=True)
class SkipQuestion:
    """Tasks like skipped ones, about which nobody decided: `skipped` of them, and `waiting` open ones.

    `name` is what they could be called; empty where they are of no one kind, `is_mixed`. `typical` are tasks
    to show.
    """

    number: int
    name: str
    skipped: int
    waiting: int
    words: str
    typical: tuple[int, ...]
    is_mixed: bool = False


@dataclass(frozen=True, slots=True)
class Reopening:
    """Skipped tasks that look like a class that was made later; `tab` shows them in the Data Manager."""

    number: int
    label: str
    tasks: int
    words: str
    tab: int | None


@dataclass(frozen=True, slots=True)
class SkipsView:
    """What waits for an answer, what may be opened again, and how many tasks wait behind the others."""

    questions: tuple[SkipQuestion, ...]
    reopenings: tuple[Reopening, ...]
    waiting: int

    def to_json(self) -> Json:
        """All fields as a dict."""
        return asdict(self)


def read_skips(workspace: Workspace) -> SkipsView:
    """As the last loop found it: the question about most tasks first."""
    asked = sorted(workspace.skip_groups.read(OPEN), key=lambda row: (-_size(row), row.number))
    tab = workspace.state.tabs.get("skipped")
    return SkipsView(
        questions=tuple(_question(row) for row in asked),
        reopenings=tuple(_reopening(row, tab) for row in workspace.skip_groups.read(REOPEN)),
        waiting=sum(int(row.figures.get("behind", 0)) for row in workspace.loops.newest_published(1)),
    )


def _size(row: SkipGroup) -> int:
    return len(row.skipped) + len(row.waiting)


def _question(row: SkipGroup) -> SkipQuestion:
    kind = "of different kinds, " if row.is_mixed else ""
    waiting = counted(len(row.waiting), "open task")
    words = f"{waiting}, {kind}like {counted(len(row.skipped), 'task')} that people skipped"
    return SkipQuestion(
        number=row.number,
        name=row.name,
        skipped=len(row.skipped),
        waiting=len(row.waiting),
        words=words,
        typical=tuple([*row.skipped, *row.waiting][:_TYPICAL]),
        is_mixed=row.is_mixed,
    )


def _reopening(row: SkipGroup, tab: int | None) -> Reopening:
    tasks = len(row.skipped)
    looks = "looks" if tasks == 1 else "look"
    words = f"{counted(tasks, 'task')} that people skipped {looks} like “{row.name}”"
    return Reopening(row.number, row.name, tasks, words, tab)
