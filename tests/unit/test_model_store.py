"""MODEL_STORE as an address: refused where it cannot work, served by every process, silent without harm."""

import time

import fsspec
import pytest
from typer.testing import CliRunner

from backend.cli import app as cli
from backend.model_store import open_store
from backend.workflows.connection.doctor import diagnose
from backend.workflows.loop import run_loop
from backend.workflows.project.hints import leave_hint
from backend.workflows.project.progress import Silent
from backend.workflows.work import run_pending
from model.stores.folder import FolderStore
from tests.workbench import Workbench


@pytest.fixture
def memory():
    """An address in the memory of this process, emptied afterwards."""
    yield "memory://bucket/models"
    fsspec.filesystem("memory").store.clear()


@pytest.fixture
def bench_at(make_context, make_settings, make_app, label_studio, project_id):
    """bench_at(address): the project and a backend whose versions are kept there."""

    def make(address):
        context = make_context(make_settings(model_store=address))
        make_app(context)
        return Workbench(context, label_studio, project_id)

    return make


def predict(client, bench):
    body = {
        "tasks": [{"id": number, "data": task["data"]} for number, task in bench.tasks.items()],
        "project": bench.project.reference,
        "label_config": bench.remote["label_config"],
    }
    return client.post("/predict", json=body)


def names_of(address):
    files, root = fsspec.core.url_to_fs(address)
    return {path.strip("/").removeprefix(root.strip("/") + "/") for path in files.find(root)}


def test_without_an_address_versions_are_in_the_folder(settings):
    store = open_store(settings)
    assert isinstance(store, FolderStore) and store.place == str(settings.data_dir / "models")


@pytest.mark.parametrize("place", ["memory", "s3"])
def test_a_project_lives_behind_an_address_and_leaves_no_folder_of_versions(place, request, bench_at):
    bucket = request.getfixturevalue("memory" if place == "memory" else "bucket")
    address = bucket if place == "memory" else f"s3://{bucket}/models"
    bench = bench_at(address)
    bench.connect()
    bench.label(6)
    assert bench.loop().outcome == "published"
    assert bench.version == "nl-000002"
    names = names_of(address)
    assert {name.rsplit("/", 1)[1] for name in names if "/nl-" in name} == {
        "head.safetensors",
        "manifest.json",
        "record.safetensors",
    }
    assert not bench.context.settings.model_folder.exists()
    assert run_loop(bench.workspace, reason="test", progress=Silent()).outcome == "unchanged"


def test_what_one_process_publishes_another_serves_within_a_second(
    bucket, bench_at, make_context, make_settings, make_app, tmp_path
):
    bench = bench_at(f"s3://{bucket}/models")
    bench.connect()
    other = make_context(
        make_settings(
            model_store=f"s3://{bucket}/models",
            data_dir=tmp_path / "of-another-machine",
            database_url=bench.context.settings.database_address,
        )
    )
    client = make_app(other).test_client()
    assert predict(client, bench).json["model_version"] == bench.version
    for _ in range(3):
        bench.label(6)
        bench.loop()
        start = time.monotonic()
        assert predict(client, bench).json["model_version"] == bench.version
        assert time.monotonic() - start < 1.0


def test_a_version_that_is_damaged_behind_its_address_is_learned_anew(memory, bench_at, monkeypatch):
    monkeypatch.setattr("model.stores.seen._FRESH_S", -1.0)
    bench = bench_at(memory)
    bench.connect()
    bench.label(6)
    bench.loop()
    files, root = fsspec.core.url_to_fs(memory)
    files.pipe_file(f"{root}/{bench.project.key}/{bench.version}/head.safetensors", b"cut")
    findings = {finding.check: finding for finding in diagnose(bench.context, bench.project_id)}
    assert "the files of nl-000002 are damaged" in findings["version"].message
    bench.loop()
    assert bench.version == "nl-000003"
    assert "damaged" not in {one.check: one for one in diagnose(bench.context, 1)}["version"].message


def fall_silent(monkeypatch, context):
    def refuse(*_arguments, **_more):
        raise ConnectionRefusedError("nobody listens")

    for name in ("find", "pipe_file", "cat_file", "rm_file"):
        monkeypatch.setattr(context.registry.store._fs, name, refuse)


def test_a_store_that_does_not_answer_is_named_and_nothing_is_lost(
    memory, bench_at, make_app, monkeypatch, caplog
):
    bench = bench_at(memory)
    bench.connect()
    client = make_app(bench.context).test_client()
    served = bench.version
    bench.label(10)
    client.get("/projects/1")
    with monkeypatch.context() as patched:
        fall_silent(patched, bench.context)
        answer = predict(client, bench)
        assert answer.json["model_version"] == served  # it was read before
        bench.workspace.change(last_looked_at=0.0)
        leave_hint(bench.workspace, "training")
        run_pending(bench.context, bench.project.id)
        assert "code=store-unavailable" in caplog.text
        error = bench.workspace.loops.newest_ended().error
        assert "MODEL_STORE cannot be used now (memory://bucket/models): ConnectionRefusedError" in error
        found = {one.check: one for one in diagnose(bench.context, 1)}["model store"]
        assert found.verdict == "fault"
    bench.context.registry.store._asked.forgive()
    run_pending(bench.context, bench.project.id)
    assert bench.version == "nl-000002" and bench.served() == bench.window


def test_a_process_that_has_read_nothing_says_that_the_store_is_silent(
    memory, bench_at, make_app, monkeypatch, run_command
):
    bench = bench_at(memory)
    bench.connect()
    fresh = bench_at(memory).context
    fall_silent(monkeypatch, fresh)
    answer = predict(make_app(fresh).test_client(), bench)
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "store-unavailable")
    assert "memory://bucket/models" in answer.json["error"]["message"]
    found = run_command(fresh, "versions", "1")
    assert found.exit_code == 1 and "Error: MODEL_STORE cannot be used now" in found.output


# What cannot work is refused at start


@pytest.fixture
def run_with(no_environment, monkeypatch, set_width, tmp_path):
    set_width(400)
    monkeypatch.setattr("backend.logs.start_logging", lambda *_given: None)
    monkeypatch.setattr("backend.server.serve_http", lambda **_where: None)
    monkeypatch.setattr("backend.server.check_address", lambda *_where: None)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))

    def invoke(command, address):
        monkeypatch.setenv("MODEL_STORE", address)
        monkeypatch.setattr("sys.argv", ["backend", command])
        return CliRunner().invoke(cli, [command], prog_name="nextlabel")

    return invoke


@pytest.mark.parametrize("command", ["serve", "worker"])
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("memory://bucket/models", "is in the memory of one process, which no other process sees."),
        ("github://nobody:nothing@main", "holds a password"),
        ("s3://no-such-bucket/models", "cannot be used: FileNotFoundError: The specified bucket does not"),
        ("s3://", "s3:// names no bucket or folder."),
    ],
)
def test_an_address_that_cannot_work_stops_what_stays(command, address, said, run_with, s3_environment):
    found = run_with(command, address)
    assert found.exit_code == 1
    told, cure = found.output.strip().splitlines()
    assert told.startswith("Error: A setting is wrong. MODEL_STORE: ") and said in told
    assert cure.startswith("To fix it: ") and "sesame" not in found.output


def test_a_bucket_that_works_lets_the_web_process_start(bucket, run_with):
    assert run_with("serve", f"s3://{bucket}/models").exit_code == 0


def test_a_folder_that_cannot_be_written_stops_what_stays(run_with, monkeypatch, tmp_path):
    def refuse(*_arguments):
        raise PermissionError(13, "Permission denied", "somewhere")

    monkeypatch.setattr("model.stores.folder._write", refuse)
    found = run_with("serve", str(tmp_path / "models"))
    assert f"MODEL_STORE: {tmp_path / 'models'} cannot be written: Permission denied." in found.output


def test_doctor_names_the_place_and_its_fault(make_context, make_settings, memory, connected):
    found = {one.check: one for one in diagnose(connected.context, None)}["model store"]
    assert (found.verdict, found.message) == (
        "ok",
        f"{connected.context.settings.model_folder} can be written",
    )
    other = make_context(make_settings(model_store=memory))
    found = {one.check: one for one in diagnose(other, None)}["model store"]
    assert found.verdict == "fault" and "no other process sees" in found.message and found.cure
