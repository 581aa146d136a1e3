"""Whoever says half a request, or never takes his answer, does not keep others from being heard."""

import contextlib
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from demo.child_process import find_free_port

ROOT = Path(__file__).resolve().parents[2]
# More than the server has threads.
MANY = 70
SERVER = """
import sys
from backend import server
server._LONGEST_SILENCE_S = 1
def app(environ, start_response):
    length = int(environ.get("CONTENT_LENGTH") or 0)
    environ["wsgi.input"].read(length)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"x" * (50_000_000 if environ["PATH_INFO"] == "/large" else 2)]
server.serve_app(lambda: app, host="127.0.0.1", port=int(sys.argv[1]))
"""
QUESTION = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def ask(port, *, timeout=30):
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as peer:
        peer.sendall(QUESTION)
        return peer.recv(15)


@pytest.fixture
def port():
    """Of a server that waits one second for silent peers."""
    port = find_free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(port)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                ask(port)
                break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTT",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nab",
        b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n",
        # these end, and leave the connection open
        QUESTION,
    ],
    ids=["half a head", "half a body", "an answer that nobody takes", "a connection that nobody closes"],
)
def test_many_silent_peers_do_not_keep_others_out(said, port):
    with contextlib.ExitStack() as peers:
        for _ in range(MANY):
            peers.enter_context(socket.create_connection(("127.0.0.1", port))).sendall(said)
        time.sleep(0.5)
        started = time.monotonic()
        assert ask(port).startswith(b"HTTP/1.1 200")
        # one after the other, each for two seconds, it would be minutes
        assert time.monotonic() - started < 20
