"""How many pictures of a project cannot be read, why, and in which tasks, in words."""

from __future__ import annotations

from dataclasses import dataclass

from backend.json_types import Json
from backend.label_studio.media.errors import PRIVATE
from backend.store.pictures import FaultGroup
from backend.workflows.project.workspace import Workspace


@dataclass(frozen=True, slots=True)
class UnreadPictures:
    """The pictures that cannot be read, by reason, the commonest first."""

    groups: tuple[FaultGroup, ...]

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(group.count for group in self.groups)

    @property
    def title(self) -> str:
        """How many, in words."""
        return f"{self.count:,} {'picture' if self.count == 1 else 'pictures'} cannot be read"

    @property
    def reasons(self) -> str:
        """Why, and in which tasks; of several reasons how many pictures each has."""
        if len(self.groups) == 1:
            return _words(self.groups[0])
        return "; ".join(f"{group.count:,} because {_words(group)}" for group in self.groups)

    @property
    def words(self) -> str:
        """How many, why, and in which tasks."""
        return f"{self.title}: {self.reasons}"

    @property
    def outlook(self) -> str:
        """What becomes of their tasks, and the way out where there is one, in whole sentences."""
        if self.count == 1:
            words = "Its task comes without a pre-annotation; it is tried again by and by, and at once when "
            words += "the task changes."
        else:
            words = "Their tasks come without a pre-annotation; they are tried again by and by, and at once "
            words += "when a task changes."
        if any(group.reason.endswith(PRIVATE) for group in self.groups):
            words += (
                " Private addresses are asked where the setting MEDIA_ALLOW names them, as "
                "MEDIA_ALLOW=minio.internal,10.0.0.0/8; restart then."
            )
        return words

    @property
    def as_json(self) -> Json:
        """`count`, and `words` on them all, empty without any."""
        return {"count": self.count, "words": self.words if self.count else ""}


def unread_pictures(workspace: Workspace) -> UnreadPictures:
    """Those of a project, as last tried."""
    return UnreadPictures(workspace.pictures.faults())


def _words(group: FaultGroup) -> str:
    numbers = ", ".join(map(str, group.task_ids))
    noun = "task" if len(group.task_ids) == 1 else "tasks"
    more = ", …" if group.count > len(group.task_ids) else ""
    return f"{group.reason} ({noun} {numbers}{more})"
