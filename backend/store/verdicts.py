"""What the last loop found a project's synthetic tasks to be worth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select

from backend.database import Verdict
from backend.store.table import ProjectTable

if TYPE_CHECKING:
    from model.synthetic.items import JudgedItem


class Verdicts(ProjectTable):
    """One verdict a task."""

    def replace(self, items: Iterable[JudgedItem]) -> None:
        """Writes verdicts down in place of the last ones."""
        with self._database.session() as session:
            session.execute(delete(Verdict).where(Verdict.project_id == self._project_id))
            session.add_all(
                Verdict(
                    project_id=self._project_id,
                    task_id=item.id,
                    verdict=item.verdict,
                    value=item.value,
                    low=item.low,
                    high=item.high,
                    realism=item.realism,
                    duplicate_of=item.duplicate_of,
                    reason=item.reason,
                    review_order=item.review_order,
                )
                for item in items
            )

    def of_kinds(self, kinds: Sequence[str]) -> list[Verdict]:
        """The verdicts of some kinds, by task."""
        with self._database.session() as session:
            return list(
                session.scalars(
                    select(Verdict)
                    .where(Verdict.project_id == self._project_id, Verdict.verdict.in_(kinds))
                    .order_by(Verdict.task_id)
                )
            )

    def count(self) -> dict[str, int]:
        """How many tasks have each verdict; verdicts that none has are left out."""
        with self._database.session() as session:
            counted = session.execute(
                select(Verdict.verdict, func.count())
                .where(Verdict.project_id == self._project_id)
                .group_by(Verdict.verdict)
            )
            return {str(verdict): int(number_of) for verdict, number_of in counted}
