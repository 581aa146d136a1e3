"""Changes of classes: the config and every annotation as they were before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from backend.database import RelabelledAnswer, Relabelling
from backend.json_types import Json
from backend.store.decisions import new_decision
from backend.store.table import ProjectTable

if TYPE_CHECKING:
    from backend.label_studio.relabel import Change

# A change: it is being written (or was broken off in the middle), was written, was taken back.
WRITING, DONE, UNDONE = "writing", "done", "undone"
# An annotation: as it was is kept; it was put back; it was left, since somebody changed it.
KEPT, RESTORED, LEFT = "kept", "restored", "left"


class Relabellings(ProjectTable):
    """Changes in the order in which they were made."""

    def newest(self, *states: str) -> Relabelling | None:
        """The last change in one of these states."""
        with self._database.session() as session:
            return session.scalars(
                select(Relabelling)
                .where(Relabelling.project_id == self._project_id, Relabelling.state.in_(states))
                .order_by(Relabelling.id.desc())
                .limit(1)
            ).first()

    def finished(self) -> Sequence[Relabelling]:
        """All that were written, those that were taken back again among them."""
        with self._database.session() as session:
            return session.scalars(
                select(Relabelling)
                .where(Relabelling.project_id == self._project_id, Relabelling.state.in_((DONE, UNDONE)))
                .order_by(Relabelling.id)
            ).all()

    def begin(self, change: Change) -> Relabelling:
        """Writes down what is about to be written."""
        row = Relabelling(
            project_id=self._project_id,
            kind=change.kind,
            question=change.question,
            state=WRITING,
            config_before=change.before,
            config_both=change.both,
            config_after=change.after,
        )
        with self._database.session() as session:
            session.add(row)
        return row

    def end(self, row: Relabelling, state: str, details: Mapping[str, object], *, by: str) -> None:
        """Writes down that a change is done or undone, and who decided it."""
        kind = f"classes-{row.kind}" if state == DONE else f"classes-un{row.kind}"
        with self._database.session() as session:
            session.add(row)
            row.state = state
            session.add(new_decision(self._project_id, kind, details, by=by))

    def keep(self, row: Relabelling, task_id: int, before: Json, after: list[Json], *, removed: bool) -> None:
        """Keeps an annotation as it is, right before it is written."""
        answer = RelabelledAnswer(
            relabelling_id=row.id,
            task_id=task_id,
            annotation_id=int(before["id"]),
            state=KEPT,
            before=before,
            after=after,
            is_removed=removed,
        )
        with self._database.session() as session:
            session.add(answer)

    def kept(self, row: Relabelling) -> Sequence[RelabelledAnswer]:
        """The annotations of a change that were neither put back nor left, the last first."""
        with self._database.session() as session:
            return session.scalars(
                select(RelabelledAnswer)
                .where(RelabelledAnswer.relabelling_id == row.id, RelabelledAnswer.state == KEPT)
                .order_by(RelabelledAnswer.id.desc())
            ).all()

    def settle(self, answer: RelabelledAnswer, state: str) -> None:
        """Writes down what became of an annotation when the change was taken back."""
        with self._database.session() as session:
            session.add(answer)
            answer.state = state

    def count(self, row: Relabelling) -> Counter[str]:
        """How many annotations of a change are in each state."""
        with self._database.session() as session:
            found = session.execute(
                select(RelabelledAnswer.state, func.count())
                .where(RelabelledAnswer.relabelling_id == row.id)
                .group_by(RelabelledAnswer.state)
            )
            return Counter({str(state): int(number) for state, number in found})
