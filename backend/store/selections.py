"""What people picked on the map of a project."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select

from backend.database import Selection
from backend.store.table import ProjectTable

_TAB, _NEXT = "tab", "next"


class Selections(ProjectTable):
    """Tasks in tabs of their own, and tasks to ask next."""

    def add_tab(self, tab: int) -> None:
        """Remembers a tab of Label Studio that was made for some tasks."""
        with self._database.session() as session:
            session.add(Selection(project_id=self._project_id, use=_TAB, tab=tab))

    def tabs(self) -> list[int]:
        """Label Studio's numbers of all tabs that were made, whether they are still there or not."""
        with self._database.session() as session:
            found = session.scalars(
                select(Selection.tab).where(Selection.project_id == self._project_id, Selection.use == _TAB)
            )
            return [tab for tab in found if tab is not None]

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
