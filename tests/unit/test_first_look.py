"""The first look at a large project reads a sample, which is ordered; the next loop reads the rest."""

import numpy as np
import pytest

from backend.label_studio.label_config import parse_label_config
from backend.workflows.intake import first_look
from backend.workflows.intake.snapshot import take_snapshot
from backend.workflows.views.dashboard.state import read_state
from backend.workflows.views.status import project_status
from model.audit import audit_hash
from tests.topics import write_texts
from tests.workbench import Workbench

TASKS, SAMPLE = 200, 60


@pytest.fixture
def large(context, app, label_studio, monkeypatch):
    """A project of more tasks than are read at once, not connected."""
    monkeypatch.setattr(first_look, "_LARGE", 100)
    monkeypatch.setattr(first_look, "_SAMPLE", SAMPLE)
    monkeypatch.setattr(first_look, "_AT_ONCE", 25)
    return Workbench(context, label_studio, label_studio.add_project(texts=write_texts(TASKS)))


def audit_of(bench):
    seen = take_snapshot(bench.workspace, parse_label_config(bench.project.label_config))
    return set(seen.embeddings.ids[seen.audit].tolist()), seen.audit_threshold


def test_the_first_order_is_of_a_sample_and_says_so(large):
    record = large.connect().loop.record
    assert record.tasks_read == SAMPLE
    assert (record.pool, record.unencoded) == (TASKS, TASKS - SAMPLE)
    assert len(large.window) == large.workspace.settings.queue_window


def test_tasks_that_were_not_read_are_spoken_of_until_they_are(large):
    large.connect()
    words = f"{TASKS - SAMPLE} more tasks were not read yet"
    assert words in project_status(large.workspace)["encoding"]
    assert words in read_state(large.workspace)["items"]["window"]["words"]
    large.loop()
    assert project_status(large.workspace)["encoding"] == ""


def test_the_next_loop_which_is_asked_for_reads_the_rest(large):
    large.connect()
    assert large.workspace.hints.count("tasks") == 1
    assert large.workspace.id in large.context.jobs.enqueued
    record = large.loop().record
    assert (record.pool, record.unencoded) == (TASKS, 0)
    assert large.workspace.tasks.count() == TASKS
    assert large.workspace.hints.count("tasks") == 0


def test_the_sample_has_the_smallest_hashes_so_that_blind_tasks_stay_the_same(large):
    large.connect()
    first, threshold = audit_of(large)
    large.loop()
    assert audit_of(large) == (first, threshold)
    hashes = audit_hash(np.array(sorted(large.tasks)), large.workspace.seed)
    assert threshold == np.sort(hashes)[len(first)]


def test_tasks_with_answers_are_read_too(large):
    answered = sorted(large.tasks)[40:50]
    for task_id in answered:
        large.label_studio.annotate(task_id, "cats" if task_id % 2 else "dogs")
    assert large.connect().loop.record.labels == 10


def test_ids_that_are_scattered_are_read_whole(large, label_studio):
    label_studio.delete_tasks([task_id for task_id in sorted(large.tasks)[5:-5] if task_id % 10])
    label_studio.add_tasks(large.project_id, [{"text": text} for text in write_texts(100, seed=9)])
    far = label_studio.add_project(texts=write_texts(900, seed=4))
    label_studio.delete_project(far)
    label_studio.add_tasks(large.project_id, [{"text": "paw litter purr meow"}])
    record = large.connect().loop.record
    assert record.tasks_read == len(large.tasks)
    assert record.unencoded == 0


def test_a_first_look_that_was_cut_off_is_followed_by_a_whole_one(large, monkeypatch):
    monkeypatch.setattr("backend.workflows.loop.embed_share", lambda *_given, **_how: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        large.connect()
    monkeypatch.undo()
    assert large.connect().loop.record.unencoded == 0


def test_a_project_that_is_not_large_is_read_whole(connected):
    assert connected.workspace.hints.count("tasks") == 0
    assert connected.workspace.tasks.count() == 40
