"""Requests from many threads, each on a connection of its own, as Label Studio sends them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

HOST = "127.0.0.1"
_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The status of an answer, and the seconds it took from the first byte sent to the last received."""

    status: int
    seconds: float


def request_bytes(method: str, path: str, body: object = None, **headers: str) -> bytes:
    """A whole request, ready to be sent."""
    content = b"" if body is None else json.dumps(body).encode()
    fields = {"Host": HOST, "Connection": "close", "Content-Length": str(len(content))} | headers
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode() + content


def send(port: int, message: bytes) -> Answer:
    """Sends a request and reads the answer to its end."""
    begun = time.perf_counter()
    received = bytearray()
    with socket.create_connection((HOST, port), timeout=_TIMEOUT_S) as connection:
        connection.sendall(message)
        while part := connection.recv(65536):
            received += part
    return Answer(int(received[9:12]), time.perf_counter() - begun)


def send_for(seconds: float, port: int, make: Callable[[], bytes], *, threads: int) -> list[Answer]:
    """What so many threads get that send one request after the other for some time."""
    until, answers = time.monotonic() + seconds, list[Answer]()

    def run() -> None:
        while time.monotonic() < until:
            answers.append(send(port, make()))

    _run_all([run] * threads)
    return answers


def send_paced(seconds: float, port: int, message: bytes, *, rate: float, threads: int) -> list[Answer]:
    """What requests get that are sent at moments fixed before, `rate` a second, however long answers take.

    The time of an answer counts from the moment at which its request was due.
    """
    begun, answers = time.perf_counter(), list[Answer]()
    numbers: Iterator[int] = iter(range(int(seconds * rate)))
    lock = threading.Lock()

    def run() -> None:
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            due = begun + number / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            answer = send(port, message)
            answers.append(Answer(answer.status, time.perf_counter() - due))

    _run_all([run] * threads)
    return answers


def cpu_seconds(pid: int) -> float:
    """Seconds of processor that a process and its children have taken."""
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False).stdout
    ticks = 0
    for one in (pid, *map(int, listed.split())):
        fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _run_all(targets: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
