"""How many pictures of a project cannot be read, why, and in which tasks, in words."""

from __future__ import annotations

from dataclasses import dataclass

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
        several = len(self.groups) > 1
        return "; ".join(_words(group, is_one_of_several=several) for group in self.groups)

    @property
    def words(self) -> str:
        """How many, why, and in which tasks."""
        return f"{self.title}: {self.reasons}"

    @property
    def outlook(self) -> str:
        """What becomes of their tasks, and the way out where there is one, in whole sentences."""
        if self.count == 1:
            words = "Its task comes without a pre-annotation; the picture is tried again by and by, and at "
            words += "once when its task changes."
        else:
            words = "Their tasks come without a pre-annotation; the pictures are tried again by and by, and "
            words += "at once when their task changes."
        if any(group.reason.endswith(PRIVATE) for group in self.groups):
            words += (
                " Private addresses are asked where the setting MEDIA_ALLOW names them, as "
                "MEDIA_ALLOW=minio.internal,10.0.0.0/8; restart then."
            )
        return words


def unread_pictures(workspace: Workspace) -> UnreadPictures:
    """Those of a project, as last tried."""
    return UnreadPictures(workspace.pictures.faults())


def _words(group: FaultGroup, *, is_one_of_several: bool) -> str:
    numbers = ", ".join(map(str, group.task_ids))
    noun = "task" if len(group.task_ids) == 1 else "tasks"
    more = ", …" if group.count > len(group.task_ids) else ""
    count = f"{group.count:,}: " if is_one_of_several else ""
    return f"{group.reason} ({count}{noun} {numbers}{more})"
