"""What a worker does for the vectors between loops."""

from backend.database import Embedding, upsert
from backend.workflows.project.hints import leave_hint
from backend.workflows.project.vector_upkeep import keep_vectors
from tests.stored_vectors import stored_vectors

KEY = "ab" * 32


def keep_row(context):
    with context.database.session() as session:
        upsert(session, Embedding, [{"encoder": "old", "content_hash": KEY, "vector": b"1234"}])


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
