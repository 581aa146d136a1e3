"""The queue of loops."""

import logging
import pickle
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from huey.registry import Message

from backend.errors import QueueUnavailable
from backend.huey_queue import JsonSerializer, _NowAndThen
from backend.jobs import Jobs
from demo.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
CONSUMER = """
import sys
from pathlib import Path
from threading import Event
from backend.jobs import Jobs
jobs = Jobs(folder=Path(sys.argv[1]))
jobs.bind(run=lambda project: Path(sys.argv[1], f"ran-{project}").touch(), tick=lambda: None)
jobs.consume(workers=1, stopping=Event())
"""


@pytest.fixture
def consumer(tmp_path):
    """A worker process that writes down which project it was asked to look at."""
    child = subprocess.Popen([sys.executable, "-c", CONSUMER, str(tmp_path)], cwd=ROOT)
    yield child
    child.terminate()
    child.wait(30)


def enqueue(folder, project):
    jobs = Jobs(folder=folder)
    jobs.bind(run=lambda project: None, tick=lambda: None)
    jobs.enqueue(project)


def test_a_job_that_one_process_leaves_runs_in_another(tmp_path, consumer):
    enqueue(tmp_path, 7)
    wait_for(lambda: (tmp_path / "ran-7").exists(), "the job ran", timeout_s=60)
    assert not (tmp_path / "ran-8").exists()


def test_a_job_waits_for_its_worker(tmp_path, request):
    enqueue(tmp_path, 9)
    request.getfixturevalue("consumer")
    wait_for(lambda: (tmp_path / "ran-9").exists(), "the job ran", timeout_s=60)


def test_of_many_who_ask_at_once_one_job_is_left(tmp_path, monkeypatch):
    left = []
    monkeypatch.setattr("backend.huey_queue.Queue.schedule", lambda _queue, *job, **_how: left.append(job))
    jobs = Jobs(folder=tmp_path)
    jobs.bind(run=lambda project: None, tick=lambda: None)
    for project in (7, 7, 8, 7):
        jobs.enqueue(project)
    assert left == [(7,), (8,)]
    monkeypatch.setattr("backend.jobs.time.monotonic", lambda: 10.0**9)  # when those are due
    jobs.enqueue(7)
    assert left == [(7,), (8,), (7,)]


def test_a_job_that_could_not_be_left_is_left_when_somebody_asks_again(tmp_path, monkeypatch):
    jobs = Jobs(folder=tmp_path)
    jobs.bind(run=lambda project: None, tick=lambda: None)
    left = []
    with monkeypatch.context() as patched:
        patched.setattr("backend.huey_queue.Queue.schedule", lambda *_job, **_how: 1 / 0)
        with pytest.raises(QueueUnavailable, match="ZeroDivisionError"):
            jobs.enqueue(7)
    monkeypatch.setattr("backend.huey_queue.Queue.schedule", lambda _queue, *job, **_how: left.append(job))
    jobs.enqueue(7)
    assert left == [(7,)]


def test_a_job_needs_to_know_what_it_does(tmp_path):
    with pytest.raises(RuntimeError, match="bind"):
        Jobs(folder=tmp_path).enqueue(1)


@pytest.mark.parametrize("eta", [None, datetime(2026, 1, 1, 12, 30, tzinfo=UTC)])
def test_a_message_comes_back_as_it_was_sent(eta):
    fields = dict.fromkeys(Message._fields)
    message = Message(**(fields | {"id": "1", "name": "loop", "eta": eta, "args": (7,), "kwargs": {}}))
    serializer = JsonSerializer()
    assert serializer.deserialize(serializer.serialize(message)) == message


def test_nothing_that_could_run_code_is_loaded():
    with pytest.raises(ValueError):
        JsonSerializer().deserialize(pickle.dumps(print))


def test_a_queue_that_is_away_for_long_fills_no_log(caplog):
    logger = logging.getLogger("huey.consumer.Worker")
    failures = _NowAndThen()
    logger.addFilter(failures)
    try:
        for message in (
            "Error reading from queue",
            "Error reading from queue",
            "Unhandled error of %s",
            "Said",
        ):
            try:
                raise ConnectionError("sesame")
            except ConnectionError:
                logger.warning(message, *(["x"] if "%s" in message else []), exc_info=message != "Said")
    finally:
        logger.removeFilter(failures)
    said = [record.getMessage() for record in caplog.records]
    assert said == ["Error reading from queue error=ConnectionError", "Unhandled error of x", "Said"]
    assert [bool(record.exc_info) for record in caplog.records] == [False, True, False]
