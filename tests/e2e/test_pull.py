"""A Label Studio that calls nobody: nothing is registered there, and the order follows all the same."""

from tests.e2e.connected import ConnectedProject

WINDOW = 10


def test_a_project_in_which_nothing_is_registered_is_served_in_order_and_learns(
    admin, shared_backend, documents
):
    pulled = ConnectedProject.create(admin, shared_backend, documents[:60])
    report = pulled.run(
        "connect",
        "--pull",
        *("--set", f"queue_window={WINDOW}"),
        *("--set", "retrain_every_labels=5"),
        *("--set", "retrain_every_minutes=600"),
    )
    assert report["in_order"], report["verdict"]
    assert pulled.ml_backends() == []
    assert pulled.webhooks() == []
    cold, order = pulled.version, pulled.window()
    pulled.wait_for_loop(2)  # the first look asks for one, whatever there is
    assert pulled.label_served(5) == order[:5]

    trained = pulled.wait_for_version_after(cold)
    assert pulled.wait_for_worker()["figures"]["labels"] == 5
    assert pulled.window()[0] == pulled.project.serve_next()["id"]

    findings = {found["check"]: found["verdict"] for found in pulled.run("doctor")["findings"]}
    assert findings["connection"] == findings["version"] == "ok"
    pulled.backend.command_line("disconnect", str(pulled.project.id))
    assert pulled.stored_versions() == {}
    assert trained > cold
