"""Which version serves, and going back to an earlier one."""

WINDOW = 10


def test_an_earlier_version_serves_again_until_new_labels_come(connect_project):
    connected = connect_project(queue_window=WINDOW, retrain_every_labels=5)
    cold = connected.version
    connected.label_served(5)
    trained = connected.wait_for_version_after(cold)
    connected.wait_for_worker()

    done = connected.backend.command_line("rollback", str(connected.project.id), cold)
    assert done.returncode == 0, done.stderr
    (row,) = connected.ml_backends()
    assert connected.version == row["title"] == row["model_version"] == connected.status()["version"] == cold
    order = connected.window()
    assert len(order) == WINDOW
    connected.ask_for_loop()
    assert connected.wait_for_worker()["outcome"] == "unchanged"
    active = {row["version"]: row["active"] for row in connected.run("versions")["versions"]}
    assert active == {cold: True, trained: False}
    assert connected.label_served(4) == order[:4]
    assert connected.version == cold

    connected.label_served(1)
    newest = connected.wait_for_version_after(cold)
    assert newest > trained > cold
    assert connected.wait_for_worker()["figures"]["labels"] == 10
