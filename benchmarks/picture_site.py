"""A site of pictures that counts what it is asked: small good ones, as many as wanted, and whatever is added.

It stands in for Label Studio's uploads, whose token it wants to see, and for any other host.
"""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

GOOD = "/data/upload/good/"
SIDE = 32
KINDS = 64
PIXELS_FROM = 54  # where the pixels of a BMP of 24 bits begin

Answer = Callable[["Handler"], None]


class Site:
    """What was asked, by path, and every value of every header; `answers` are by a path's last folder."""

    def __init__(self, *, answers: dict[str, Answer] | None = None) -> None:
        self.answers = answers or {}
        self.asked: Counter[str] = Counter()
        self.headers: Counter[str] = Counter()
        self.url = ""
        self._lock = threading.Lock()

    def note(self, path: str, headers: list[tuple[str, str]]) -> None:
        """Counts one request."""
        with self._lock:
            self.asked[path] += 1
            self.headers.update(f"{name.lower()}: {value}" for name, value in headers)

    @property
    def asked_twice(self) -> int:
        """How many requests were for what had been asked for before."""
        return self.asked.total() - len(self.asked)


class Handler(BaseHTTPRequestHandler):
    """Answers for the site of its server."""

    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        """A good picture, or what the site does at such paths."""
        self.site.note(self.path, list(self.headers.items()))
        kind = self.path.strip("/").rpartition("/")[0]
        with_kind = self.site.answers.get(kind.rpartition("/")[2])
        if with_kind is not None:
            with_kind(self)
        elif self.path.startswith(GOOD):
            self.send(good_picture(int(self.path.removeprefix(GOOD).partition(".")[0])))
        else:
            self.send(b"nothing here", status=404)

    def send(self, body: bytes, *, status: int = 200, **headers: str) -> None:
        """One whole answer."""
        self.send_response(status)
        for name, value in ({"Content_Length": str(len(body))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *values: object) -> None:
        """Nothing is written."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever asked went away in the middle, as is meant."""


@contextmanager
def serving_site(site: Site, host: str = "127.0.0.1", port: int = 0) -> Iterator[Site]:
    """Answers at a host and port (0: a free one) until the block ends; `site.url` says where."""
    handler = type("HandlerOfSite", (Handler,), {"site": site})
    with _Server((host, port), handler) as server:
        site.url = f"http://{host}:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


def good_picture(number: int) -> bytes:
    """A BMP of 32 × 32 pixels, no two numbers alike."""
    data = bytearray(_kind(number % KINDS))
    data[PIXELS_FROM : PIXELS_FROM + 4] = number.to_bytes(4, "big")
    return bytes(data)


@cache
def _kind(kind: int) -> bytes:
    rng = np.random.default_rng(kind)
    coarse = Image.fromarray(rng.integers(0, 256, size=(5, 5, 3), dtype=np.uint8))
    kept = io.BytesIO()
    coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(kept, "BMP")
    return kept.getvalue()
