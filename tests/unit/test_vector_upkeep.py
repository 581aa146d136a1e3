"""What a worker does for the vectors between loops."""

import pytest

from backend.database import Embedding, upsert
from backend.label_studio.tasks import content_hash
from backend.workflows.project.hints import leave_hint
from backend.workflows.project.vector_upkeep import keep_vectors
from tests.stored_vectors import stored_vectors

KEY = "ab" * 32


def keep_row(context, *, encoder="old", key=KEY, vector=b"1234"):
    with context.database.session() as session:
        upsert(session, Embedding, [{"encoder": encoder, "content_hash": key, "vector": vector}])


def test_rows_are_moved_and_then_files_are_swept(context):
    keep_row(context)
    keep_vectors(context)
    assert stored_vectors(context) == {"old": {KEY: b"1234"}}
    assert not (context.settings.data_dir / "vectors" / "sweeps.txt").exists()
    keep_vectors(context)
    assert (context.settings.data_dir / "vectors" / "sweeps.txt").read_text().startswith("1 ")


def test_a_loop_that_is_due_comes_first(context, workbench):
    workbench.connect()
    leave_hint(workbench.workspace, "training")
    before = stored_vectors(context)
    keep_row(context)
    keep_vectors(context)
    assert stored_vectors(context) == before


def test_a_worker_that_is_to_stop_moves_nothing(context):
    keep_row(context)
    context.stopping.set()
    keep_vectors(context)
    assert stored_vectors(context) == {}


@pytest.mark.parametrize(
    ("key", "vector"),
    [
        ("short", b"1234"),
        ("ä" * 64, b"1234"),
        ("AB" * 32, b"1234"),
        ("cd" * 32, b""),
        ("cd" * 32, b"12345678"),
    ],
)
def test_a_row_that_is_no_vector_keeps_no_other_from_being_moved(context, key, vector):
    context.vectors.write("old", {"ef" * 32: b"5678"})
    keep_row(context, key=key, vector=vector)
    keep_row(context)
    keep_vectors(context)
    assert stored_vectors(context) == {"old": {KEY: b"1234", "ef" * 32: b"5678"}}
    with context.database.session() as session:
        assert session.query(Embedding).count() == 0


@pytest.mark.parametrize("vector", [b"", bytes(8)])
@pytest.mark.parametrize("is_moved", [False, True])
def test_a_text_whose_row_is_no_vector_is_encoded_again(connected, vector, is_moved):
    context, text = connected.context, "cats and more cats"
    pool = connected.loop().record.pool
    keep_row(context, encoder=connected.workspace.encoder.revision, key=content_hash(text), vector=vector)
    connected.label_studio.add_tasks(connected.project_id, [{"text": text}])
    if is_moved:
        keep_vectors(context)
    record = connected.loop().record
    assert (record.encoded, record.pool) == (1, pool + 1)
