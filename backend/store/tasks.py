"""The mirror of a project's tasks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, String, cast, delete, func, or_, select, update

from backend.columns import Damaged
from backend.database import Base, Database, MapPoint, Task, in_chunks, upsert
from backend.label_studio.tabs import FLAG_FIELD
from backend.label_studio.tasks import TaskState
from backend.store.embeddings import Vectors
from backend.store.snapshot_rows import SnapshotRows, read_snapshot_rows
from backend.store.table import ProjectTable

# Rows that are read together where all of a project are looked at.
_AT_A_TIME = 1000
# Tasks without pictures: their text is all that they show.
_ALONE = cast(Task.pictures, String).in_(("{}", "null"))
# The same where addresses of pictures are read too: one may hold the picture itself.
_AT_A_TIME_WITH_PICTURES = 256


class Tasks(ProjectTable):
    """What Label Studio's tasks say, and what people said about them, as last read."""

    def __init__(self, database: Database, project_id: int, vectors: Vectors) -> None:
        super().__init__(database, project_id)
        self._vectors = vectors

    def write(self, states: Iterable[TaskState]) -> None:
        """Takes tasks down as they are now; what was known of them before is replaced."""
        with self._database.session() as session:
            upsert(session, Task, [{"project_id": self._project_id} | _columns(state) for state in states])

    def keep_only(self, there: set[int]) -> int:
        """Forgets every task but these; returns how many went."""
        with self._database.session() as session:
            here = set(session.scalars(select(Task.task_id).where(Task.project_id == self._project_id)))
            gone = sorted(here - there)
            for chunk in in_chunks(gone):
                session.execute(
                    delete(Task).where(Task.project_id == self._project_id, Task.task_id.in_(chunk))
                )
        return len(gone)

    def without_intention(self) -> set[int]:
        """Synthetic tasks of which nobody said what they were meant to be answered with."""
        undecided = select(Task.task_id).where(
            Task.project_id == self._project_id, Task.is_synthetic, Task.intended_label.is_(None)
        )
        with self._database.session() as session:
            return set(session.scalars(undecided))

    def write_intentions(self, labels: Mapping[int, str]) -> None:
        """What synthetic tasks were meant to be answered with, as it is kept."""
        with self._database.session() as session:
            for task_id, label in labels.items():
                session.execute(
                    update(Task)
                    .where(Task.project_id == self._project_id, Task.task_id == task_id)
                    .values(intended_label=label)
                )

    def count(self) -> int:
        """How many there are."""
        with self._database.session() as session:
            return session.scalar(select(func.count()).where(Task.project_id == self._project_id)) or 0

    def count_labelled(self) -> tuple[int, int]:
        """How many there are, and how many of them have a label."""
        with self._database.session() as session:
            tasks, labelled = session.execute(
                select(func.count(), func.count(Task.label)).where(Task.project_id == self._project_id)
            ).one()
        return tasks, labelled

    def labels(self) -> list[str]:
        """Every label that some task has, in alphabetical order."""
        with self._database.session() as session:
            found = session.scalars(
                select(Task.label).where(Task.project_id == self._project_id).distinct().order_by(Task.label)
            )
            return [label for label in found if label is not None]

    def count_outcomes(self) -> dict[str, int]:
        """How many tasks, synthetic ones apart, came to what."""
        with self._database.session() as session:
            rows = session.execute(
                select(Task.outcome, func.count())
                .where(Task.project_id == self._project_id, Task.is_synthetic.is_(False))
                .group_by(Task.outcome)
            )
            return {row[0]: row[1] for row in rows}

    def of_outcomes(self, outcomes: Iterable[str]) -> dict[int, str]:
        """Tasks that came to one of these, and to which; synthetic ones apart."""
        with self._database.session() as session:
            rows = session.execute(
                select(Task.task_id, Task.outcome)
                .where(
                    Task.project_id == self._project_id,
                    Task.is_synthetic.is_(False),
                    Task.outcome.in_(list(outcomes)),
                )
                .order_by(Task.task_id)
            )
            return {row.task_id: row.outcome for row in rows}

    def unfinished_of(self, outcomes: Iterable[str]) -> dict[int, str]:
        """Tasks with a text that came to one of these and are open in Label Studio; synthetic ones apart."""
        with self._database.session() as session:
            rows = session.execute(
                select(Task.task_id, Task.outcome).where(
                    Task.project_id == self._project_id,
                    Task.is_synthetic.is_(False),
                    Task.outcome.in_(list(outcomes)),
                    Task.is_labeled.is_(False),
                    Task.content_hash != "",
                )
            )
            return {row.task_id: row.outcome for row in rows}

    def outcomes_of(self, task_ids: Sequence[int]) -> dict[int, str]:
        """What came of the answers to some tasks; empty where there are none."""
        found: dict[int, str] = {}
        with self._database.session() as session:
            for chunk in in_chunks(task_ids):
                rows = session.execute(
                    select(Task.task_id, Task.outcome).where(
                        Task.project_id == self._project_id, Task.task_id.in_(chunk)
                    )
                )
                found.update({row.task_id: row.outcome for row in rows})
        return found

    def waiting_of(self, task_ids: Sequence[int]) -> set[int]:
        """Those of some tasks that have a text and wait for their first answer; synthetic ones apart."""
        found: set[int] = set()
        with self._database.session() as session:
            for chunk in in_chunks(task_ids):
                found.update(
                    session.scalars(
                        select(Task.task_id).where(
                            Task.project_id == self._project_id,
                            Task.task_id.in_(chunk),
                            Task.is_synthetic.is_(False),
                            Task.is_labeled.is_(False),
                            Task.outcome == "",
                            Task.content_hash != "",
                        )
                    )
                )
        return found

    def read_answers_of(self, task_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
        """What people said of some tasks."""
        found: dict[int, list[dict[str, Any]]] = {}
        with self._database.session() as session:
            for chunk in in_chunks(task_ids):
                rows = session.execute(
                    select(Task.task_id, Task.answers).where(
                        Task.project_id == self._project_id, Task.task_id.in_(chunk)
                    )
                )
                found.update({row.task_id: row.answers for row in rows})
        return found

    def count_without_text(self) -> tuple[int, int]:
        """How many there are, and how many of them have no text."""
        with self._database.session() as session:
            tasks, with_text = session.execute(
                select(func.count(), func.count(func.nullif(Task.content_hash, ""))).where(
                    Task.project_id == self._project_id
                )
            ).one()
        return tasks, tasks - with_text

    def count_damaged(self) -> int:
        """Of how many the answers, our own fields or the missing ones cannot be read."""
        query = select(Task.answers, Task.shown, Task.missing_fields, Task.order_fields).where(
            Task.project_id == self._project_id
        )
        with self._database.session() as session:
            rows = session.execute(query.execution_options(yield_per=_AT_A_TIME))
            return sum(any(isinstance(value, Damaged) for value in row) for row in rows)

    def count_missing_fields(self) -> Counter[str]:
        """In how many tasks each field of the config has no text."""
        lacking = select(Task.missing_fields).where(
            Task.project_id == self._project_id, cast(Task.missing_fields, String).not_in(("[]", "null"))
        )
        with self._database.session() as session:
            return Counter(field for fields in session.scalars(lacking) for field in fields)

    def count_annotations(self) -> tuple[int, int]:
        """How many tasks and how many annotations there are."""
        with self._database.session() as session:
            tasks, annotations = session.execute(
                select(func.count(), func.coalesce(func.sum(Task.annotations), 0)).where(
                    Task.project_id == self._project_id
                )
            ).one()
        return tasks, annotations

    def read_texts(self, task_ids: Iterable[int]) -> dict[int, str]:
        """The whole text of each task; tasks that are gone are left out."""
        found: dict[int, str] = {}
        with self._database.session() as session:
            for chunk in in_chunks(sorted(set(task_ids))):
                rows = session.execute(
                    select(Task.task_id, Task.content).where(
                        Task.project_id == self._project_id, Task.task_id.in_(chunk)
                    )
                )
                found.update({row.task_id: row.content for row in rows})
        return found

    def read_words(self, task_ids: Iterable[int]) -> dict[int, str]:
        """What each task says in words: its text, else its fields; tasks that are gone are left out."""
        found: dict[int, str] = {}
        with self._database.session() as session:
            for chunk in in_chunks(sorted(set(task_ids))):
                rows = session.execute(
                    select(Task.task_id, Task.content, Task.words).where(
                        Task.project_id == self._project_id, Task.task_id.in_(chunk)
                    )
                )
                found.update({row.task_id: row.content or row.words for row in rows})
        return found

    def sample_texts(self, count: int) -> list[str]:
        """At most so many different texts, by their hash: always the same ones, and none before others."""
        query = select(Task.content_hash, Task.content).where(
            Task.project_id == self._project_id, Task.content != ""
        )
        with self._database.session() as session:
            rows = session.execute(query.order_by(Task.content_hash).limit(count))
            return list({row.content_hash: row.content for row in rows}.values())

    def read_beginnings(self, task_ids: Iterable[int], *, length: int) -> dict[int, str]:
        """The first `length` characters of each text; tasks that are gone are left out."""
        found: dict[int, str] = {}
        with self._database.session() as session:
            for chunk in in_chunks(sorted(set(task_ids))):
                rows = session.execute(
                    select(Task.task_id, func.substr(Task.content, 1, length)).where(
                        Task.project_id == self._project_id, Task.task_id.in_(chunk)
                    )
                )
                found.update((task_id, content) for task_id, content in rows)
        return found

    def read_cards(self, task_ids: Sequence[int], *, length: int) -> Sequence[Any]:
        """What is known of some tasks, and the beginning of each text; tasks that are gone are left out."""
        with self._database.session() as session:
            return session.execute(
                select(
                    Task.task_id,
                    Task.label,
                    Task.outcome,
                    MapPoint.predicted,
                    MapPoint.confidence,
                    func.substr(Task.content, 1, length).label("beginning"),
                    Task.pictures,
                    Task.shown,
                )
                .outerjoin(
                    MapPoint, (MapPoint.project_id == Task.project_id) & (MapPoint.task_id == Task.task_id)
                )
                .where(Task.project_id == self._project_id, Task.task_id.in_(task_ids))
            ).all()

    def known_of(self, task_ids: Sequence[int]) -> set[int]:
        """Those of some tasks that there are."""
        found: set[int] = set()
        with self._database.session() as session:
            for chunk in in_chunks(task_ids):
                mine = select(Task.task_id).where(
                    Task.project_id == self._project_id, Task.task_id.in_(chunk)
                )
                found.update(session.scalars(mine))
        return found

    def read_hash(self, task_id: int) -> str | None:
        """The hash of a task's content, empty where it has no text; None where there is no such task."""
        with self._database.session() as session:
            return session.scalar(
                select(Task.content_hash).where(Task.project_id == self._project_id, Task.task_id == task_id)
            )

    def vectors(self, encoder: str, *, size: int) -> Iterator[tuple[list[int], NDArray[np.float32]]]:
        """All tasks with a vector of an encoder, so many at a time: their ids, and their vectors (m, d)."""
        for rows in in_chunks(self._read_hashes(), size):
            is_there, vectors = self._vectors.gather(encoder, [row.content_hash for row in rows])
            if len(vectors):
                yield [row.task_id for row in compress(rows, is_there)], vectors

    def not_encoded(self, encoder: str) -> dict[str, str]:
        """Texts by content hash that have no vector of an encoder yet, in the order of the tasks.

        Those of tasks with pictures are among them.
        """
        return self._not_encoded(encoder)

    def alone_not_encoded(self, encoder: str) -> dict[str, str]:
        """The same, of tasks without pictures alone: their text is all that they show."""
        return self._not_encoded(encoder, _ALONE)

    def _not_encoded(self, encoder: str, *conditions: ColumnElement[bool]) -> dict[str, str]:
        found: dict[str, str] = {}
        for row in self._read_unencoded(encoder, (Task.content_hash, Task.content), *conditions):
            found.setdefault(row.content_hash, row.content)
        return found

    def _read_unencoded(
        self, encoder: str, wanted: Sequence[Any], *conditions: ColumnElement[bool]
    ) -> Iterator[Any]:
        """Some columns of the tasks that have a text and no vector, in their order.

        Columns and conditions may be long: they are read of the few that lack a vector.
        """
        rows = self._read_hashes()
        known = self._vectors.are_known(encoder, [row.content_hash for row in rows])
        missing = [row.task_id for row in compress(rows, ~known)]
        with self._database.session() as session:
            for chunk in in_chunks(missing):
                mine = (Task.project_id == self._project_id, Task.task_id.in_(chunk), *conditions)
                yield from session.execute(select(*wanted).where(*mine).order_by(Task.task_id))

    def _read_hashes(self) -> Sequence[Any]:
        """Id and hash of each task that has a content, in their order; past the slower ORM."""
        columns = Base.metadata.tables[Task.__tablename__].c
        mine = (columns.project_id == self._project_id, columns.content_hash != "")
        chosen = select(columns.task_id, columns.content_hash).where(*mine).order_by(columns.task_id)
        with self._database.session() as session:
            return session.connection().execute(chosen).all()

    def unencoded(self, encoder: str) -> Sequence[Any]:
        """Tasks without pictures that have a text and no vector of an encoder yet, in their order.

        Of each `task_id`, `content_hash`, `is_synthetic` and `is_answered`: it waits for no first answer.
        """
        is_answered = or_(Task.is_labeled, Task.outcome != "").label("is_answered")
        wanted = (Task.task_id, Task.content_hash, Task.is_synthetic, is_answered)
        return list(self._read_unencoded(encoder, wanted, _ALONE))

    def contents_of(self, task_ids: Sequence[int]) -> dict[str, str]:
        """The texts of some tasks by their hash, in the order given; tasks without a text are left out."""
        found: dict[int, tuple[str, str]] = {}
        with self._database.session() as session:
            for chunk in in_chunks(task_ids):
                rows = session.execute(
                    select(Task.task_id, Task.content_hash, Task.content).where(
                        Task.project_id == self._project_id,
                        Task.task_id.in_(chunk),
                        Task.content_hash != "",
                    )
                )
                found.update((row.task_id, (row.content_hash, row.content)) for row in rows)
        return dict(found[task_id] for task_id in task_ids if task_id in found)

    def hashes_of(self, task_ids: Sequence[int]) -> list[tuple[int, str]]:
        """Those of some tasks that there are, each with the hash of its content."""
        found: list[tuple[int, str]] = []
        with self._database.session() as session:
            for chunk in in_chunks(task_ids):
                mine = (Task.project_id == self._project_id, Task.task_id.in_(chunk))
                rows = session.execute(select(Task.task_id, Task.content_hash).where(*mine))
                found.extend((row.task_id, row.content_hash) for row in rows)
        return found

    def count_showing(self, hashes: Sequence[str]) -> int:
        """How many tasks show texts of these hashes."""
        with self._database.session() as session:
            return sum(
                session.scalar(
                    select(func.count()).where(
                        Task.project_id == self._project_id, Task.content_hash.in_(chunk)
                    )
                )
                or 0
                for chunk in in_chunks(hashes)
            )

    def read_vectors(self, encoder: str) -> dict[str, bytes]:
        """The vectors of an encoder by content hash."""
        return self._vectors.read(encoder, [row.content_hash for row in self._read_hashes()])

    def read_rows(self) -> SnapshotRows:
        """What a snapshot is made of: the tasks that have a content."""
        with self._database.session() as session:
            return read_snapshot_rows(session.connection(), self._project_id)

    def read_targets(self) -> dict[int, dict[str, list[str]]]:
        """What was answered to each question, by task, of real tasks with a text to which something was."""
        with self._database.session() as session:
            rows = session.execute(
                select(Task.task_id, Task.targets).where(
                    Task.project_id == self._project_id,
                    Task.is_synthetic.is_(False),
                    Task.content_hash != "",
                    cast(Task.targets, String).not_in(("{}", "null")),
                )
            )
            return {task_id: targets or {} for task_id, targets in rows}

    def read_parts(self) -> Iterator[tuple[int, dict[str, list[str]], dict[str, list[str]]]]:
        """Tasks with parts that questions are about, in their order: id, the texts by question, and pictures.

        The text of a part that is a picture is empty; addresses of pictures are by the name of their object.
        """
        last = -1
        while page := self._parts_page(after=last):
            yield from page
            last = page[-1][0]

    def _parts_page(self, *, after: int) -> list[tuple[int, dict[str, list[str]], dict[str, list[str]]]]:
        with self._database.session() as session:
            rows = session.execute(
                select(Task.task_id, Task.parts, Task.pictures)
                .where(
                    Task.project_id == self._project_id,
                    Task.task_id > after,
                    Task.content_hash != "",
                    cast(Task.parts, String).not_in(("{}", "null")),
                )
                .order_by(Task.task_id)
                .limit(_AT_A_TIME_WITH_PICTURES)
            )
            return [(task_id, parts or {}, pictures or {}) for task_id, parts, pictures in rows]

    def read_reviews(self) -> dict[int, dict[str, list[str]]]:
        """What people answered to each question, by task, of synthetic tasks to which something was."""
        with self._database.session() as session:
            rows = session.execute(
                select(Task.task_id, Task.targets).where(
                    Task.project_id == self._project_id,
                    Task.is_synthetic,
                    cast(Task.targets, String).not_in(("{}", "null")),
                )
            )
            return {task_id: targets or {} for task_id, targets in rows}

    def read_order_fields(self) -> Sequence[Any]:
        """Of each task with a text that waits for its first answer: `task_id` and `order_fields`."""
        with self._database.session() as session:
            return session.execute(
                select(Task.task_id, Task.order_fields)
                .where(
                    Task.project_id == self._project_id,
                    Task.is_synthetic.is_(False),
                    Task.is_labeled.is_(False),
                    Task.outcome == "",
                    Task.content_hash != "",
                )
                .order_by(Task.task_id)
            ).all()

    def read_answered(self) -> Sequence[tuple[dict[str, list[str]], list[dict[str, Any]]]]:
        """What people together answered to each question, and each alone, of real tasks that somebody did."""
        with self._database.session() as session:
            rows = session.execute(
                select(Task.targets, Task.answers).where(
                    Task.project_id == self._project_id,
                    Task.is_synthetic.is_(False),
                    Task.annotations > 0,
                )
            )
            return [(targets or {}, answers or []) for targets, answers in rows]

    def read_answers(self) -> Sequence[list[dict[str, Any]]]:
        """What people said of each task that somebody annotated."""
        with self._database.session() as session:
            return session.scalars(
                select(Task.answers).where(Task.project_id == self._project_id, Task.annotations > 0)
            ).all()

    def read_shared_answers(self) -> list[tuple[int, list[dict[str, Any]]]]:
        """Each task that was annotated more than once, and what people said of it."""
        with self._database.session() as session:
            rows = session.execute(
                select(Task.task_id, Task.answers).where(
                    Task.project_id == self._project_id, Task.annotations > 1
                )
            )
            return [(task_id, answers) for task_id, answers in rows]

    def answers_since(self, moment: str) -> list[list[dict[str, Any]]]:
        """What people said of each task that somebody answered or skipped since, a moment as they have it."""
        with self._database.session() as session:
            return list(
                session.scalars(
                    select(Task.answers)
                    .where(Task.project_id == self._project_id, Task.answered_at >= moment)
                    .order_by(Task.task_id)
                )
            )

    def count_flags(self) -> list[tuple[str, bool, int]]:
        """How many tasks carry each of our flags: the flag, whether somebody annotated them, how many."""
        is_annotated = Task.annotations > 0
        with self._database.session() as session:
            rows = session.execute(
                select(Task.flag, is_annotated, func.count())
                .where(Task.project_id == self._project_id, Task.flag > "")
                .group_by(Task.flag, is_annotated)
            )
            return [(flag, bool(annotated), count) for flag, annotated, count in rows]

    def read_shown(self, noted: Sequence[int]) -> dict[int, dict[str, str]]:
        """Our fields on every task that carries some, and on those `noted`."""
        query = select(Task.task_id, Task.shown).where(Task.project_id == self._project_id)
        found: dict[int, dict[str, str]] = {}
        with self._database.session() as session:
            carrying = query.where(cast(Task.shown, String).not_in(("{}", "null")))
            found.update((task_id, shown) for task_id, shown in session.execute(carrying))
        return found | self.shown_of(noted)

    def shown_of(self, task_ids: Sequence[int]) -> dict[int, dict[str, str]]:
        """Our fields on some tasks."""
        query = select(Task.task_id, Task.shown).where(Task.project_id == self._project_id)
        found: dict[int, dict[str, str]] = {}
        with self._database.session() as session:
            for chunk in in_chunks(task_ids):
                rows = session.execute(query.where(Task.task_id.in_(chunk)))
                found.update({task_id: shown or {} for task_id, shown in rows})
        return found

    def forget_shown(self, task_ids: Sequence[int]) -> None:
        """Remembers that tasks carry none of our fields."""
        with self._database.session() as session:
            for chunk in in_chunks(task_ids):
                mine = (Task.project_id == self._project_id, Task.task_id.in_(chunk))
                session.execute(update(Task).where(*mine).values(shown={}))

    def write_shown(self, task_ids: Sequence[int], name: str, value: str) -> None:
        """Remembers that one of our fields has a value now."""
        with self._database.session() as session:
            for chunk in in_chunks(task_ids):
                mine = select(Task).where(Task.project_id == self._project_id, Task.task_id.in_(chunk))
                for task in session.scalars(mine):
                    task.shown = {**(task.shown or {}), name: value}
                    task.flag = task.shown.get(FLAG_FIELD, "")


def _columns(state: TaskState) -> dict[str, Any]:
    return {
        "task_id": state.task_id,
        "content": state.content,
        "content_hash": state.content_hash,
        "label": state.label,
        "annotations": state.annotations,
        "is_labeled": state.is_labeled,
        "is_skipped": state.is_skipped,
        "is_synthetic": state.origin.is_synthetic,
        "generator": state.origin.generator,
        "slice": state.origin.slice,
        "intended_label": state.origin.intended_label,
        "labelled_at": _labelled_at(state),
        "answered_at": max((said.at for said in state.answers), default=None),
        "outcome": state.outcome,
        "answers": [asdict(answer) for answer in state.answers],
        "targets": {name: list(target) for name, target in state.targets.items()},
        "parts": {name: list(texts) for name, texts in state.parts.items()},
        "pictures": {name: list(addresses) for name, addresses in state.pictures.items()},
        "words": state.words,
        "shown": state.shown,
        "flag": state.shown.get(FLAG_FIELD, ""),
        "missing_fields": list(state.missing_fields),
        "order_fields": state.order_fields,
    }


def _labelled_at(state: TaskState) -> str | None:
    if state.label is None:
        return max((said.at for said in state.answers if said.why_not != "skipped"), default=None)
    return min((said.at for said in state.answers if said.label), default=None)
