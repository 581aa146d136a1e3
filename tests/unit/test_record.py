"""Replaying a loop: the same head and the same order from what was kept beside its version."""

import pytest
from sqlalchemy import delete, select

from backend.database import Embedding, Loop
from backend.errors import NotFound
from backend.workflows.record import replay


def published(context):
    with context.database.session() as session:
        return list(session.scalars(select(Loop.id).where(Loop.outcome == "published").order_by(Loop.id)))


def test_every_published_loop_can_be_replayed_bit_for_bit(context, trained):
    loops = published(context)
    assert len(loops) == 3
    for loop in loops:
        found = replay(context, trained.project_id, loop)
        assert (found.is_exact, found.first_difference) == (True, None)


def test_later_labels_and_settings_do_not_change_what_was(context, trained):
    loop = published(context)[1]
    trained.connect(queue_window=12, strategy="margin")
    trained.label(6)
    trained.loop()
    assert replay(context, trained.project_id, loop).is_exact


def test_the_record_holds_no_text(context, trained):
    record = context.registry.load_record(trained.project.key, trained.version)
    texts = [task["data"]["text"].encode() for task in trained.tasks.values()]
    assert record and not any(text in record for text in texts)


def test_another_order_is_told_with_the_first_task_that_differs(context, trained, monkeypatch):
    monkeypatch.setattr("backend.workflows.window.project_seed", lambda project: 1)  # another audit order
    found = replay(context, trained.project_id, published(context)[2])
    assert found.same_head and not found.same_order
    assert found.first_difference in trained.tasks


def test_a_loop_without_a_version_is_named(context, trained):
    with pytest.raises(NotFound, match="no loop 99"):
        replay(context, trained.project_id, 99)


def test_texts_that_are_gone_are_named_with_the_cure(context, trained):
    with context.database.session() as session:
        session.execute(delete(Embedding))
    with pytest.raises(NotFound, match="texts of that loop are gone"):
        replay(context, trained.project_id, published(context)[0])
