"""Whatever is sent: requests drawn from our own description, and garbage. Is there an answer of 5xx, a hang?

    .venv/bin/python -m benchmarks.bench_fuzz 10000 [SEED]

An answer of 503 with `Retry-After` is the bound on what is in flight, and counts apart. A connection that is
closed without an answer is one to what is no HTTP, or was never sent to its end.
"""

from __future__ import annotations

import random
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import Response

from benchmarks.figures import Bench, percentile
from benchmarks.garbage import draw_garbage
from benchmarks.served_stage import SECRET, ServedStage, open_served_stage
from benchmarks.texts import load_short_texts
from tests.described_requests import DescribedRequest, Known, draw_requests
from tests.description import assert_described, operations

COUNT = 10_000
TASKS, LABELS = 200, 12
LIMIT_S = 30.0
THREADS = 4
STALLED = 80
LOGIN = ("an-admin", "a-password")
# Who guesses at the log-in is refused by the address: that is another one than all else comes from.
GUESSER, SENDER = "127.0.0.3", "127.0.0.2"
_GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(slots=True)
class Seen:
    """What became of the requests; all threads add to it."""

    statuses: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)
    hangs: list[str] = field(default_factory=list)
    refused: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, kind: str, message: bytes, response: Response | None, seconds: float) -> None:
        """One answer; None: the connection was closed without any."""
        with self._lock:
            self.kinds[kind] += 1
            self.seconds.append(seconds)
            self.statuses["closed" if response is None else str(response.status_code)] += 1
            if response is not None and response.status_code >= 500:
                if response.status_code == 503 and "Retry-After" in response.headers:
                    self.refused += 1
                else:
                    self.faults.append(f"{response.status_code} {kind}: {message[:300]!r}")

    def add_hang(self, kind: str, message: bytes) -> None:
        """No answer within the limit."""
        with self._lock:
            self.kinds[kind] += 1
            self.hangs.append(f"{kind}: {message[:300]!r}")

    def add_unlike(self, what: str) -> None:
        """An answer that the description does not name."""
        with self._lock:
            self.unlike.append(what)


def main() -> None:
    """Run the bench."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    bench = Bench("fuzz", f"{count:,} fuzzed requests")
    bench.say("starting the backend and a worker, beside a Label Studio in memory")
    login = {"BASIC_AUTH_USER": LOGIN[0], "BASIC_AUTH_PASS": LOGIN[1]}
    with open_served_stage(load_short_texts(TASKS), TEXT_ENCODER="hashing", **login) as stage:
        stage.label_and_wait(LABELS)
        known = _known(stage)
        described = _described(known, count // 2, seed)
        bench.say(f"{len(described)} requests drawn from the description")
        seen, headers = Seen(), "".join(f"{name}: {value}\r\n" for name, value in known.headers.items())
        chance = random.Random(seed)
        garbage = [draw_garbage(chance, headers if chance.random() < 0.8 else "") for _ in described]
        port = stage.backend.port
        _in_threads([lambda sent=sent: _send_described(port, sent, seen) for sent in described])
        bench.say("the described ones are answered")
        _in_threads(
            [lambda one=one: _send(port, one.kind, one.content, one.ending == "cut", seen) for one in garbage]
        )
        bench.say("the garbage is answered")
        _stalled(bench, port)
        stage.label_and_wait(10)
        log = stage.backend.web.log_path.read_text(errors="replace")
    _summarise(bench, seen, log)
    bench.finish()


def _known(stage: ServedStage) -> Known:
    stage.log_in()
    token = stage.token()
    return Known(
        values={
            **{"project_id": stage.project_id, "task_id": 1, "task": "1", "tasks": "1,2,3,4,5,6,7,8"},
            **{"project": stage.reference, "csrf_token": token, "label_config": stage.config, "count": "5"},
            **{"version": "nl-000001-label-names", "kind": "rename", "question": "topic", "group": 1},
            "action": "ANNOTATION_CREATED",
        },
        headers={"X-Nextlabel-Secret": SECRET, "Cookie": stage.cookies},
    )


def _described(known: Known, count: int, seed: int) -> list[DescribedRequest]:
    """So many, in a random order; the operations that take nothing are asked as often as others."""
    each = 1 + count // (2 * len(operations()))
    by_operation: dict[tuple[str, str], list[DescribedRequest]] = {}
    for sent in draw_requests(known, each=each, seed=seed):
        by_operation.setdefault(sent.operation, []).append(sent)
    chance = random.Random(seed)
    drawn = [chance.choice(by_operation[name]) for name in by_operation for _ in range(2 * each)]
    chance.shuffle(drawn)
    return drawn[:count]


def _send_described(port: int, sent: DescribedRequest, seen: Seen) -> None:
    method, path = sent.operation
    kind = f"described: {method} {path}"
    source = GUESSER if path == "/login" else SENDER
    response = _send(port, kind, _bytes_of(sent), False, seen, source=source)
    # another route, or none, where the address was broken
    if response is None or response.status_code in (308, 404, 405):
        return
    try:
        assert_described(method, path, response)
    except Exception as error:  # noqa: BLE001  # whatever is unlike is told
        seen.add_unlike(f"{type(error).__name__} {str(error)[:300]}")


def _bytes_of(sent: DescribedRequest) -> bytes:
    fields = dict(sent.headers) | {"Host": "127.0.0.1", "Connection": "close"}
    fields["Content-Length"] = str(len(sent.body))
    lines = [
        f"{sent.operation[0]} {sent.address} HTTP/1.1",
        *(f"{k}: {v}" for k, v in fields.items()),
        "",
        "",
    ]
    return "\r\n".join(lines).encode("utf-8", "replace") + sent.body


def _send(
    port: int, kind: str, message: bytes, ends: bool, seen: Seen, *, source: str = SENDER
) -> Response | None:
    """Sends it and reads the answer to its end; `ends`: says that nothing more will come."""
    begun, received = time.perf_counter(), bytearray()
    try:
        with socket.create_connection(
            ("127.0.0.1", port), timeout=LIMIT_S, source_address=(source, 0)
        ) as peer:
            peer.sendall(message)
            if ends:
                peer.shutdown(socket.SHUT_WR)
            while part := peer.recv(65536):
                received += part
    except TimeoutError:
        seen.add_hang(kind, message)
        return None
    except OSError:
        pass  # refused in the middle of a long message: what was answered by then counts
    response = _read(bytes(received))
    seen.add(kind, message, response, time.perf_counter() - begun)
    return response


def _read(received: bytes) -> Response | None:
    head, _, body = received.removeprefix(_GO_ON).partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    if not lines[0].startswith("HTTP/1."):
        return None
    headers: list[tuple[str, Any]] = [
        (k, v.strip()) for k, _, v in (line.partition(":") for line in lines[1:])
    ]
    return Response(body, status=int(lines[0].split(" ")[1]), headers=headers)


def _in_threads(acts: list[Callable[[], None]]) -> None:
    waiting: Iterator[Callable[[], None]] = iter(acts)
    lock = threading.Lock()

    def run() -> None:
        while True:
            with lock:
                act = next(waiting, None)
            if act is None:
                return
            act()

    threads = [threading.Thread(target=run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _stalled(bench: Bench, port: int) -> None:
    """More connections than the server has threads say half a request and then nothing."""
    half = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
    peers = [socket.create_connection(("127.0.0.1", port)) for _ in range(STALLED)]
    for number, peer in enumerate(peers):
        peer.sendall(half + (b"\r\n{" if number % 2 else b""))
    time.sleep(1.0)
    begun = time.perf_counter()
    seen = Seen()
    _send(port, "health", b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", False, seen)
    seconds = time.perf_counter() - begun
    for peer in peers:
        peer.close()
    bench.check(
        f"/health while {STALLED} connections said half a request and no more",
        "no answer" if seen.hangs else f"{seconds:.1f} s",
        target=f"≤ {LIMIT_S:.0f} s",
        reached=not seen.hangs,
    )


def _summarise(bench: Bench, seen: Seen, log: str) -> None:
    total = sum(seen.kinds.values())
    bench.add("requests sent", f"{total:,}")
    drawn = sum(count for kind, count in seen.kinds.items() if kind.startswith("described"))
    bench.add("drawn from the description, and garbage", f"{drawn:,}, {total - drawn:,}")
    bench.check("answers of 5xx", str(len(seen.faults)), target="0", reached=not seen.faults)
    bench.check(f"no answer within {LIMIT_S:.0f} s", str(len(seen.hangs)), target="0", reached=not seen.hangs)
    bench.add("refused for a while (503 with Retry-After)", str(seen.refused))
    bench.check("answers unlike the description", str(len(seen.unlike)), target="0", reached=not seen.unlike)
    failures = log.count("request failed")
    bench.check("failures in the log", str(failures), target="0", reached=not failures)
    tracebacks = log.count("Traceback")
    bench.check("tracebacks in the log", str(tracebacks), target="0", reached=not tracebacks)
    bench.add(
        "99th percentile and slowest", f"{percentile(seen.seconds, 99):.2f} s, {max(seen.seconds):.2f} s"
    )
    bench.add("answers by status", ", ".join(f"{k}: {v}" for k, v in sorted(seen.statuses.items())))
    bench.raw |= {"kinds": seen.kinds, "statuses": seen.statuses}
    bench.raw |= {"faults": seen.faults, "hangs": seen.hangs, "unlike": seen.unlike}
    bench.raw["log"] = [line for line in log.splitlines() if "request failed" in line or "rror" in line][:100]


if __name__ == "__main__":
    main()
