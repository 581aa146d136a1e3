"""The rows that a fingerprint is made of: written as before, whichever of them were read as a whole."""

from sqlalchemy import select, update

from backend.database import Task
from backend.store.snapshot_rows import read_snapshot_rows

COLUMNS = (
    *("task_id", "content_hash", "label", "is_labeled", "is_skipped", "outcome", "is_synthetic"),
    *("generator", "slice", "intended_label", "labelled_at"),
)


def change(workbench, task_id, **values):
    with workbench.context.database.session() as session:
        session.execute(update(Task).where(Task.task_id == task_id).values(**values))


def written_one_by_one(workbench):
    """As it was done when every row was read as a whole."""
    with workbench.context.database.session() as session:
        mine = (Task.project_id == workbench.workspace.id, Task.content_hash != "")
        rows = session.execute(select(*(getattr(Task, name) for name in COLUMNS)).where(*mine))
        return b"".join(repr(tuple(row)).encode() for row in sorted(rows))


def test_rows_are_written_as_tuples_of_all_columns(workbench):
    workbench.connect()
    workbench.label(3)
    workbench.loop()
    ids = list(workbench.tasks)
    for at, values in enumerate(
        (
            {"is_labeled": True},
            {"is_skipped": True, "outcome": "skipped"},
            {"outcome": "unclear", "labelled_at": "2026-01-01"},
            {"is_synthetic": True, "generator": "a 'model'", "slice": "s", "intended_label": "cats"},
            {"labelled_at": "2026-01-01"},
            {"generator": "g"},
            {"content_hash": ""},
        )
    ):
        change(workbench, ids[-1 - at], **values)
    rows = workbench.workspace.tasks.read_rows()
    assert b"".join(rows.words()) == written_one_by_one(workbench)
    assert len(rows.ids) == len(rows.hashes) == len(ids) - 1
    assert len(rows.told) == 3 + 6
    assert rows.ids[rows.is_synthetic].tolist() == [ids[-4]]


def test_some_rows_are_taken_with_what_was_said_of_them(workbench):
    workbench.connect()
    change(workbench, min(workbench.tasks), label="cats")
    with workbench.context.database.session() as session:
        rows = read_snapshot_rows(session.connection(), workbench.workspace.id)
    taken = rows.take(rows.ids > min(workbench.tasks))
    assert taken.told == {}
    assert taken.ids.tolist() == rows.ids.tolist()[1:]
    assert list(taken.hashes) == list(rows.hashes)[1:]
    assert rows.take(rows.ids > 0) is rows
