"""Large projects: a loop encodes a share of the texts and orders it, and workers encode the rest."""

import pytest

from backend.label_studio.label_config import parse_label_config
from backend.workflows.intake import share
from backend.workflows.intake.batches import encode_next, encode_rest
from backend.workflows.intake.snapshot import take_snapshot
from backend.workflows.project.figures import Figures
from backend.workflows.project.progress import Silent
from backend.workflows.publish_all import publish_project
from backend.workflows.record import replay
from backend.workflows.views.dashboard.state import read_state
from backend.workflows.views.status import project_status
from tests.topics import write_texts
from tests.workbench import Workbench

TASKS, BATCH = 120, 20


@pytest.fixture
def settings(make_settings):
    """A loop encodes one batch and leaves the others."""
    return make_settings(encode_seconds=0.0)


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(share, "BATCH", BATCH)
    monkeypatch.setattr(share, "_PROBE", BATCH)
    monkeypatch.setattr("model.audit._AT_ONCE", 10)


@pytest.fixture
def large(context, app, label_studio, small_batches):
    """A project of six batches, not connected."""
    project_id = label_studio.add_project(texts=write_texts(TASKS))
    return Workbench(context, label_studio, project_id)


def figures(bench):
    return Figures.read(bench.workspace.loops.newest_counted())


def snapshot_of(bench):
    return take_snapshot(bench.workspace, parse_label_config(bench.project.label_config))


def test_the_first_order_is_there_before_all_texts_have_vectors(large):
    report = large.connect().loop.record
    assert (report.encoded, report.unencoded, report.pool) == (BATCH, TASKS - BATCH, TASKS)
    assert len(large.window) == large.workspace.settings.queue_window
    assert large.workspace.batches.count_tasks() == TASKS - BATCH
    assert large.served(1)[0] == large.window[0]


def test_workers_encode_the_rest_and_the_last_batch_asks_for_a_loop(large):
    large.connect()
    while encode_next(large.context):
        pass
    assert large.workspace.batches.count_tasks() == 0
    assert large.workspace.hints.count("vectors") >= 1
    record = large.loop().record
    assert (record.encoded, record.unencoded, record.pool) == (0, 0, TASKS)


def test_loops_come_at_twice_the_vectors_and_at_the_end(large):
    large.connect()
    hints = []
    while encode_next(large.context):
        hints.append(large.workspace.hints.count("vectors"))
    # 40 vectors are twice the 20 of the first loop, 80 twice these; 120 are all
    assert hints == [1, 1, 2, 2, 3]


def test_once_all_is_encoded_the_order_is_that_of_a_project_that_was_encoded_at_once(
    large, make_context, make_settings, label_studio
):
    large.connect()
    encode_rest(large.workspace)
    large.loop()
    seen = snapshot_of(large)
    whole = make_context(make_settings(data_dir=large.context.settings.data_dir / "other"))
    other = Workbench(whole, label_studio, large.project_id)
    other.connect()
    assert figures(other).unencoded == 0
    assert snapshot_of(other).fingerprint == seen.fingerprint
    assert other.window == large.window


def test_blind_tasks_are_those_of_the_whole_project_from_the_first_order_on(large):
    large.connect()
    before, first = snapshot_of(large), audit_ids(large)
    encode_rest(large.workspace)
    after = snapshot_of(large)
    assert before.audit_threshold == after.audit_threshold
    assert set(before.embeddings.ids[before.audit]) == set(after.embeddings.ids[after.audit])
    assert first <= set(after.embeddings.ids[after.audit].tolist())


def audit_ids(bench):
    rows = bench.workspace.windows.of_lane(bench.version, "audit")
    return set(rows)


def test_tasks_with_answers_are_encoded_first(large):
    answered = sorted(large.tasks)[50:58]
    for task_id in answered:
        large.label_studio.annotate(task_id, "cats" if task_id % 2 else "dogs")
    report = large.connect().loop.record
    assert report.labels == len(answered)
    assert report.unencoded == TASKS - BATCH
    assert report.pool == TASKS - len(answered)


def test_a_loop_of_the_meantime_encodes_what_was_answered_and_nothing_else(large):
    large.connect()
    waiting = snapshot_of(large).unencoded.tolist()
    large.label_studio.annotate(waiting[0], "cats")
    record = large.loop().record
    assert (record.encoded, record.labels) == (1, 1)
    assert record.unencoded == TASKS - BATCH - 1


def test_new_tasks_of_the_meantime_are_left_to_the_workers_too(large):
    large.connect()
    large.label_studio.add_tasks(large.project_id, [{"text": text} for text in write_texts(30, seed=5)])
    record = large.loop().record
    assert record.encoded == 0
    planned = large.workspace.batches.count_tasks()
    assert planned == record.unencoded == len({task["data"]["text"] for task in large.tasks.values()}) - BATCH


def test_a_loop_of_a_partly_encoded_project_is_replayed_bit_for_bit(large):
    large.connect()
    large.label(8)
    loop = large.loop()
    assert loop.record.unencoded
    found = replay(large.workspace, large.workspace.loops.newest().id)
    assert found.is_exact


def test_the_second_of_two_loops_does_nothing_while_texts_wait(large):
    large.connect()
    assert large.loop().outcome == "unchanged"


def test_of_what_people_are_told_nothing_speaks_of_a_part(large):
    large.connect()
    large.label(10)
    signals = large.loop().record.signals
    assert signals.rest.open == TASKS - 10
    assert f"{TASKS - 10} tasks that are left" in signals.rest.words


def test_publishing_all_waits_for_all(large):
    large.connect()
    sent = publish_project(large.workspace, everything=True, progress=Silent())
    assert sent == TASKS - len(large.window)
    assert large.workspace.batches.count_tasks() == 0


def test_another_encoder_leaves_no_batches_of_the_one_before(large):
    large.connect()
    large.workspace.change(encoder="hashing")
    large.loop()
    revision = large.workspace.encoder.revision
    assert large.workspace.batches.count_tasks() == large.workspace.batches.count_tasks(revision)


def test_a_batch_of_another_encoder_is_dropped(large):
    large.connect()
    large.workspace.change(encoder="hashing")
    while encode_next(large.context):
        pass
    assert large.workspace.batches.count_tasks() == 0
    assert large.context.vectors.known(large.workspace.encoder.revision, _hashes(large)) == set()


def _hashes(bench):
    return set(bench.workspace.tasks.contents_of(sorted(bench.tasks)))


def test_what_encodes_within_twice_the_time_is_encoded_at_once(large, monkeypatch):
    context = large.context
    object.__setattr__(context, "settings", context.settings.model_copy(update={"encode_seconds": 1000.0}))
    assert large.connect().loop.record.encoded == TASKS
    assert large.workspace.batches.count_tasks() == 0


@pytest.mark.parametrize(
    ("seconds_each", "encoded"), [(1.9, TASKS), (3.0, TASKS), (4.0, 3 * BATCH), (11.0, BATCH)]
)
def test_a_loop_encodes_for_as_long_as_it_may_if_that_does_not_suffice(
    large, monkeypatch, seconds_each, encoded
):
    """Of six batches; a loop may encode for ten seconds, and for twenty where these are enough."""
    context, clock = large.context, [0.0]
    object.__setattr__(context, "settings", context.settings.model_copy(update={"encode_seconds": 10.0}))
    monkeypatch.setattr(share.time, "monotonic", lambda: clock[0])
    encode = share.encode_missing

    def slowly(*args):
        clock[0] += seconds_each
        encode(*args)

    monkeypatch.setattr(share, "encode_missing", slowly)
    assert large.connect().loop.record.encoded == encoded


def test_people_are_told_how_much_has_vectors(large, run_command):
    large.connect()
    words = f"{BATCH} of {TASKS} tasks are encoded, and the others are in no order yet"
    assert words in read_state(large.workspace)["items"]["window"]["words"]
    assert words in " ".join(run_command(large.context, "status").output.split())
    encode_rest(large.workspace)
    assert project_status(large.workspace)["encoding"] == ""


def says(bench, encoded, tasks=TASKS):
    left = figures(bench).unencoded
    assert left == tasks - encoded == bench.workspace.batches.count_tasks()
    words = f"{encoded} of {tasks} tasks are encoded, and the others are in no order yet"
    return project_status(bench.workspace)["encoding"] == words


def test_of_tasks_that_are_deleted_while_they_wait_none_is_counted(large):
    large.connect()
    large.label_studio.delete_tasks(snapshot_of(large).unencoded.tolist()[:90])
    large.loop()
    assert says(large, BATCH, TASKS - 90)


def test_tasks_that_are_answered_while_they_wait_are_counted_once_they_have_vectors(large):
    large.connect()
    for task_id in snapshot_of(large).unencoded.tolist()[:50]:
        large.label_studio.annotate(task_id, "cats")
    assert large.loop().record.encoded == BATCH
    assert says(large, 2 * BATCH)


def test_tasks_that_are_given_a_text_with_a_vector_wait_no_more(large):
    large.connect()
    seen = snapshot_of(large)
    text = large.label_studio.tasks[seen.embeddings.ids.tolist()[0]]["data"]["text"]
    for task_id in seen.unencoded.tolist()[:60]:
        large.label_studio.edit_task(task_id, {"text": text})
    large.loop()
    assert says(large, BATCH + 60)
    while encode_next(large.context):
        pass
    assert large.loop().record.unencoded == 0


def test_a_batch_that_is_encoded_now_stays_when_others_are_planned_anew(large):
    large.connect()
    held = large.context.batches.claim("somebody", seconds=30.0)
    others = set(snapshot_of(large).unencoded.tolist()) - set(held.task_ids)
    large.label_studio.delete_tasks(sorted(others)[:30])
    large.loop()
    assert says(large, BATCH, TASKS - 30)
    assert large.context.batches.finish(held.id, "somebody")
    assert large.workspace.batches.count_tasks() == TASKS - 30 - 2 * BATCH


def test_a_window_that_ran_dry_while_texts_wait_is_not_called_done(large):
    large.connect()
    for task_id in snapshot_of(large).embeddings.ids.tolist():
        large.label_studio.annotate(task_id, "cats")
    large.loop()
    assert not large.window
    assert read_state(large.workspace)["items"]["window"]["words"].startswith(
        "empty until it is filled again"
    )


PAIRS = """<View>
  <Text name="one" value="$one"/>
  <Text name="two" value="$two"/>
  <Pairwise name="better" toName="one,two" leftClass="a" rightClass="b"/>
</View>"""


def test_parts_of_tasks_are_encoded_with_the_tasks(context, app, label_studio, small_batches):
    project_id = label_studio.add_project(label_config=PAIRS)
    texts = write_texts(2 * TASKS)
    tasks = [{"one": one, "two": two} for one, two in zip(texts[:TASKS], texts[TASKS:], strict=True)]
    label_studio.add_tasks(project_id, tasks)
    bench = Workbench(context, label_studio, project_id)
    record = bench.connect().loop.record
    assert (record.encoded, record.unencoded) == (3 * BATCH, TASKS - BATCH)
    assert len(bench.window) == bench.workspace.settings.queue_window
    encode_rest(bench.workspace)
    record = bench.loop().record
    assert (record.encoded, record.unencoded) == (2 * (TASKS - BATCH), 0)
