"""Groups of novel tasks, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from backend.database import NovelGroup
from backend.store.decisions import new_decision
from backend.store.table import ProjectTable, may_exist


class Groups(ProjectTable):
    """Groups by their number in the project. `state`: open, added or rejected."""

    def find(self, number: int) -> NovelGroup | None:
        """One group; None where there is none."""
        if not may_exist(number):
            return None
        with self._database.session() as session:
            return session.scalar(
                select(NovelGroup).where(
                    NovelGroup.project_id == self._project_id, NovelGroup.number == number
                )
            )

    def new(self, number: int, *, name: str, version: str) -> NovelGroup:
        """An open group that is not kept yet."""
        return NovelGroup(
            project_id=self._project_id, number=number, name=name, state="open", version=version
        )

    def read_all(self) -> Sequence[NovelGroup]:
        """Every group, whatever its state."""
        with self._database.session() as session:
            return session.scalars(select(NovelGroup).where(NovelGroup.project_id == self._project_id)).all()

    def in_state(self, state: str) -> Sequence[NovelGroup]:
        """The groups in a state."""
        with self._database.session() as session:
            return session.scalars(
                select(NovelGroup).where(NovelGroup.project_id == self._project_id, NovelGroup.state == state)
            ).all()

    def by_number(self, state: str) -> Sequence[NovelGroup]:
        """The groups in a state, in the order of their numbers."""
        with self._database.session() as session:
            return session.scalars(
                select(NovelGroup)
                .where(NovelGroup.project_id == self._project_id, NovelGroup.state == state)
                .order_by(NovelGroup.number)
            ).all()

    def read_members(self, *, state: str | None = None) -> Sequence[list[int]]:
        """The members of every group, or of those in a state."""
        query = select(NovelGroup.members).where(NovelGroup.project_id == self._project_id)
        if state is not None:
            query = query.where(NovelGroup.state == state)
        with self._database.session() as session:
            return session.scalars(query).all()

    def renew(self, kept: Iterable[NovelGroup], *, gone: Iterable[NovelGroup]) -> None:
        """Writes groups down, new and changed ones, and deletes those that are gone."""
        with self._database.session() as session:
            session.add_all(kept)
            for group in gone:
                session.delete(group)

    def decide(self, group: NovelGroup, *, state: str, label: str | None, by: str) -> None:
        """Writes down what a person decided about a group, and who it was."""
        with self._database.session() as session:
            session.add(group)
            group.state = state
            if label is not None:
                group.name = label
            details = {"group": group.number, "label": label, "members": len(group.members)}
            session.add(new_decision(self._project_id, f"group-{state}", details, by=by))
