"""Jobs that several machines share: in PostgreSQL, where the database is, or in Redis."""

import threading
import time

import pytest

from backend.errors import QueueUnavailable
from backend.huey_queue import Queue
from backend.jobs import Jobs
from demo.waiting import wait_for


@pytest.fixture(params=["postgresql", "redis"])
def address(request, database_url):
    """What tells a queue where its jobs are."""
    if request.param == "postgresql":
        return {"database_url": database_url, "redis_url": ""}
    return {"database_url": database_url, "redis_url": request.getfixturevalue("redis_url")}


@pytest.fixture
def machine(address, tmp_path):
    """machine("anna"): the jobs as a machine with a folder of its own sees them, and what it ran."""
    opened = []

    def open_jobs(name):
        ran = []
        jobs = Jobs(folder=tmp_path / name, **address)
        jobs.bind(run=ran.append, tick=lambda: None)
        opened.append(jobs)
        return jobs, ran

    yield open_jobs
    for jobs in opened:
        jobs.close()


def run_waiting(jobs):
    """What a worker does with the jobs that are due, in this thread."""
    huey = jobs._queue._huey
    for task in huey.read_schedule():
        huey.enqueue(task)
    huey.storage.blocking = False
    while (task := huey.dequeue()) is not None:
        huey.execute(task)


def test_a_job_that_one_machine_leaves_is_run_by_another(machine, tmp_path):
    anna, bert = machine("anna"), machine("bert")
    anna[0].enqueue(7)
    assert not bert[0].is_empty()
    wait_for(lambda: run_waiting(bert[0]) or bool(bert[1]), "bert runs it", timeout_s=10)
    assert (anna[1], bert[1]) == ([], [7]) and anna[0].is_empty()
    assert not list(tmp_path.rglob("jobs.db"))


def test_a_job_is_run_once_however_many_wait_for_it(machine):
    machines = [machine(name) for name in ("anna", "bert", "carl")]
    for project in range(40):
        machines[project % 3][0].enqueue(project)
    time.sleep(0.6)
    threads = [threading.Thread(target=run_waiting, args=[jobs]) for jobs, _ran in machines]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run_waiting(machines[0][0])
    assert sorted(project for _jobs, ran in machines for project in ran) == list(range(40))


def test_many_machines_that_start_at_once_open_it(address, tmp_path):
    failed = []

    def start(name):
        try:
            Queue(folder=tmp_path / name, run=print, tick=print, **address).close()
        except Exception as error:  # noqa: BLE001 (any is a failure of the test)
            failed.append(error)

    threads = [threading.Thread(target=start, args=[str(number)]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


@pytest.mark.parametrize(
    "address",
    [
        {"redis_url": "redis://127.0.0.1:1/0", "database_url": ""},
        {"redis_url": "", "database_url": "postgresql+psycopg://me:sesame@127.0.0.1:1/x"},
    ],
    ids=["redis", "postgresql"],
)
def test_a_queue_that_does_not_answer_is_named_without_its_password(address, tmp_path):
    jobs = Jobs(folder=tmp_path, **address)
    jobs.bind(run=print, tick=print)
    with pytest.raises(QueueUnavailable, match="queue of jobs") as caught:
        jobs.enqueue(1)
    assert "sesame" not in str(caught.value)
