"""Vectors that a power cut left without their bytes: they are encoded again before anything is learned."""

import shutil

import pytest

from backend.backup.make import make_backup
from backend.backup.restore import restore_backup
from backend.errors import DiskUnavailable
from tests.workbench import Workbench


def start_anew(bench, make_context, make_app, damage):
    """The same project in processes that start anew, once its vectors have been damaged."""
    context = bench.context
    context.vectors.close()
    context.database.close()
    for path in (context.settings.data_dir / "vectors").rglob("*.vectors"):
        width = int(path.stem.rpartition("-")[2])
        path.write_bytes(damage(path.read_bytes(), width))
    again = make_context(context.settings)
    make_app(again)
    return Workbench(again, bench.label_studio, bench.project_id)


def all_zero(content, _width):
    return bytes(len(content))


def newest_zero(content, width):
    rows = min(20, len(content) // width)
    return content[: len(content) - rows * width] + bytes(rows * width)


def every_other_flipped(content, width):
    damaged = bytearray(content)
    for at in range(0, len(content), 2 * width):
        damaged[at] ^= 1
    return bytes(damaged)


@pytest.mark.parametrize("damage", [all_zero, newest_zero, every_other_flipped])
def test_the_next_loop_encodes_what_was_damaged_and_learns_from_all_answers(
    trained, make_context, make_app, damage
):
    before = trained.loop().record
    bench = start_anew(trained, make_context, make_app, damage)
    bench.label(6)
    record = bench.loop().record
    assert record.encoded > 0
    assert record.labels == before.labels + 6
    assert record.pool == before.pool - 6
    assert bench.window


def test_a_restore_over_damaged_vectors_brings_them_back(trained, make_context, make_app, tmp_path):
    settings = trained.context.settings
    make_backup(settings, tmp_path / "backup")
    bench = start_anew(trained, make_context, make_app, all_zero)
    bench.context.vectors.close()
    bench.context.database.close()
    restore_backup(settings, tmp_path / "backup", overwrite=True)
    context = make_context(settings)
    make_app(context)
    record = Workbench(context, trained.label_studio, trained.project_id).loop().record
    assert (record.encoded, record.labels) == (0, 12)


def test_where_the_folder_cannot_be_read_predictions_go_on_and_a_loop_says_so(trained, client):
    (folder,) = (path for path in (trained.context.settings.data_dir / "vectors").iterdir() if path.is_dir())
    shutil.rmtree(folder)
    folder.write_text("in the way")
    asked = {
        "tasks": [{"id": 1, "data": {"text": "a cat of mine"}}],
        "label_config": trained.project.label_config,
        "project": trained.project.reference,
    }
    assert client.post("/predict", json=asked).status_code == 200
    with pytest.raises(DiskUnavailable, match="cannot be used"):
        trained.loop()
