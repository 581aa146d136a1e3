"""Hints: labels gather, everything else asks for a loop at once."""

import pytest

from backend.database import Project
from backend.workflows.project.hints import forget_hints, is_due, last_hint, leave_hint


@pytest.fixture
def project(context):
    with context.database.session() as session:
        return ensure_project(session, 1, 1_700_000_000)


def test_without_hints_nothing_is_due(context, project):
    assert not is_due(context, project)
    assert last_hint(context, project) == 0


def test_labels_gather_until_there_are_enough(context, project):
    for _ in range(9):
        leave_hint(context, project, "labels")
    assert not is_due(context, project)
    assert context.jobs.enqueued == []
    leave_hint(context, project, "labels")
    assert is_due(context, project)
    assert context.jobs.enqueued == [project.id]


def test_how_many_labels_are_enough_can_differ_by_project(context, project):
    with context.database.session() as session:
        session.get_one(Project, project.id).overrides = {"retrain_every_labels": 2}
    project.overrides = {"retrain_every_labels": 2}
    leave_hint(context, project, "labels")
    assert not is_due(context, project)
    leave_hint(context, project, "labels")
    assert is_due(context, project)


@pytest.mark.parametrize("kind", ["tasks", "config", "training", "setup", "timer"])
def test_every_other_hint_is_due_at_once(kind, context, project):
    leave_hint(context, project, kind)
    assert is_due(context, project)
    assert context.jobs.enqueued == [project.id]


def test_a_loop_takes_away_only_the_hints_from_before_it_began(context, project):
    leave_hint(context, project, "training")
    answered = last_hint(context, project)
    leave_hint(context, project, "training")
    forget_hints(context, project, up_to=answered)
    assert is_due(context, project)
    forget_hints(context, project, up_to=last_hint(context, project))
    assert not is_due(context, project)


def test_hints_of_one_project_are_none_of_another(context, project):
    with context.database.session() as session:
        other = ensure_project(session, 2, 1_700_000_000)
    leave_hint(context, project, "training")
    assert not is_due(context, other)
    forget_hints(context, other, up_to=last_hint(context, project))
    assert is_due(context, project)
