"""Batches of texts: one worker at a time claims each, and what it does not finish another does."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import update

from backend.database import EncodingBatch
from backend.workflows.intake import batches as work
from backend.workflows.intake import share
from backend.workflows.intake.batches import encode_forever, encode_next, encode_rest
from backend.workflows.views.status import project_status
from demo.waiting import wait_for
from model.encoders.hashing import HashingEncoder
from tests.topics import write_texts
from tests.workbench import Workbench

ROOT = Path(__file__).resolve().parents[2]
TASKS, BATCH = 60, 10
ENCODE = HashingEncoder.encode

# A worker that only encodes, so slowly that it can be hit in the middle of a batch; it says what it encodes.
WORKER = """
import sys, threading, time
from pathlib import Path
from backend.parts import build_context
from backend.settings import Settings
from backend.workflows.intake import batches
from model.encoders.hashing import HashingEncoder

class Slow(HashingEncoder):
    def encode(self, texts, *, progress=None):
        with open(sys.argv[2], "a") as told:
            told.write("".join(text + chr(10) for text in texts))
        for text in texts:
            time.sleep(float(sys.argv[3]))
            if progress: progress(1)
        return super().encode(texts)

settings = Settings(data_dir=Path(sys.argv[1]))
context = build_context(settings, load_encoder=lambda: Slow(64))
batches.encode_forever(context, threading.Event())
"""


@pytest.fixture
def settings(make_settings):
    """A loop encodes one batch and leaves the others."""
    return make_settings(encode_seconds=0.0)


@pytest.fixture
def large(context, app, label_studio, monkeypatch):
    """A project of six batches, of which five are left."""
    monkeypatch.setattr(share, "BATCH", BATCH)
    monkeypatch.setattr(share, "_PROBE", BATCH)
    monkeypatch.setattr("model.audit._AT_ONCE", BATCH)
    project_id = label_studio.add_project(texts=write_texts(TASKS))
    bench = Workbench(context, label_studio, project_id)
    bench.connect()
    return bench


@pytest.fixture
def encoded(monkeypatch):
    """The texts that the encoder is given, one by one."""
    texts = []

    def remember(encoder, batch, **how):
        texts.extend(batch)
        return ENCODE(encoder, batch, **how)

    monkeypatch.setattr(HashingEncoder, "encode", remember)
    return texts


def claim(bench, owner="somebody", *, seconds=60.0):
    return bench.context.batches.claim(owner, seconds=seconds)


def test_of_many_who_ask_each_gets_another_batch(large):
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda number: claim(large, f"worker {number}"), range(8)))
    taken = [batch.id for batch in found if batch is not None]
    assert len(taken) == len(set(taken)) == 5


def test_a_claim_that_ran_out_is_somebody_elses(large):
    first = claim(large, "frozen", seconds=-1.0)
    others = [claim(large, "awake") for _ in range(5)]
    assert first.id in {batch.id for batch in others}
    assert not large.context.batches.renew(first.id, "frozen", seconds=60.0)
    assert not large.context.batches.finish(first.id, "frozen")


def test_what_nobody_began_comes_before_what_failed(large):
    first = claim(large)
    large.context.batches.give_back(first.id, "somebody", rest_s=-1.0)
    assert claim(large).id != first.id


@pytest.mark.parametrize("ahead_s", [120.0, 3600.0, 86_400.0])
def test_a_claim_or_rest_from_ahead_of_the_date_is_not_believed(large, monkeypatch, ahead_s):
    real = time.time
    with monkeypatch.context() as ahead:
        ahead.setattr(time, "time", lambda: real() + ahead_s)
        claim(large, "killed")
        rests = claim(large, "failed")
        large.context.batches.give_back(rests.id, "failed", rest_s=30.0)
    assert large.workspace.batches.held_tasks(large.workspace.encoder.revision) == set()
    while encode_next(large.context):
        pass
    assert large.workspace.batches.count_tasks() == 0


def test_batches_of_a_project_that_is_disconnected_wait(large):
    large.workspace.change(connected=False)
    assert claim(large) is None


def test_projects_take_turns(large, context, label_studio):
    other = Workbench(context, label_studio, label_studio.add_project(texts=write_texts(TASKS, seed=3)))
    other.connect()
    taken = [claim(large).project_id for _ in range(4)]
    assert taken == [large.workspace.id, other.workspace.id] * 2


def test_no_text_is_encoded_twice(large, encoded):
    half = large.workspace.tasks.contents_of(claim(large, seconds=-1.0).task_ids[:4])
    vectors = large.context.vectors
    vectors.write(large.workspace.encoder.revision, {key: bytes(4 * 64) for key in half})
    while encode_next(large.context):
        pass
    assert len(encoded) == len(set(encoded)) == TASKS - BATCH - 4
    assert not set(half.values()) & set(encoded)


def test_a_text_that_many_tasks_show_is_encoded_once(large, encoded):
    text = write_texts(1, seed=77)[0]
    large.label_studio.add_tasks(large.project_id, [{"text": text}] * 30)
    large.loop()
    while encode_next(large.context):
        pass
    assert encoded.count(text) == 1


def test_a_batch_that_fails_is_left_alone_for_a_while_and_stops_no_other(large, monkeypatch):
    failed = []

    def fail_once(encoder, texts, **how):
        if not failed:
            failed.extend(texts)
            raise ValueError("secret words")
        return ENCODE(encoder, texts, **how)

    monkeypatch.setattr(HashingEncoder, "encode", fail_once)
    stop = threading.Event()
    monkeypatch.setattr(work, "_POLL_S", 0.01)
    thread = threading.Thread(target=encode_forever, args=(large.context, stop))
    thread.start()
    wait_for(lambda: large.workspace.batches.count_tasks() == BATCH, "the others are done", timeout_s=30)
    stop.set()
    thread.join()
    assert large.context.survived.count == 1
    assert claim(large) is None  # it rests


def test_a_worker_that_is_told_to_stop_gives_its_batch_back(large, monkeypatch):
    def told_in_the_middle(encoder, texts, *, progress=None):
        large.context.stopping.set()
        progress(1)
        return ENCODE(encoder, texts)

    monkeypatch.setattr(HashingEncoder, "encode", told_in_the_middle)
    assert encode_next(large.context)
    assert not encode_next(large.context)
    large.context.stopping.clear()
    assert len(list(iter(lambda: claim(large), None))) == 5


def test_a_worker_that_lost_its_batch_leaves_it(large, monkeypatch):
    monkeypatch.setattr(work, "_CLAIM_S", -1.0)
    monkeypatch.setattr(work, "_RENEW_S", 0.0)

    def frozen_in_the_middle(encoder, texts, *, progress=None):
        assert len(list(iter(lambda: claim(large, "another"), None))) == 5
        progress(1)
        return ENCODE(encoder, texts)

    monkeypatch.setattr(HashingEncoder, "encode", frozen_in_the_middle)
    assert encode_next(large.context)
    assert large.workspace.batches.count_tasks() == TASKS - BATCH


def test_a_worker_on_a_cpu_leaves_batches_to_one_that_is_quicker(large, monkeypatch):
    monkeypatch.setattr(work, "_POLL_S", 0.01)
    workers, now = large.context.workers, work.time.time()
    workers.see("gpu", now, forget_before=0.0, device="cuda")
    stop = threading.Event()
    thread = threading.Thread(target=encode_forever, args=(large.context, stop))
    thread.start()
    stop.wait(0.3)
    assert large.workspace.batches.count_tasks() == TASKS - BATCH
    workers.forget("gpu")
    wait_for(lambda: not large.workspace.batches.count_tasks(), "the batches are done", timeout_s=30)
    stop.set()
    thread.join()


@pytest.mark.parametrize("ahead_s", [60.0, 86_400.0])
def test_a_worker_that_was_seen_ahead_of_the_date_counts_as_dead(large, ahead_s):
    workers, now = large.context.workers, time.time()
    workers.see("dead", now + ahead_s, forget_before=0.0, device="cuda")
    assert not workers.living(now) and not workers.has_quicker(now)
    workers.see("living", now, forget_before=0.0, device="cuda", failures=1)
    workers.see("another", now + 1.0, forget_before=0.0)
    assert sorted(workers.living(now)) == ["another", "living"]
    assert workers.has_quicker(now) and workers.count_failures() == 1


def test_a_worker_that_is_killed_in_the_middle_loses_nothing_and_doubles_little(large, tmp_path):
    folder = large.context.settings.data_dir
    quick = [str(folder), str(tmp_path / "second"), "0.0"]
    first = _start([str(folder), str(tmp_path / "first"), "0.05"])
    wait_for(lambda: _told(tmp_path / "first"), "it is in the middle", timeout_s=60)
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    second = _start(quick)
    try:
        wait_for(lambda: large.workspace.batches.count_tasks() <= BATCH, "the others", timeout_s=60)
        _let_claims_run_out(large)
        wait_for(lambda: not large.workspace.batches.count_tasks(), "all batches", timeout_s=60)
    finally:
        second.kill()
        second.wait()
    known = large.context.vectors.known(
        large.workspace.encoder.revision, large.workspace.tasks.contents_of(sorted(large.tasks))
    )
    assert len(known) == TASKS
    twice = set(_told(tmp_path / "first")) & set(_told(tmp_path / "second"))
    assert len(twice) <= BATCH
    assert len(_told(tmp_path / "second")) == len(set(_told(tmp_path / "second")))


def _start(arguments):
    environment = os.environ | {"LABEL_STUDIO_URL": "http://label-studio.test"}
    return subprocess.Popen([sys.executable, "-c", WORKER, *arguments], cwd=ROOT, env=environment)


def _told(path):
    return path.read_text().splitlines() if path.exists() else []


def _let_claims_run_out(bench):
    with bench.context.database.session() as session:
        session.execute(update(EncodingBatch).values(claimed_until=0.0))


# A text that is too much


@pytest.fixture
def refuse(large, monkeypatch):
    """refuse(7): the encoder takes the texts of these tasks no more; refuse() with none, all."""

    def refuse(*task_ids):
        texts = {large.label_studio.tasks[task_id]["data"]["text"] for task_id in task_ids}

        def encode(encoder, batch, **how):
            if texts.intersection(batch):
                raise MemoryError("private words")
            return ENCODE(encoder, batch, **how)

        monkeypatch.setattr(HashingEncoder, "encode", encode)

    return refuse


def encode_all(bench):
    """Encodes what there is until all that is left rests."""
    failed = 0
    while True:
        try:
            if not encode_next(bench.context):
                return failed
        except MemoryError:
            failed += 1


def waiting_tasks(bench, count=3):
    held = claim(bench)
    bench.context.batches.give_back(held.id, "somebody", rest_s=-1.0)
    return held.task_ids[:count]


@pytest.mark.parametrize("count", [1, 2, BATCH])
def test_a_text_that_cannot_be_encoded_keeps_no_other_waiting_and_is_named(large, refuse, caplog, count):
    refused = waiting_tasks(large, count)
    refuse(*refused)
    encode_all(large)
    _let_claims_run_out(large)
    assert encode_all(large) == 0
    assert large.workspace.batches.count_tasks() == count
    assert set(large.workspace.batches.faults()) == set(refused)
    assert large.workspace.hints.count("vectors") >= 1
    words = project_status(large.workspace)["encoding"]
    assert words.startswith(f"{TASKS - count} of {TASKS} tasks are encoded")
    assert str(min(refused)) in words and "cannot be encoded (MemoryError)" in words
    assert "private" not in caplog.text


def test_a_text_that_cannot_be_encoded_asks_for_no_loop_again_and_stays_named(large, refuse):
    refused = waiting_tasks(large, 1)
    refuse(*refused)
    encode_all(large)
    _let_claims_run_out(large)
    encode_all(large)
    assert large.loop().record.unencoded == 1
    for _ in range(3):
        before = large.workspace.hints.newest()
        _let_claims_run_out(large)
        assert encode_all(large) == 0
        assert large.workspace.hints.newest() == before
        assert large.loop().outcome == "unchanged"
        assert list(large.workspace.batches.faults()) == refused


def test_a_loop_neither_tries_a_text_that_cannot_be_encoded_nor_waits_for_workers_because_of_it(
    large, refuse
):
    refused = waiting_tasks(large, 1)
    refuse(*refused)
    encode_all(large)
    _let_claims_run_out(large)
    encode_all(large)
    large.label_studio.annotate(refused[0], "cats")
    large.label_studio.add_tasks(large.project_id, [{"text": "cats of another kind"}])
    record = large.loop().record
    assert (record.encoded, list(large.workspace.batches.faults())) == (1, refused)


def test_a_text_that_can_be_encoded_again_is(large, refuse):
    refuse(*waiting_tasks(large, 1))
    encode_all(large)
    _let_claims_run_out(large)
    encode_all(large)
    refuse()
    _let_claims_run_out(large)
    encode_all(large)
    assert large.workspace.batches.count_tasks() == 0
    assert project_status(large.workspace)["encoding"] == ""
    assert large.loop().record.unencoded == 0


def test_waiting_for_the_rest_ends_though_a_text_cannot_be_encoded(large, refuse):
    refuse(*waiting_tasks(large, 1))
    encode_all(large)
    _let_claims_run_out(large)
    encode_rest(large.workspace)
    assert large.workspace.batches.count_tasks() == 1


def test_an_encoder_that_takes_no_text_blames_none(large, refuse, monkeypatch):
    monkeypatch.setattr("backend.workflows.intake.faulty_texts._HOPELESS", 5)
    refuse(*large.tasks)
    encode_all(large)
    _let_claims_run_out(large)
    assert encode_all(large) == 5
    assert large.workspace.batches.faults() == {}
