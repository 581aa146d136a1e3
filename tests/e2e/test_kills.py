"""A worker that is killed in the middle of a loop."""

import random
import time

import pytest

from demo.waiting import wait_for
from tests.e2e.connected import ConnectedProject

WINDOW = 20
KILLS = 10


@pytest.fixture
def connected(admin, make_backend, documents):
    backend = make_backend()
    backend.start()
    connected = ConnectedProject.create(admin, backend, documents[:60])
    return connected.connect(queue_window=WINDOW, retrain_every_labels=1)


def test_a_worker_killed_at_any_instant_leaves_a_window_serving_and_the_next_loop_completes(connected):
    instants = _draw_instants(_measure_a_loop(connected))
    for number, instant_s in enumerate(instants, start=2):
        old = connected.version
        _start_a_loop(connected)
        time.sleep(instant_s)  # the random instant is what is tested
        connected.backend.worker.kill()
        _assert_a_window_serves(connected)

        connected.backend.worker.start()
        connected.ask_for_loop()
        assert connected.wait_for_worker()["figures"]["labels"] == number
        status = connected.status()
        assert status["version"] == connected.version != old
        assert status["window"]["left"] == len(connected.window()) == WINDOW


def _draw_instants(loop_s):
    """Random instants in seconds, one in each tenth of a loop, in random order."""
    rng = random.Random(2)
    instants = [loop_s * (tenth + rng.random()) / KILLS for tenth in range(KILLS)]
    rng.shuffle(instants)
    return instants


def _measure_a_loop(connected):
    """How long a loop takes in a worker that has loaded its encoder."""
    connected.ask_for_loop()
    connected.wait_for_worker()
    _start_a_loop(connected)
    started = time.monotonic()
    connected.wait_for_worker()
    return time.monotonic() - started


def _start_a_loop(connected):
    """Label the next task, and wait until the worker is in the loop which that starts."""
    before = connected.status()["last_loop"]
    connected.label_served(1)
    wait_for(lambda: connected.status()["last_loop"] != before, "the worker starts no loop", timeout_s=30.0)


def _assert_a_window_serves(connected):
    """Label Studio orders by a version with a whole window, and serves the first of it that waits."""
    window, labelled = connected.window(), connected.labelled()
    assert len(window) == WINDOW
    waiting = [task_id for task_id in window if task_id not in labelled]
    assert connected.project.serve_next()["id"] == waiting[0]
