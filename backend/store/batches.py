"""Batches of tasks whose texts wait to be encoded: the queue that every worker takes from.

A batch is claimed for a while by one statement that compares and sets, as a project's lease is, so that of
several workers one gets it. What its holder does not finish in time is claimed by somebody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, and_, delete, exists, func, not_, or_, select, update

from backend.database import Database, EncodingBatch, Project
from backend.store.table import ProjectTable

# Nobody claims a batch, or lets one rest, for longer (seconds). A claim that ends later was made while the
# date was ahead: it is not believed. Clocks of machines may differ by a little.
LONGEST_S: Final = 60.0
_SLACK_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Batch:
    """A claimed batch: its tasks, the revision that encodes them, and how often somebody began it.

    `wakes`: a loop is worth it once it is done. `fault`: why none of its texts could be encoded when it was
    last tried; empty where nothing is known.
    """

    id: int
    project_id: int
    encoder: str
    task_ids: Sequence[int]
    wakes: bool
    tries: int
    fault: str


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to become a batch: a task of each text, and the `size`, how many tasks show these texts."""

    task_ids: Sequence[int]
    size: int
    wakes: bool


class Batches:
    """The batches of all connected projects."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, owner: str, *, seconds: float, project_id: int | None = None) -> Batch | None:
        """Makes somebody the holder of the next batch, of one project or of all; None where none is free.

        Those that nobody began come first, and of these the first of each project.
        """
        while (found := self._next_free(project_id)) is not None:
            if (batch := self._take(found, owner, seconds)) is not None:
                return batch
        return None

    def renew(self, batch_id: int, owner: str, *, seconds: float) -> bool:
        """Lets the holder keep a batch for longer; False for who does not hold it (any more)."""
        return self._write(batch_id, owner, claimed_until=self._database.now() + seconds)

    def give_back(self, batch_id: int, owner: str, *, rest_s: float = 0.0) -> None:
        """Leaves a batch to others, once it has rested for a while; does nothing for who does not hold it."""
        self._write(batch_id, owner, claimed_by=None, claimed_until=self._database.now() + rest_s)

    def keep_faulty(self, batch_id: int, owner: str, left: Planned, *, fault: str) -> bool:
        """Leaves of a batch what cannot be encoded, and says why; it is tried again after the longest rest.

        False for who does not hold it (any more).
        """
        return self._write(
            batch_id,
            owner,
            task_ids=list(left.task_ids),
            size=left.size,
            wakes=left.wakes,
            fault=fault,
            claimed_by=None,
            claimed_until=self._database.now() + LONGEST_S,
        )

    def finish(self, batch_id: int, owner: str) -> bool:
        """Takes a batch away that is done; False for who does not hold it (any more)."""
        with self._database.session() as session:
            gone = session.execute(
                delete(EncodingBatch)
                .where(EncodingBatch.id == batch_id, EncodingBatch.claimed_by == owner)
                .returning(EncodingBatch.id)
            )
            return gone.scalar() is not None

    def _next_free(self, project_id: int | None) -> int | None:
        query = select(EncodingBatch.id).join(Project, Project.id == EncodingBatch.project_id)
        query = query.where(Project.connected, _ran_out(self._database.now()))
        if project_id is not None:
            query = query.where(EncodingBatch.project_id == project_id)
        order = (EncodingBatch.tries, EncodingBatch.place, EncodingBatch.id)
        with self._database.session() as session:
            return session.scalar(query.order_by(*order).limit(1))

    def _take(self, batch_id: int, owner: str, seconds: float) -> Batch | None:
        now = self._database.now()
        with self._database.session() as session:
            row = session.execute(
                update(EncodingBatch)
                .where(EncodingBatch.id == batch_id, _ran_out(now))
                .values(claimed_by=owner, claimed_until=now + seconds, tries=EncodingBatch.tries + 1)
                .returning(EncodingBatch)
            ).scalar()
            if row is None:
                return None
            return Batch(row.id, row.project_id, row.encoder, row.task_ids, row.wakes, row.tries, row.fault)

    def _write(self, batch_id: int, owner: str, **values: object) -> bool:
        with self._database.session() as session:
            written = session.execute(
                update(EncodingBatch)
                .where(EncodingBatch.id == batch_id, EncodingBatch.claimed_by == owner)
                .values(**values)
                .returning(EncodingBatch.id)
            )
            return written.scalar() is not None


class ProjectBatches(ProjectTable):
    """The batches of one project."""

    def count_tasks(self, encoder: str | None = None) -> int:
        """Tasks whose texts are in batches that are not done, of all encoders or of one."""
        total = select(func.coalesce(func.sum(EncodingBatch.size), 0))
        total = total.where(EncodingBatch.project_id == self._project_id)
        if encoder is not None:
            total = total.where(EncodingBatch.encoder == encoder)
        with self._database.session() as session:
            return session.scalar(total) or 0

    def are_any_waiting(self) -> bool:
        """Whether there are batches of which nothing is known against their texts."""
        mine = (EncodingBatch.project_id == self._project_id, EncodingBatch.fault == "")
        with self._database.session() as session:
            return session.scalar(select(exists().where(*mine))) or False

    def faults(self) -> dict[int, str]:
        """Tasks whose texts cannot be encoded, one of each text, and what kind of error each raises."""
        mine = (EncodingBatch.project_id == self._project_id, EncodingBatch.fault != "")
        with self._database.session() as session:
            rows = session.execute(
                select(EncodingBatch.task_ids, EncodingBatch.fault).where(*mine).order_by(EncodingBatch.id)
            )
            return {task_id: fault for task_ids, fault in rows for task_id in task_ids}

    def plan(self, encoder: str, batches: Sequence[Planned]) -> None:
        """Leaves batches to the workers, in their order, in place of those that nobody encodes now or can."""
        with self._database.session() as session:
            session.execute(delete(EncodingBatch).where(*self._unclaimed(encoder)))
            session.add_all(
                EncodingBatch(
                    project_id=self._project_id,
                    encoder=encoder,
                    place=place,
                    task_ids=list(batch.task_ids),
                    size=batch.size,
                    wakes=batch.wakes,
                )
                for place, batch in enumerate(batches)
            )

    def held_tasks(self, encoder: str) -> set[int]:
        """Tasks that somebody encodes now by an encoder, and those that nobody can."""
        with self._database.session() as session:
            rows = session.scalars(
                select(EncodingBatch.task_ids).where(
                    EncodingBatch.project_id == self._project_id,
                    EncodingBatch.encoder == encoder,
                    or_(
                        EncodingBatch.fault != "",
                        and_(EncodingBatch.claimed_by.is_not(None), not_(_ran_out(self._database.now()))),
                    ),
                )
            )
            return {task_id for task_ids in rows for task_id in task_ids}

    def forget(self) -> None:
        """Takes all of them away."""
        with self._database.session() as session:
            session.execute(delete(EncodingBatch).where(EncodingBatch.project_id == self._project_id))

    def _unclaimed(self, encoder: str) -> tuple[ColumnElement[bool], ...]:
        """Those of another encoder among them."""
        nobody = or_(EncodingBatch.claimed_by.is_(None), _ran_out(self._database.now()))
        return (
            EncodingBatch.project_id == self._project_id,
            or_(and_(nobody, EncodingBatch.fault == ""), EncodingBatch.encoder != encoder),
        )


def _ran_out(now: float) -> ColumnElement[bool]:
    """Whether nobody is to be believed to hold a batch at a moment, and it does not rest either."""
    return or_(EncodingBatch.claimed_until < now, EncodingBatch.claimed_until > now + LONGEST_S + _SLACK_S)
