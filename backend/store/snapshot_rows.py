"""What a snapshot is made of: of most tasks only the content is known, of the others more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, and_, not_, select

from backend.database import Base, Task

# In the order in which a fingerprint is made of them.
_COLUMNS: Final = (
    *("task_id", "content_hash", "label", "is_labeled", "is_skipped", "outcome", "is_synthetic"),
    *("generator", "slice", "intended_label", "labelled_at"),
)
# What stands in them after id and hash where nobody has said anything of a task.
_SILENT: Final = (None, False, False, "", False, None, None, None, None)
_SILENT_WORDS: Final = repr(_SILENT)[1:]
_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class SnapshotRows:
    """Tasks that have a content, by id: ids (n,), n hashes, and the whole rows of those that are not silent.

    A task is silent while nobody has said anything of it and it is no synthetic one.
    """

    ids: NDArray[np.int64]
    hashes: Sequence[str]
    told: Mapping[int, Any]

    def take(self, is_in: NDArray[np.bool_]) -> SnapshotRows:
        """Those of a mask (n,)."""
        if is_in.all():
            return self
        ids = self.ids[is_in]
        kept = set(ids.tolist())
        told = {task_id: row for task_id, row in self.told.items() if task_id in kept}
        return SnapshotRows(ids, list(compress(self.hashes, is_in)), told)

    @property
    def is_synthetic(self) -> NDArray[np.bool_]:
        """Which are synthetic tasks, (n,)."""
        return np.isin(self.ids, [task_id for task_id, row in self.told.items() if row.is_synthetic])

    def words(self) -> Iterator[bytes]:
        """Every row as Python writes a tuple, one after the other: fingerprints are of these."""
        for start in range(0, len(self.ids), _AT_ONCE):
            ids, hashes = self.ids[start : start + _AT_ONCE].tolist(), self.hashes[start : start + _AT_ONCE]
            told = self.told
            yield "".join(
                repr(tuple(told[task_id])) if task_id in told else f"({task_id}, {key!r}, {_SILENT_WORDS}"
                for task_id, key in zip(ids, hashes, strict=True)
            ).encode()


def read_snapshot_rows(connection: Connection, project_id: int) -> SnapshotRows:
    """The tasks of a project that have a content. Of silent ones two columns are read."""
    columns = Base.metadata.tables[Task.__tablename__].c
    mine = and_(columns.project_id == project_id, columns.content_hash != "")
    is_silent = and_(*map(_is, (columns[name] for name in _COLUMNS[2:]), _SILENT))
    others = select(*(columns[name] for name in _COLUMNS)).where(mine, not_(is_silent))
    told = {row.task_id: row for row in connection.execute(others).all()}
    contents = select(columns.task_id, columns.content_hash).where(mine).order_by(columns.task_id)
    rows = connection.execute(contents).all()
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    return SnapshotRows(ids, [row[1] for row in rows], told)


def _is(column: ColumnElement[Any], value: object) -> ColumnElement[bool]:
    return column.is_(value) if value is None or isinstance(value, bool) else column == value
