"""Replaying a loop: the same head and the same order from what was kept beside its version."""

import json

import numpy as np
import pytest
from safetensors.numpy import load, save
from sqlalchemy import select

from backend.database import Loop
from backend.errors import NotFound
from backend.workflows.record import replay
from model.audit import audit_hash
from model.registry import RECORD_FILE
from model.representations.choice import Choice
from tests.workbench import forget_hashes


def published(context):
    with context.database.session() as session:
        return list(session.scalars(select(Loop.id).where(Loop.outcome == "published").order_by(Loop.id)))


def test_every_published_loop_can_be_replayed_bit_for_bit(context, trained):
    loops = published(context)
    assert len(loops) == 3
    for loop in loops:
        found = replay(trained.workspace, loop)
        assert (found.is_exact, found.first_difference) == (True, None)


def test_later_labels_and_settings_do_not_change_what_was(context, trained):
    loop = published(context)[1]
    trained.connect(queue_window=12, strategy="margin")
    trained.label(6)
    trained.loop()
    assert replay(trained.workspace, loop).is_exact


def test_the_record_holds_no_text(context, trained):
    record = context.registry.load_record(trained.project.key, trained.version)
    texts = [task["data"]["text"].encode() for task in trained.tasks.values()]
    assert record and not any(text in record for text in texts)


def test_another_order_is_told_with_the_first_task_that_differs(context, trained, monkeypatch):
    # another audit order
    monkeypatch.setattr("backend.workflows.serving.window.audit_hash", lambda ids, seed: audit_hash(ids, 1))
    found = replay(trained.workspace, published(context)[2])
    assert found.same_head and not found.same_order
    assert found.first_difference in trained.tasks


def test_a_loop_without_a_version_is_named(context, trained):
    with pytest.raises(NotFound, match="no loop 99"):
        replay(trained.workspace, 99)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[: len(content) // 2],
        lambda content: content[:-1] + bytes([content[-1] ^ 1]),
        lambda content: save({"facts": np.zeros(3, dtype=np.uint8)}),
        lambda content: save({"ids": np.zeros(3, dtype=np.int64)}),
    ],
    ids=["empty", "cut", "one bit", "no JSON", "no facts"],
)
def test_a_damaged_record_is_named(damage, context, trained):
    path = context.settings.model_folder / trained.project.key / trained.version / RECORD_FILE
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(NotFound, match="record of version nl-000003 cannot be read"):
        replay(trained.workspace, published(context)[2])


def test_texts_that_are_gone_are_named_with_the_cure(context, trained):
    context.vectors.forget([trained.workspace.encoder.revision])
    with pytest.raises(NotFound, match="embeddings of 40 tasks of that loop are gone"):
        replay(trained.workspace, published(context)[0])


def test_words_that_cannot_be_counted_any_more_are_named_with_the_cure(context, trained, monkeypatch):
    monkeypatch.setattr("backend.workflows.training.represent.choose_representation", by_words)
    monkeypatch.setattr("backend.workflows.training.represent.FEWEST_LABELS", 1)
    trained.label(1)
    trained.loop()
    (*_, loop) = published(context)
    assert replay(trained.workspace, loop).is_exact
    trained.label_studio.delete_tasks(trained.window[:2])
    trained.loop()
    with pytest.raises(NotFound, match="2 texts of that loop are gone"):
        replay(trained.workspace, loop)


def by_words(_views, _labels, *, seed):
    return Choice("joined", {})


def test_a_random_order_is_another_one_after_every_label_and_is_replayed(context, workbench):
    workbench.connect(strategy="random")
    orders = [set(workbench.window)]
    for _ in range(2):
        workbench.label(1)
        workbench.loop()
        orders.append(set(workbench.window))
    # of the ten places nine would be the same if each loop went on in one fixed order
    assert all(len(before & after) < 9 for before, after in zip(orders, orders[1:], strict=False))
    assert all(replay(workbench.workspace, loop).is_exact for loop in published(context))


def test_records_from_before_the_seed_was_kept_are_replayed_with_the_one_of_then(
    context, workbench, monkeypatch
):
    def by_project_alone(workspace, snapshot):
        return [workspace.seed]

    with monkeypatch.context() as then:
        then.setattr("backend.workflows.serving.window.order_seed", by_project_alone)
        workbench.connect(strategy="random")
        workbench.label(6)
        workbench.loop()
    loop = published(context)[1]
    _drop_order_seed(context, workbench)
    assert replay(workbench.workspace, loop).is_exact


def _drop_order_seed(context, workbench):
    """Writes the newest record as it was before it had the seed of its order."""
    folder = context.settings.data_dir
    (path,) = folder.rglob(f"{workbench.version}/{RECORD_FILE}")
    tensors = load(path.read_bytes())
    facts = json.loads(tensors["facts"].tobytes())
    del facts["order_seed"]
    tensors["facts"] = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)
    path.write_bytes(save(tensors))
    forget_hashes(path.parent)
