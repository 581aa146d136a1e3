"""Broken, hostile and slow pictures: what each address does, and the words by which it has to be told.

The sites behind them count what they are asked. One of them must never be asked.
"""

from __future__ import annotations

import gzip
import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import cycle, islice
from unittest.mock import patch
from urllib.parse import urlsplit

from PIL import Image

from benchmarks.picture_site import Answer, Handler, Site, good_picture, serving_site

UPLOADS = "127.0.0.1"  # Label Studio's own
WEB = "127.0.0.3"  # allowed by MEDIA_ALLOW
# A name that is at WEB when it is asked for first, and at the forbidden site from then on.
CHANGING = "changing.example"
UNKNOWN = "unknown.example"
SLOW = ("silent", "drips")
MIB = 2**20


@dataclass(slots=True)
class Sites:
    """Label Studio's uploads, the web, and one at the web's port that must not be asked."""

    uploads: Site
    web: Site
    forbidden: Site

    @property
    def all(self) -> tuple[Site, Site, Site]:
        """The three of them."""
        return self.uploads, self.web, self.forbidden


def words_by_kind(*, seconds: float = 30) -> dict[str, str]:
    """Every kind, and a part of what has to be said of it; `seconds` is what one file may take."""
    return {
        "absent": "the answer is 404",
        "fails": "the answer is 500",
        "refused": "Label Studio refuses our token",
        "empty": "it is empty",
        "page": "it is no picture of a format that is read",
        "drawn": "it is an SVG",
        "broken": "it is broken",
        "shortened": "the connection fails",
        "endless": "it is larger than 32 MiB",
        "huge": "it is larger than 32 MiB",
        "packed": "it is sent packed",
        "bomb": "it has more than 100,000,000 pixels",
        "round": "it is redirected more than 5 times",
        "to-forbidden": f"{UPLOADS} is a private address",
        "to-metadata": "169.254.169.254 is a private address",
        "to-v6": "::1 is a private address",
        "to-file": "it is no address of a file",
        "forbidden": f"{UPLOADS} is a private address",
        "private": "10.0.0.1 is a private address",
        "changing": f"{CHANGING} is a private address",
        "unknown": f"{UNKNOWN} is not known",
        "file": "it is no address of a file",
        "coded": "it is a data URI that cannot be decoded",
        "silent": "nobody answers in time",
        "drips": f"it takes longer than {seconds:g} s",
    }


def address_of(kind: str, number: int, sites: Sites) -> str:
    """The address of one picture of a kind; no two are alike."""
    port = urlsplit(sites.web.url).port
    elsewhere = {
        "forbidden": f"{sites.forbidden.url}/forbidden/{number}",
        "private": f"http://10.0.0.1/{number}",
        "changing": f"http://{number}.{CHANGING}:{port}/changing/{number}",
        "unknown": f"http://{number}.{UNKNOWN}/{number}",
        "file": f"file:///etc/passwd?{number}",
        "coded": f"data:image/png;base64,***{number}",
    }
    if kind in elsewhere:
        return elsewhere[kind]
    is_upload = number % 2 or kind == "refused"
    return f"/data/upload/{kind}/{number}" if is_upload else f"{sites.web.url}/{kind}/{number}"


def hostile_addresses(sites: Sites, count: int, *, slow: int) -> dict[str, str]:
    """So many addresses, all kinds in turn, and the kind of each; `slow` of them are slow."""
    quick = cycle([kind for kind in words_by_kind() if kind not in SLOW])
    kinds = [*islice(cycle(SLOW), slow), *islice(quick, count - slow)]
    return {address_of(kind, number, sites): kind for number, kind in enumerate(kinds)}


@contextmanager
def hostile_sites() -> Iterator[Sites]:
    """The three sites, answering."""
    sites = Sites(Site(), Site(), Site())
    _packed()  # made before anybody waits for them
    _bomb()
    with ExitStack() as stack:
        stack.enter_context(serving_site(sites.web, WEB))
        port = urlsplit(sites.web.url).port or 0
        stack.enter_context(serving_site(sites.forbidden, UPLOADS, port))
        stack.enter_context(serving_site(sites.uploads, UPLOADS))
        for site in sites.all:
            site.answers.update(_answers(sites))
        yield sites


@contextmanager
def changing_names() -> Iterator[None]:
    """Names under `CHANGING` are at WEB once, and then at a loopback address; under `UNKNOWN` is nothing."""
    plain, asked, lock = socket.getaddrinfo, set[str](), threading.Lock()

    def resolve(host: str, *rest: object, **options: object) -> object:
        if host.endswith(UNKNOWN):
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        if not host.endswith(CHANGING):
            return plain(host, *rest, **options)  # type: ignore[call-overload]
        with lock:
            is_first = host not in asked
            asked.add(host)
        return plain(WEB if is_first else UPLOADS, *rest, **options)  # type: ignore[call-overload]

    with patch("socket.getaddrinfo", resolve):
        yield


def _answers(sites: Sites) -> dict[str, Answer]:
    """What happens at paths of each kind."""
    return {
        "fails": lambda to: to.send(b"", status=500),
        "refused": lambda to: to.send(b"", status=401),
        "empty": lambda to: to.send(b""),
        "page": lambda to: to.send(b"<html>log in</html>", Content_Type="image/png"),
        "drawn": lambda to: to.send(b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        "broken": lambda to: to.send(b"\x89PNG\r\n\x1a\n" + b"nothing" * 50),
        "shortened": _shorten,
        "endless": _send_without_end,
        "huge": lambda to: to.send(b"x", Content_Length=str(10**10)),
        "packed": lambda to: to.send(_packed(), Content_Encoding="gzip"),
        "bomb": lambda to: to.send(_bomb()),
        "round": lambda to: _redirect(to, to.path),
        "to-forbidden": lambda to: _redirect(to, f"{sites.forbidden.url}{to.path}"),
        "to-metadata": lambda to: _redirect(to, "http://169.254.169.254/latest/meta-data/"),
        "to-v6": lambda to: _redirect(to, "http://[::1]/"),
        "to-file": lambda to: _redirect(to, "file:///etc/passwd"),
        "changing": lambda to: _redirect(to, f"http://{to.headers['Host']}{to.path}"),
        "silent": lambda to: time.sleep(60),
        "drips": _drip,
        # not hostile: a picture that the site calls a text, and one that lies elsewhere
        "called-text": lambda to: to.send(good_picture(_number(to)), Content_Type="text/plain"),
        "moved": lambda to: _redirect(to, f"{sites.web.url}/called-text/{_number(to)}"),
    }


def _number(to: Handler) -> int:
    return int(to.path.rpartition("/")[2])


def _redirect(to: Handler, where: str) -> None:
    # a new connection each time, so that a name is asked for anew
    to.send(b"", status=302, Location=where, Connection="close")


def _shorten(to: Handler) -> None:
    to.send(b"\x89PNG", Content_Length="5000", Connection="close")
    to.close_connection = True


def _send_without_end(to: Handler) -> None:
    _open_end(to)
    for _ in range(200):
        to.wfile.write(b"x" * MIB)


def _drip(to: Handler) -> None:
    _open_end(to)
    for _ in range(600):
        to.wfile.write(b"x")
        time.sleep(0.1)


def _open_end(to: Handler) -> None:
    """An answer that says nothing of its length: it ends with the connection."""
    to.send_response(200)
    to.send_header("Connection", "close")
    to.end_headers()
    to.close_connection = True


@cache
def _packed() -> bytes:
    return gzip.compress(bytes(100 * MIB))


@cache
def _bomb() -> bytes:
    kept = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(kept, "PNG")
    return kept.getvalue()
