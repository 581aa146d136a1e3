"""The encoder in a process of its own: the same vectors, started again when it dies, gone with its user."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend.encoding import ImageNetwork, TextNetwork, apart
from backend.encoding.apart import EncoderProcess, NetworksApart
from backend.encoding.here import NetworksHere
from backend.errors import EncoderUnavailable
from demo.waiting import wait_for
from model.encoders import EncodesNames
from model.encoders.hashing import HashingEncoder
from model.encoders.pixels import PixelsEncoder

ROOT = Path(__file__).resolve().parents[2]
NETWORK = TextNetwork("words", "cpu", 1, 1)
PICTURES = ImageNetwork("", "cpu", 1)
TEXTS = ["a cat sat there", "dogs bark", "", "a cat sat there"]


@pytest.fixture
def process(encoder_process):
    return encoder_process


@pytest.fixture
def notes(tmp_path):
    """notes(): what the process did so far."""
    return lambda: (tmp_path / "notes").read_text().splitlines() if (tmp_path / "notes").exists() else []


@pytest.fixture
def encoder(process):
    return NetworksApart(process).text(NETWORK)


def is_gone(pid):
    """Whether a process has ended; one that nobody waited for yet has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_it_is_started_at_the_first_need(process, notes):
    assert process.pid is None
    NetworksApart(process).text(NETWORK)
    assert notes() == ["start", "load"]


def test_its_vectors_are_those_of_the_network(encoder):
    expected = HashingEncoder(16).encode(TEXTS)
    assert np.array_equal(encoder.encode(TEXTS), expected)
    assert encoder.encode([]).shape == (0, 16)
    assert (encoder.revision, encoder.dimensions) == ("words-1", 16)


def test_many_texts_go_in_rounds_and_progress_is_told(encoder, notes):
    texts, told = [f"text {number}" for number in range(150)], []
    assert np.array_equal(encoder.encode(texts, progress=told.append), HashingEncoder(16).encode(texts))
    assert sum(told) == 150
    assert len(told) == sum(line.startswith("encode") for line in notes()) > 1


def test_pictures_of_all_sizes_go_over_as_they_are(process):
    encoder = NetworksApart(process).images(PICTURES)
    pictures = [Image.new("RGB", (7 + n, 40 - n), (n, 2 * n, 200)) for n in range(20)]
    pictures[3].putpixel((2, 5), (255, 0, 9))
    assert np.array_equal(encoder.encode(pictures), PixelsEncoder().encode(pictures))
    assert encoder.side == PixelsEncoder.side
    assert not isinstance(encoder, EncodesNames)


def test_a_network_that_names_pictures_does_so_from_there(process):
    encoder = NetworksApart(process).images(ImageNetwork("naming", "cpu", 1))
    assert isinstance(encoder, EncodesNames)
    names = [f"name {number}" for number in range(70)]
    expected = HashingEncoder(encoder.dimensions).encode(names)
    assert np.array_equal(encoder.encode_names(names), expected)
    assert encoder.encode_names([]).shape == (0, encoder.dimensions)


def test_lone_surrogates_and_odd_characters_arrive(encoder):
    texts = ["\ud800 lone", "naïve ☃ \x00 \u2028", "line\nline"]
    assert np.array_equal(encoder.encode(texts), HashingEncoder(16).encode(texts))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_killed_between_two_questions_it_is_started_again(encoder, process, notes, number):
    killed = process.pid
    os.kill(killed, number)
    wait_for(lambda: is_gone(killed), what="its end", timeout_s=10.0)
    assert np.array_equal(encoder.encode(TEXTS), HashingEncoder(16).encode(TEXTS))
    assert notes().count("start") == 2
    assert process.pid != killed


def test_killed_in_the_middle_of_a_question_it_answers_after_one_restart(encoder, notes):
    assert encoder.encode(["die once"]).shape == (1, 16)
    assert notes().count("start") == 2


def test_where_it_dies_twice_over_a_question_the_answer_is_an_error(encoder, notes):
    with pytest.raises(EncoderUnavailable, match="ended twice"):
        encoder.encode(["die"])
    assert notes().count("start") == 2
    assert encoder.encode(TEXTS).shape == (4, 16)  # of others nothing is the worse for it


def test_one_that_ends_again_and_again_is_left_alone_for_a_while(encoder, notes, monkeypatch):
    monkeypatch.setattr(apart, "_PAUSE_S", 2.0)
    for _ in range(4):
        with pytest.raises(EncoderUnavailable, match="ended twice"):
            encoder.encode(["die"])
    started = notes().count("start")
    with pytest.raises(EncoderUnavailable, match="again and again"):
        encoder.encode(TEXTS)
    assert notes().count("start") == started
    time.sleep(2.0)
    assert encoder.encode(TEXTS).shape == (4, 16)


def test_one_that_takes_too_long_is_ended_and_the_next_question_answered(encoder, process, monkeypatch):
    monkeypatch.setattr(apart, "_LONGEST_ROUND_S", 0.0)
    stuck = process.pid
    with pytest.raises(EncoderUnavailable, match="took longer"):
        encoder.encode(["slow"])
    assert is_gone(stuck)
    assert encoder.encode(TEXTS).shape == (4, 16)


@pytest.mark.parametrize(("text", "kind"), [("no memory", "no memory"), ("secret", "RuntimeError")])
def test_what_fails_inside_is_named_without_a_text_and_ends_nothing(encoder, notes, text, kind):
    with pytest.raises(EncoderUnavailable, match=kind) as raised:
        encoder.encode([text])
    assert "secret" not in raised.value.with_hint
    assert encoder.encode(TEXTS).shape == (4, 16)
    assert notes().count("start") == 1


def test_a_network_that_is_not_there_is_the_error_of_loading(process):
    with pytest.raises(ValueError, match="no such folder"):
        NetworksApart(process).text(TextNetwork("missing", "cpu", 1, 1))


def test_vectors_of_other_files_than_before_are_refused(encoder, process, tmp_path):
    (tmp_path / "revision").write_text("2")
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(EncoderUnavailable, match="files are others"):
        encoder.encode(TEXTS)


def test_what_comes_at_the_same_time_is_encoded_together(encoder, notes):
    texts = [f"text {number}" for number in range(20)]
    found = {}
    threads = [
        threading.Thread(target=lambda text=text: found.update({text: encoder.encode([text])[0]}))
        for text in texts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.array_equal(np.stack([found[text] for text in texts]), HashingEncoder(16).encode(texts))
    assert sum(line.startswith("encode") for line in notes()) < len(texts)


HOLDER = """
import sys, time
from backend.encoding import TextNetwork
from backend.encoding.apart import EncoderProcess, NetworksApart
process = EncoderProcess([sys.executable, "-m", "tests.fake_encoder_process"])
encoder = NetworksApart(process).text(TextNetwork("words", "cpu", 1, 1))
print(process.pid, flush=True)
encoder.encode([sys.argv[1]])
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("at", ["rest", "slow"])
def test_it_ends_with_the_process_that_started_it(process, number, at):
    # at rest, and in the middle of a question
    with subprocess.Popen([sys.executable, "-c", HOLDER, at], stdout=subprocess.PIPE, text=True) as holder:
        pid = int(holder.stdout.readline())
        holder.send_signal(number)
        holder.wait()
    wait_for(lambda: is_gone(pid), what="its end", timeout_s=10.0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_of_the_whole_group_leaves_it_to_the_last_request(encoder, process, notes, number):
    os.kill(process.pid, number)
    assert encoder.encode(TEXTS).shape == (4, 16)
    assert notes().count("start") == 1


def test_after_a_fork_the_child_has_a_process_of_its_own(encoder, process, notes, monkeypatch):
    monkeypatch.setattr(process, "_owner", process._owner + 1)
    first, connection = process._process, process._connection
    assert encoder.encode(TEXTS).shape == (4, 16)
    assert process.pid != first.pid
    assert first.poll() is None
    connection.close()
    first.wait()


def test_the_real_networks_give_the_same_bits(text_encoder, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    process = EncoderProcess()
    try:
        texts = ["How do I top up?", "", "word " * 400, *(f"the {n} th card" for n in range(70))]
        encoder = NetworksApart(process).text(TextNetwork("", "cpu", 1, 1))
        assert encoder.revision == text_encoder.revision
        assert np.array_equal(encoder.encode(texts), text_encoder.encode(texts))
        pictures = [Image.new("RGB", (30 + n, 20), (n, 99, 255 - n)) for n in range(3)]
        here = NetworksHere().images(PICTURES)
        images = NetworksApart(process).images(PICTURES)
        assert (images.revision, images.side) == (here.revision, here.side)
        assert np.array_equal(images.encode(pictures), here.encode(pictures))
    finally:
        process.close()
