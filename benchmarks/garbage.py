"""What is no request of anybody who means well: bytes, broken HTTP, hostile JSON, forms and addresses."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

JSON_PATHS = ("/setup", "/predict", "/webhook", "/train", "/job_status")
FORM_PATHS = (
    "search",
    "tabs",
    "ask-next",
    "loop",
    "add-class",
    "labels/preview",
    "labels/change",
    "rollback",
)
READ_PATHS = (
    "/",
    "/health",
    "/projects",
    "/projects/1",
    "/projects/1.json",
    "/projects/1/tasks.json",
    "/metrics",
)
METHODS = (
    "PUT",
    "PATCH",
    "DELETE",
    "HEAD",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PROPFIND",
    "get",
    "G\xcbT",
    "M" * 30,
)
ADDRESSES = (
    *("//evil.test/", "/%00", "/%ff%fe", "/projects/%2e%2e/%2e%2e/etc/passwd", "/projects/1/../../etc", "*"),
    *("/projects/1e9", "/projects/٧", "/projects/-1.json", f"/projects/{'9' * 4000}.json", "/" + "a" * 7000),
    *(
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/?" + "&".join(f"a{n}=1" for n in range(2000)),
        "http://x/",
    ),
    *("/projects/1/tasks.json?task=" + "9" * 6000, "/webhook?project=%00", "/login?next=//evil.test"),
)
VALUES = (
    *(None, True, 10**400, -1, 2**63, 1e308, "", "\ud800", "\x00", "a" * 100_000, [], {}, [[[]]], {"": {}}),
    *({"id": 2**63}, {"id": 1.5}, {"id": "1"}, {"data": []}, {"data": {"text": {"a": [1]}}}, "7.1700000000"),
)
FIELDS = (
    "project",
    "tasks",
    "label_config",
    "action",
    "schema",
    "extra_params",
    "params",
    "annotations",
    "task",
)
Ending = Literal["whole", "cut"]


@dataclass(frozen=True, slots=True)
class Garbage:
    """The bytes of a message, and whether the sender says nothing more after them though it should."""

    kind: str
    content: bytes
    ending: Ending = "whole"


def draw_garbage(chance: random.Random, headers: str = "") -> Garbage:
    """One message; `headers` (each line with its end) let in who is let in."""
    return chance.choice(_KINDS)(chance, headers)


def _message(
    method: str, address: str, body: bytes = b"", headers: str = "", *, kind: str, more: str = ""
) -> Garbage:
    lines = f"{method} {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}{more}"
    if "ength:" not in more and "ransfer" not in more:
        lines += f"Content-Length: {len(body)}\r\n"
    return Garbage(kind, lines.encode("utf-8", "replace") + b"\r\n" + body)


def _bytes(chance: random.Random, _headers: str) -> Garbage:
    return Garbage("random bytes", chance.randbytes(chance.randrange(1, 3000)) + b"\r\n\r\n", "cut")


def _broken_http(chance: random.Random, headers: str) -> Garbage:
    more = chance.choice(
        (
            *(
                "Content-Length: -1\r\n",
                "Content-Length: 1e3\r\n",
                "Content-Length: 5\r\nContent-Length: 6\r\n",
            ),
            *("Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip\r\n", "X" * 9000 + ": 1\r\n"),
            *(
                "".join(f"X-{n}: 1\r\n" for n in range(300)),
                "No colon\r\n",
                "Host: b\r\n",
                "Cookie: \x7f\xff=\x01\r\n",
            ),
            *("Content-Encoding: gzip\r\n", "Expect: 100-continue\r\n", "Authorization: Basic =\r\n"),
            *(
                "Content-Type: application/json; charset=no-such\r\n",
                "Range: bytes=5-1\r\n",
                "Accept: ,;q=x\r\n",
            ),
        )
    )
    path = chance.choice(JSON_PATHS)
    found = _message("POST", path, chance.randbytes(40), headers, kind="broken HTTP", more=more)
    return Garbage(found.kind, found.content, "cut")


def _cut(chance: random.Random, headers: str) -> Garbage:
    whole = _message("POST", chance.choice(JSON_PATHS), b'{"tasks": []}', headers, kind="half sent").content
    return Garbage("half sent", whole[: chance.randrange(1, len(whole))], "cut")


def _method(chance: random.Random, headers: str) -> Garbage:
    address = chance.choice(READ_PATHS + JSON_PATHS)
    return _message(chance.choice(METHODS), address, b"{}", headers, kind="odd methods")


def _address(chance: random.Random, headers: str) -> Garbage:
    return _message(
        chance.choice(("GET", "POST")), chance.choice(ADDRESSES), b"", headers, kind="odd addresses"
    )


def _body(chance: random.Random, headers: str) -> Garbage:
    depth = chance.choice((200, 900, 1000, 50_000))
    body = chance.choice(
        (
            *(
                chance.randbytes(200),
                b"",
                b"{",
                b"null",
                b'"a"',
                b"NaN",
                b'{"tasks": Infinity}',
                b"\xff\xfe{}",
            ),
            *(b"[" * depth, b"[" * depth + b"]" * depth, b'{"tasks": [' + b'{"id":' * depth, b"1" * 10_000),
            *(b'{"tasks": "\\ud800"}', b'{"a": 1} {"b": 2}', b'{"tasks": [' + b"{}," * 5000 + b"{}]}"),
        )
    )
    kind = "odd bodies"
    return _message(
        "POST", chance.choice(JSON_PATHS), body, headers, kind=kind, more=_type("application/json")
    )


def _wrong_types(chance: random.Random, headers: str) -> Garbage:
    body = {name: chance.choice(VALUES) for name in chance.sample(FIELDS, chance.randrange(1, 6))}
    if chance.random() < 0.5:
        body["tasks"] = [chance.choice(VALUES) for _ in range(chance.randrange(4))]
    content, path = json.dumps(body).encode(), chance.choice(JSON_PATHS)
    return _message("POST", path, content, headers, kind="wrong types", more=_type("application/json"))


def _form(chance: random.Random, headers: str) -> Garbage:
    body, kind = chance.choice(
        (
            (b"csrf_token=%ff&tasks=%00&group=1e9", "application/x-www-form-urlencoded"),
            (b"&".join(b"a%d=1" % n for n in range(5000)), "application/x-www-form-urlencoded"),
            (b"sentence=" + b"a" * 600_000, "application/x-www-form-urlencoded"),
            (b"sentence=%ED%A0%80&task=" + b"9" * 5000, "application/x-www-form-urlencoded"),
            (
                b'--x\r\nContent-Disposition: form-data; name="sentence"\r\n\r\nhi',
                "multipart/form-data; boundary=x",
            ),
            (b"--x\r\n" * 3000, "multipart/form-data; boundary=x"),
            (chance.randbytes(300), "multipart/form-data"),
            (b'{"sentence": "hi"}', "application/json"),
        )
    )
    path = f"/projects/{chance.choice((0, 1, 2**31, 2**64))}/{chance.choice(FORM_PATHS)}"
    return _message("POST", path, body, headers, kind="odd forms", more=_type(kind))


def _type(kind: str) -> str:
    return f"Content-Type: {kind}\r\n"


_KINDS: tuple[Callable[[random.Random, str], Garbage], ...] = (
    *(_bytes, _broken_http, _cut, _method, _address, _body, _wrong_types, _form),
)
