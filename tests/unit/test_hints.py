"""Hints: labels gather, everything else asks for a loop at once."""

import pytest

from backend.workflows.project.hints import is_due, leave_hint
from backend.workflows.project.workspace import ensure_workspace


@pytest.fixture
def project(context):
    return ensure_workspace(context, 1, 1_700_000_000)


def test_without_hints_nothing_is_due(project):
    assert not is_due(project)
    assert project.hints.newest() == 0


def test_labels_gather_until_there_are_enough(project):
    for _ in range(9):
        leave_hint(project, "labels")
    assert not is_due(project)
    assert project.context.jobs.enqueued == []
    leave_hint(project, "labels")
    assert is_due(project)
    assert project.context.jobs.enqueued == [project.id]


def test_how_many_labels_are_enough_can_differ_by_project(project):
    project.change(overrides={"retrain_every_labels": 2})
    leave_hint(project, "labels")
    assert not is_due(project)
    leave_hint(project, "labels")
    assert is_due(project)


@pytest.mark.parametrize("kind", ["tasks", "config", "training", "setup", "timer"])
def test_every_other_hint_is_due_at_once(kind, project):
    leave_hint(project, kind)
    assert is_due(project)
    assert project.context.jobs.enqueued == [project.id]


def test_a_loop_takes_away_only_the_hints_from_before_it_began(project):
    leave_hint(project, "training")
    answered = project.hints.newest()
    leave_hint(project, "training")
    project.hints.forget(up_to=answered)
    assert is_due(project)
    project.hints.forget(up_to=project.hints.newest())
    assert not is_due(project)


def test_hints_of_one_project_are_none_of_another(project):
    other = ensure_workspace(project.context, 2, 1_700_000_000)
    leave_hint(project, "training")
    assert not is_due(other)
    other.hints.forget(up_to=project.hints.newest())
    assert is_due(project)
