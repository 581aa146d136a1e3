"""Events that arrive together are written together; each is on disk before its request is answered."""

import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from backend.database import Database, Hint
from backend.errors import DatabaseUnavailable
from backend.store.events import Arrived, Event
from backend.store.projects import Projects
from backend.workflows.project.hints import is_due
from backend.workflows.project.workspace import ensure_workspace

ROOT = Path(__file__).resolve().parents[2]
STAMP = 1_700_000_000
KINDS = ["labels", "tasks", "config", "training", None]
# Takes events down in eight threads, and says each that was taken.
TAKER = """
import sys
import threading
from pathlib import Path
from backend.database import Database
from backend.store.events import Event, Events

folder = Path(sys.argv[1])
events = Events(Database(f"sqlite:///{folder}/events.db", lock_folder=folder), enough=lambda _overrides: 10)

def take_forever(thread):
    for number in range(10**6):
        events.take(Event(1, 1_700_000_000, "labels", float(thread * 10**6 + number)))
        sys.stdout.write(f"{thread * 10**6 + number}\\n")
        sys.stdout.flush()

for thread in range(8):
    threading.Thread(target=take_forever, args=[thread]).start()
"""


@pytest.fixture
def project(context):
    return ensure_workspace(context, 1, STAMP)


@pytest.fixture
def events(context):
    return context.events


@pytest.fixture
def held(context):
    """held.set() lets the first commit go on, which waits for it; held.commits counts them."""

    class Held(threading.Event):
        commits = 0
        begun = threading.Event()

    held = Held()

    def wait(_connection):
        held.commits += 1
        held.begun.set()
        assert held.wait(30)

    with context.database.durable() as connection:
        event.listen(connection.engine, "commit", wait)
        yield held
        event.remove(connection.engine, "commit", wait)


def moments(context):
    with context.database.session() as session:
        return sorted(session.scalars(select(Hint.created_at)))


def label(moment, number=1):
    return Event(number, STAMP, "labels", float(moment))


def test_those_that_arrive_during_a_commit_are_written_in_the_next_one(context, project, events, held):
    with ThreadPoolExecutor(9) as threads:
        first = threads.submit(events.take, label(0))
        assert held.begun.wait(30)
        others = [threads.submit(events.take, label(moment)) for moment in range(1, 9)]
        while len(events._waiting) < len(others):
            time.sleep(0.01)
        assert not any(one.done() for one in [first, *others])
        held.set()
        answers = [one.result(30) for one in [first, *others]]
    assert {answer.project for answer in answers} == {project.id}
    assert held.commits == 2
    assert moments(context) == list(range(9))


def test_of_those_that_are_written_together_one_wakes_a_worker(project, events, held):
    with ThreadPoolExecutor(30) as threads:
        first = threads.submit(events.take, label(0))
        assert held.begun.wait(30)
        others = [threads.submit(events.take, label(moment)) for moment in range(1, 30)]
        while len(events._waiting) < len(others):
            time.sleep(0.01)
        held.set()
        assert not first.result(30).wakes
        assert sum(one.result(30).wakes for one in others) == 1


def test_one_of_no_project_changes_nothing_for_the_others(context, project, events, held):
    project.context.projects.change(ensure_workspace(context, 2, STAMP).id, {"connected": False})
    with ThreadPoolExecutor(4) as threads:
        first = threads.submit(events.take, label(0))
        assert held.begun.wait(30)
        unknown, gone, known = (threads.submit(events.take, label(1, number)) for number in (3, 2, 1))
        held.set()
        assert first.result(30) == known.result(30) == Arrived(project.id, wakes=False)
        assert unknown.result(30) is None and gone.result(30) is None
    assert moments(context) == [0, 1]


def test_a_database_that_fails_fails_all_of_them_and_the_next_is_taken(context, project, events):
    def refuse(_connection, _cursor, statement, _parameters, _context, _many):
        if "INSERT INTO hints" in statement:
            raise sqlite3.OperationalError("database or disk is full")  # as SQLite says it

    with context.database.durable() as connection:
        engine = connection.engine
    event.listen(engine, "before_cursor_execute", refuse)
    with ThreadPoolExecutor(5) as threads:
        taken = [threads.submit(events.take, label(moment)) for moment in range(20)]
        for one in taken:
            with pytest.raises(DatabaseUnavailable, match="disk is full"):
                one.result(30)
    event.remove(engine, "before_cursor_execute", refuse)
    assert events.take(label(20)) == Arrived(project.id, wakes=False)
    assert moments(context) == [20]


def test_what_breaks_the_writer_off_answers_nobody_as_if_it_were_written(context, events, held):
    def break_off(_connection):
        raise SystemExit

    with context.database.durable() as connection:
        engine = connection.engine
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(events.take, label(0))
        assert held.begun.wait(30)
        others = [threads.submit(events.take, label(moment)) for moment in (1, 2)]
        while len(events._waiting) < len(others):
            time.sleep(0.01)
        event.listen(engine, "commit", break_off)
        held.set()
        first.exception(30)
        for one in others:
            assert isinstance(one.exception(30), SystemExit)
    event.remove(engine, "commit", break_off)
    assert moments(context) in ([0], [])


def test_an_event_that_is_no_hint_is_noted_and_wakes_nobody(project, events):
    assert events.take(Event(1, STAMP, "training", 5.0)).wakes
    assert events.take(Event(1, STAMP, None, 7.0)) == Arrived(project.id, wakes=False)
    project.refresh()
    assert project.state.last_webhook_at == 7.0
    assert project.hints.count() == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(st.sampled_from(KINDS), max_size=12), st.sampled_from(KINDS[:4]), st.integers(1, 4))
def test_a_worker_is_woken_exactly_when_the_hints_are_worth_a_loop(context, kinds, last, enough):
    project = ensure_workspace(context, 1, STAMP)
    project.hints.forget(up_to=project.hints.newest())
    project.change(overrides={"retrain_every_labels": enough})
    for kind in kinds:
        context.events.take(Event(1, STAMP, kind, 1.0))
    assert context.events.take(Event(1, STAMP, last, 1.0)).wakes == is_due(project)


def test_on_sqlite_a_commit_is_synced(context):
    with context.database.durable() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


def test_what_was_answered_is_there_after_a_kill(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/events.db", lock_folder=tmp_path)
    Projects(database).ensure(1, STAMP)
    child = subprocess.Popen(
        [sys.executable, "-c", TAKER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    answered = [child.stdout.readline() for _ in range(200)]
    child.kill()
    answered += child.stdout.readlines()
    child.stdout.close()
    child.wait(30)
    whole = {float(line) for line in answered if line.endswith("\n")}
    with database.session() as session:
        kept = set(session.scalars(select(Hint.created_at)))
        assert session.scalar(select(func.count()).select_from(Hint)) == len(kept)
    assert len(whole) >= 200 and whole <= kept
