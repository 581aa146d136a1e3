"""What people picked on the map of a project."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select

from backend.database import Selection
from backend.store.table import ProjectTable

_TAB, _NEXT = "tab", "next"


class Selections(ProjectTable):
    """Tasks in tabs of their own, and tasks to ask next."""

    def add_tab(self, task_ids: Sequence[int]) -> int:
        """Remembers a tab for some tasks before it is made; returns the number that marks its tasks."""
        with self._database.session() as session:
            row = Selection(project_id=self._project_id, use=_TAB, task_ids=list(task_ids))
            session.add(row)
            session.flush()
            return row.id

    def name_tab(self, number: int, tab: int) -> None:
        """Remembers what Label Studio calls the tab of a number."""
        with self._database.session() as session:
            session.get_one(Selection, number).tab = tab

    def tabs(self) -> list[int]:
        """Label Studio's numbers of all tabs that were made, whether they are still there or not."""
        with self._database.session() as session:
            found = session.scalars(
                select(Selection.tab).where(Selection.project_id == self._project_id, Selection.use == _TAB)
            )
            return [tab for tab in found if tab is not None]

    def tab_members(self) -> dict[int, list[int]]:
        """The tasks of each tab, by the number that marks them, the oldest first."""
        with self._database.session() as session:
            rows = session.execute(
                select(Selection.id, Selection.task_ids)
                .where(Selection.project_id == self._project_id, Selection.use == _TAB)
                .order_by(Selection.id)
            )
            return {row.id: list(row.task_ids) for row in rows}

    def to_ask(self) -> list[int]:
        """The tasks that somebody wants asked next, in his order, answered ones among them."""
        with self._database.session() as session:
            found = session.scalar(
                select(Selection.task_ids).where(
                    Selection.project_id == self._project_id, Selection.use == _NEXT
                )
            )
            return list(found or [])

    def ask(self, task_ids: Sequence[int]) -> None:
        """Puts these tasks in place of those that were to be asked next; none ends it."""
        with self._database.session() as session:
            session.execute(
                delete(Selection).where(Selection.project_id == self._project_id, Selection.use == _NEXT)
            )
            if task_ids:
                session.add(Selection(project_id=self._project_id, use=_NEXT, task_ids=list(task_ids)))

    def forget(self) -> None:
        """Forgets all of them."""
        with self._database.session() as session:
            session.execute(delete(Selection).where(Selection.project_id == self._project_id))
