"""The backend and its worker are stopped in the middle, or lose everything they know."""

import re
import shutil

from tests.e2e.connected import ConnectedProject

WINDOW = 20


def test_labels_given_while_everything_was_down_are_learned_after_a_restart(admin, make_backend, documents):
    backend = make_backend()
    backend.start()
    connected = ConnectedProject.create(admin, backend, documents[:60]).connect(queue_window=WINDOW)
    backend.stop()
    cold, order = connected.version, connected.window()
    assert connected.label_served(10) == order[:10]
    connected.let_time_pass(hours=1)
    backend.start()
    trained = connected.wait_for_version_after(cold)
    assert re.fullmatch(r"nl-\d{6}", trained)
    assert connected.wait_for_worker()["figures"]["labels"] == 10
    assert connected.project.serve_next()["id"] == connected.window()[0]

    backend.worker.stop()
    order = connected.window()
    assert connected.label_served(10) == order[:10]
    assert connected.status()["pending_hints"] == 10
    backend.worker.start()
    connected.wait_for_version_after(trained)
    assert connected.wait_for_worker()["figures"]["labels"] == 20


def test_a_lost_data_folder_comes_back_as_the_same_order_under_a_new_version(admin, make_backend, documents):
    backend = make_backend()
    backend.start_web()
    connected = ConnectedProject.create(admin, backend, documents[:50]).connect(queue_window=WINDOW)
    connected.add_tasks(documents[50:60])  # so that not all texts are encoded at once, as later they will be
    connected.label_served(10)
    assert connected.run("loop")["figures"]["labels"] == 10
    used, order = set(connected.stored_versions()), connected.window()
    backend.stop()
    shutil.rmtree(backend.folder / "data")
    backend.start_web()
    connected.connect(queue_window=WINDOW)
    assert connected.window() == order
    assert connected.version > max(used)
    assert connected.project.serve_next()["id"] == order[0]
