"""Told to stop, the processes end what they have begun, or leave it where the next one goes on."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from backend.jobs import Jobs
from backend.workflows.project.hints import is_due
from backend.workflows.project.lease import give_back
from backend.workflows.project.machine import this_machine
from backend.workflows.work import hand_over, run_pending
from demo.processes import BackendProcesses
from demo.waiting import wait_for
from tests.fake_label_studio import LEGACY_TOKEN

ROOT = Path(__file__).resolve().parents[2]
WORKER = """
import sys, time
from pathlib import Path
from threading import Event
from backend.jobs import Jobs
folder, stopping = Path(sys.argv[1]), Event()
def run(project):
    (folder / "began").touch()
    stopping.wait(60)
    (folder / "told").touch()
    if sys.argv[2] == "stubborn":
        time.sleep(60)
    (folder / "ended").touch()
jobs = Jobs(folder=folder)
jobs.bind(run=run, tick=lambda: None)
jobs.consume(workers=1, stopping=stopping)
(folder / "after").touch()
"""


@pytest.fixture
def labelled(connected):
    """A connected project with ten new labels."""
    connected.label(10)
    return connected


@pytest.fixture
def stop_at(labelled, label_studio):
    """stop_at("/api/tasks"): this process is told to stop while Label Studio is asked for that."""

    def stop(part):
        def tell(request):
            if part in request.url.path:
                labelled.context.stopping.set()

        label_studio.before_answering.append(tell)

    return stop


def work(workbench):
    run_pending(workbench.context, workbench.workspace.id)


def test_a_loop_that_is_told_to_stop_leaves_everything_for_the_next_one(labelled, stop_at):
    before, window = labelled.version, labelled.window
    stop_at("/api/tasks")
    work(labelled)
    assert (labelled.version, labelled.window) == (before, window)
    assert labelled.project.lease_owner is None and is_due(labelled.workspace)
    assert "stopped in the middle" in labelled.workspace.loops.newest().error
    labelled.context.jobs.enqueued.clear()
    hand_over(labelled.context)
    assert labelled.context.jobs.enqueued == [labelled.project.id]
    labelled.label_studio.before_answering.clear()
    labelled.context.stopping.clear()
    work(labelled)
    assert labelled.version == "nl-000002"


def test_a_loop_that_has_begun_to_publish_goes_on_to_its_end(labelled, stop_at):
    stop_at("import/predictions")
    work(labelled)
    loop = labelled.workspace.loops.newest()
    assert (loop.outcome, labelled.version) == ("published", "nl-000002")
    assert loop.figures["signals"]
    assert labelled.project.lease_owner is None


def test_nothing_is_begun_once_the_process_is_to_stop(labelled):
    labelled.context.stopping.set()
    count = labelled.workspace.loops.newest().id
    work(labelled)
    assert labelled.workspace.loops.newest().id == count and is_due(labelled.workspace)


def test_old_predictions_are_left_to_the_next_worker(labelled, stop_at):
    before = labelled.version
    stop_at("import/predictions")
    work(labelled)
    rows = labelled.label_studio.predictions.values()
    assert [row for row in rows if row["model_version"] == before]


def test_a_worker_gives_back_what_it_holds_and_nothing_else(labelled):
    projects = labelled.context.projects
    projects.take_lease(labelled.project.id, "elsewhere/1/2", seconds=60.0)
    give_back(labelled.context)
    assert labelled.project.lease_owner == "elsewhere/1/2"
    projects.release_lease(labelled.project.id, "elsewhere/1/2")
    ours = f"{this_machine()}/{os.getpid()}/77"
    projects.take_lease(labelled.project.id, ours, seconds=60.0)
    give_back(labelled.context)
    assert labelled.project.lease_owner is None


@pytest.fixture
def start_worker(tmp_path):
    """start_worker("polite"): a worker process in the middle of a job that ends when told, or does not."""
    children = []

    def start(manners):
        jobs = Jobs(folder=tmp_path)
        jobs.bind(run=lambda project: None, tick=lambda: None)
        jobs.enqueue(1)
        jobs.close()
        child = subprocess.Popen([sys.executable, "-c", WORKER, str(tmp_path), manners], cwd=ROOT)
        children.append(child)
        wait_for((tmp_path / "began").exists, "the job began", timeout_s=60)
        return child

    yield start
    for child in children:
        child.kill()
        child.wait(30)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_worker_lets_its_job_end(number, start_worker, tmp_path):
    child = start_worker("polite")
    child.send_signal(number)
    assert child.wait(30) == 0
    assert (tmp_path / "ended").exists() and (tmp_path / "after").exists()


def test_a_second_signal_ends_a_worker_at_once(start_worker, tmp_path):
    child = start_worker("stubborn")
    child.send_signal(signal.SIGTERM)
    wait_for((tmp_path / "told").exists, "the first signal has come", timeout_s=30)
    child.send_signal(signal.SIGTERM)
    child.wait(15)
    assert (tmp_path / "after").exists() and not (tmp_path / "ended").exists()


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_the_web_process_answers_what_it_has_begun_to_read(tmp_path):
    settings = {"TEXT_ENCODER": "hashing"}
    backend = BackendProcesses(
        tmp_path, label_studio_url="http://127.0.0.1:1", api_key=LEGACY_TOKEN, settings=settings
    )
    body = b'{"tasks": []}'
    lines = ["POST /predict HTTP/1.1", "Host: x", "Expect: 100-continue", f"Content-Length: {len(body)}"]
    try:
        backend.start_web()
        with socket.create_connection(("127.0.0.1", backend.port), timeout=30) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            assert connection.recv(1024).startswith(b"HTTP/1.1 100 Continue")
            connection.sendall(body[:5])
            backend.web._process.terminate()
            log = tmp_path / "backend.log"
            wait_for(lambda: "Handling signal: term" in log.read_text(), "it is told to stop", timeout_s=30)
            connection.sendall(body[5:])
            answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert backend.web._process.wait(30) == 0
        assert not listens(backend.port)
    finally:
        backend.stop()
