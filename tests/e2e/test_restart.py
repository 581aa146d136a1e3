"""The backend and its worker are stopped in the middle, or lose everything they know."""

import re
import shutil

import pytest

from tests.e2e.connected import ConnectedProject

WINDOW = 20


@pytest.fixture
def connected(admin, make_backend, documents):
    backend = make_backend()
    backend.start()
    return ConnectedProject.create(admin, backend, documents[:50]).connect(queue_window=WINDOW)


def test_labels_given_while_everything_was_down_are_learned_after_a_restart(connected):
    connected.backend.stop()
    cold, order = connected.version, connected.order()
    assert connected.label_served(10) == order[:10]
    connected.let_time_pass(hours=1)
    connected.backend.start()
    assert re.fullmatch(r"nl-\d{6}", connected.wait_for_version_after(cold))
    assert connected.wait_for_worker()["figures"]["labels"] == 10
    assert connected.project.serve_next()["id"] == connected.order()[0]

    connected.backend.worker.stop()
    trained, order = connected.version, connected.order()
    assert connected.label_served(10) == order[:10]
    assert connected.status()["pending_hints"] == 10
    connected.backend.web.stop()
    connected.backend.start()
    connected.wait_for_version_after(trained)
    assert connected.wait_for_worker()["figures"]["labels"] == 20


def test_a_lost_data_folder_comes_back_as_the_same_order_under_a_new_version(connected, documents):
    cold = connected.version
    connected.add_tasks(documents[50:60])  # so that not all texts are encoded at once, as later they will be
    larger = connected.wait_for_version_after(cold)
    connected.label_served(10)
    trained = connected.wait_for_version_after(larger)
    connected.wait_for_worker()
    seen, order = {cold, larger, trained}, connected.order()
    connected.backend.stop()
    shutil.rmtree(connected.backend.folder / "data")
    connected.backend.start()
    seen |= set(connected.stored_versions())
    connected.connect(queue_window=WINDOW)
    connected.wait_for_worker()
    assert connected.order() == order
    assert connected.version > max(seen)
    assert connected.project.serve_next()["id"] == order[0]
