"""Groups of tasks that people skipped, and what became of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from backend.database import SkipGroup
from backend.store.decisions import new_decision
from backend.store.table import ProjectTable, may_exist


class SkipGroups(ProjectTable):
    """Groups by their number in the project. `state`: open, class, exclude, ask, reopen or reopened."""

    def find(self, number: int) -> SkipGroup | None:
        """One group; None where there is none."""
        if not may_exist(number):
            return None
        with self._database.session() as session:
            return session.scalar(
                select(SkipGroup).where(SkipGroup.project_id == self._project_id, SkipGroup.number == number)
            )

    def new(self, number: int, *, name: str, state: str) -> SkipGroup:
        """A group that is not kept yet."""
        return SkipGroup(project_id=self._project_id, number=number, name=name, state=state)

    def read(self, *states: str) -> Sequence[SkipGroup]:
        """The groups in one of these states, in the order of their numbers; without a state all."""
        query = select(SkipGroup).where(SkipGroup.project_id == self._project_id).order_by(SkipGroup.number)
        if states:
            query = query.where(SkipGroup.state.in_(states))
        with self._database.session() as session:
            return session.scalars(query).all()

    def renew(self, kept: Iterable[SkipGroup], *, gone: Iterable[SkipGroup]) -> None:
        """Writes groups down, new and changed ones, and deletes those that are gone."""
        with self._database.session() as session:
            session.add_all(kept)
            for group in gone:
                session.delete(group)

    def decide(self, group: SkipGroup, *, state: str, name: str, by: str) -> None:
        """Writes down what a person decided about a group, and who it was."""
        with self._database.session() as session:
            session.add(group)
            group.state, group.name = state, name
            details = {"group": group.number, "label": name, "skipped": len(group.skipped)}
            session.add(new_decision(self._project_id, f"skips-{state}", details, by=by))
