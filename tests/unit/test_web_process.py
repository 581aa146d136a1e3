"""The real web process: it holds no network library, and its encoder's process lives and ends with it."""

import json
import os
import signal
from pathlib import Path

import httpx
import pytest

from demo.processes import ROOT, BackendProcesses
from demo.waiting import wait_for

CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="label" toName="text"><Choice value="cats"/>'
    '<Choice value="dogs"/></Choices></View>'
)
# Python runs this in every process that it starts; gunicorn leaves signals of this number alone.
TELL = """
import json, os, signal, sys
from pathlib import Path

def tell(_number, _frame):
    path = Path(os.environ["TELL"], str(os.getpid()))
    path.with_suffix(".part").write_text(json.dumps(sorted(sys.modules)))
    path.with_suffix(".part").replace(path)

signal.signal(signal.SIGRTMIN, tell)
"""
NETWORK_LIBRARIES = {"torch", "transformers"}


@pytest.fixture
def backend(tmp_path):
    """A web process that answers, with the encoder that is the default."""
    (tmp_path / "sitecustomize.py").write_text(TELL)
    folder = tmp_path / "backend"
    folder.mkdir()
    settings = {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", "TELL": str(tmp_path), "LOG_LEVEL": "INFO"}
    backend = BackendProcesses(folder, label_studio_url="http://127.0.0.1:9", api_key="", settings=settings)
    try:
        backend.start_web()
        yield backend
    finally:
        backend.stop()


@pytest.fixture
def modules_of(tmp_path):
    """modules_of(pid): the names of what a process has imported."""

    def ask(pid):
        path = tmp_path / str(pid)
        path.unlink(missing_ok=True)
        os.kill(pid, signal.SIGRTMIN)
        wait_for(path.exists, what="the modules of a process", timeout_s=30.0)
        return set(json.loads(path.read_text()))

    return ask


def predict(backend, text):
    """What the backend says of a text: its label and how sure it is."""
    body = {"tasks": [{"id": 1, "data": {"text": text}}], "label_config": CONFIG}
    answer = httpx.post(f"{backend.url}/predict", json=body, timeout=240.0)
    assert answer.status_code == 200, answer.text
    (found,) = answer.json()["results"]
    return found["result"][0]["value"]["choices"], found["score"]


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command_of(pid):
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")


def family(backend):
    """The process that answers, and the encoder's."""
    (answering,) = children(backend.web.pid)
    # whoever forks is a thread
    found = [pid for pid in every_descendant(answering) if "backend.encoding.process" in command_of(pid)]
    return answering, found


def every_descendant(pid):
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield int(child)


def has_ended(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_the_web_process_never_imports_a_network_library(backend, modules_of):
    answering, _ = family(backend)
    assert not modules_of(answering) & NETWORK_LIBRARIES
    assert not modules_of(backend.web.pid) & NETWORK_LIBRARIES
    assert predict(backend, "my cat purrs all day")[0] == ["cats"]
    assert not modules_of(answering) & NETWORK_LIBRARIES
    _, (encoding,) = family(backend)
    assert modules_of(encoding) >= NETWORK_LIBRARIES

    # killed, it is started again by the next text that nobody has seen
    os.kill(encoding, signal.SIGKILL)
    assert predict(backend, "the dog barks at the postman")[0] == ["dogs"]
    _, (again,) = family(backend)
    assert again != encoding

    # and it ends with whoever asks it, however that ends
    os.kill(answering, signal.SIGKILL)
    wait_for(lambda: has_ended(again), what="the end of the encoder's process", timeout_s=15.0)


def test_a_web_process_that_is_told_to_stop_takes_its_encoder_with_it(backend):
    predict(backend, "a kitten")
    _, (encoding,) = family(backend)
    backend.web.stop()
    wait_for(lambda: has_ended(encoding), what="the end of the encoder's process", timeout_s=15.0)
