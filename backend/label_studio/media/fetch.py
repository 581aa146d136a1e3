"""Bytes of a file that a task refers to, wherever Label Studio lets it lie."""

from __future__ import annotations

import base64
import binascii
import posixpath
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import unquote, unquote_to_bytes, urljoin, urlsplit

import httpcore
import httpx

from backend.label_studio.media.addresses import Allowed, CheckedNetwork, Network
from backend.label_studio.media.errors import (
    AddressRefused,
    MediaError,
    MediaRefused,
    MediaTooLarge,
    MediaUnreachable,
    TooSlow,
)
from backend.label_studio.media.silent import SilentHosts

# What Label Studio itself fetches from storages that an admin connected.
CLOUDS = ("s3", "gs", "azure-blob", "s3s", "gcswif")
# Paths under which Label Studio gives files: uploads, local files, and what it resolves.
_FILES = re.compile(r"/data/.+|/storage-data/.+|/(tasks|projects)/\d+/(resolve|presign)")
_PORTS = {"http": 80, "https": 443}
_REDIRECTS = (301, 302, 303, 307, 308)
_UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Limits:
    """What one file may cost: bytes, seconds in all, seconds of silence, and redirects."""

    most_bytes: int = 32 * 2**20
    seconds: float = 30.0
    silence: float = 10.0
    redirects: int = 5


class MediaFetcher:
    """Fetches files for one Label Studio; its token goes to its own address and nowhere else.

    `authorization(is_renewed)` is the header of a request to Label Studio; it is asked for a new one where
    Label Studio refuses the first. Safe to be used by several threads.
    """

    def __init__(
        self,
        label_studio_url: str,
        authorization: Callable[[bool], str],
        *,
        names: frozenset[str] = frozenset(),
        networks: tuple[Network, ...] = (),
        limits: Limits = Limits(),
        connections: int = 8,
    ) -> None:
        self._url = label_studio_url.rstrip("/")
        self._origin = _origin(self._url)
        self._authorization = authorization
        self._limits = limits
        self._silent = SilentHosts()
        allowed = Allowed(self._origin[1:], names, networks)
        self._pool = httpcore.ConnectionPool(
            max_connections=connections, network_backend=CheckedNetwork(allowed)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.close()

    def fetch(self, value: str, *, task_id: int) -> bytes:
        """The bytes that a value of a task's data refers to; raises MediaError, which says why not.

        A `data:` URI holds them itself; a path is one of Label Studio's; a cloud's address is resolved by
        Label Studio; all else is fetched from where it says.
        """
        value = value.strip()
        if value[:5].lower() == "data:":
            return self._decode(value)
        url = self._locate(value, task_id)
        until = time.monotonic() + self._limits.seconds
        for _ in range(self._limits.redirects + 1):
            with self._silent.asking(_origin(url)):
                body, url = self._ask(url, until)
            if body is not None:
                return body
        raise MediaRefused(f"it is redirected more than {self._limits.redirects} times")

    def _locate(self, value: str, task_id: int) -> str:
        try:
            scheme = urlsplit(value).scheme.lower()
        except ValueError:
            raise AddressRefused("it is no address") from None
        if scheme in CLOUDS:
            coded = base64.urlsafe_b64encode(value.encode()).decode()
            return f"{self._url}/tasks/{task_id}/resolve/?fileuri={coded}"
        if value.startswith("/") and not value.startswith("//"):
            return _spell(self._url + value)
        if scheme in _PORTS:
            return _spell(value)
        raise AddressRefused("it is no address of a file")

    def _ask(self, url: str, until: float) -> tuple[bytes | None, str]:
        """The body, or None and the address that it is redirected to."""
        is_own = self._is_own(url)
        try:
            return self._get(url, until, authorization=self._authorization(False) if is_own else "")
        except _Unauthorized:
            if not is_own:
                raise MediaRefused("the answer is 401") from None
        try:
            return self._get(url, until, authorization=self._authorization(True))
        except _Unauthorized:
            raise MediaRefused("Label Studio refuses our token") from None

    def _is_own(self, url: str) -> bool:
        """Whether it is a file of Label Studio: what else it answers is none of a task's business."""
        if _origin(url) != self._origin:
            return False
        path = posixpath.normpath(unquote(urlsplit(url).path))
        return bool(_FILES.fullmatch(path.removeprefix(urlsplit(self._url).path)))

    def _get(self, url: str, until: float, *, authorization: str) -> tuple[bytes | None, str]:
        silence = min(self._limits.silence, max(until - time.monotonic(), 0.01))
        headers: dict[str | bytes, str | bytes] = {"Accept-Encoding": "identity"}
        headers |= {"Authorization": authorization} if authorization else {}
        timeouts = {"connect": silence, "read": silence, "write": silence, "pool": self._limits.seconds}
        try:
            with self._pool.stream("GET", url, headers=headers, extensions={"timeout": timeouts}) as answer:
                return self._read(answer, url, until)
        except MediaError:
            raise
        except httpcore.TimeoutException:
            raise TooSlow("nobody answers in time") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError):
            raise MediaUnreachable("the connection fails") from None
        except (httpcore.UnsupportedProtocol, UnicodeError, ValueError):
            raise AddressRefused("it is no address of a file") from None

    def _read(self, answer: httpcore.Response, url: str, until: float) -> tuple[bytes | None, str]:
        said = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
        if answer.status in _REDIRECTS and "location" in said:
            return None, _spell(urljoin(url, said["location"]))
        if answer.status == _UNAUTHORIZED:
            raise _Unauthorized
        if answer.status != 200:
            raise MediaRefused(f"the answer is {answer.status}")
        if said.get("content-encoding", "identity") != "identity":
            raise MediaRefused("it is sent packed")
        length = said.get("content-length", "")
        if length.isdigit():
            self._require_small(int(length))
        body = bytearray()
        for part in answer.iter_stream():
            body += part
            self._require_small(len(body))
            if time.monotonic() > until:
                raise TooSlow(f"it takes longer than {self._limits.seconds:g} s")
        return bytes(body), url

    def _decode(self, value: str) -> bytes:
        head, comma, body = value.partition(",")
        self._require_small(len(body) * 3 // 4)
        try:
            if not comma:
                raise MediaRefused("it is a data URI without data")
            raw = unquote_to_bytes(body)
            if not head.lower().endswith(";base64"):
                return raw
            return base64.b64decode(b"".join(raw.split()), validate=True)
        except binascii.Error:
            raise MediaRefused("it is a data URI that cannot be decoded") from None

    def _require_small(self, length: int) -> None:
        if length > self._limits.most_bytes:
            raise MediaTooLarge(f"it is larger than {self._limits.most_bytes / 2**20:g} MiB")


class _Unauthorized(MediaError):
    """The server wants another token, or one at all."""


def _spell(url: str) -> str:
    """An address with everything quoted that has to be; raises AddressRefused where that cannot be done."""
    try:
        return str(httpx.URL(url))
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise AddressRefused("it is no address of a file") from None


def _origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port; raises AddressRefused where there is none."""
    try:
        parts = urlsplit(url)
        scheme = parts.scheme.lower()
        return scheme, (parts.hostname or "").lower(), parts.port or _PORTS[scheme]
    except (ValueError, KeyError):
        raise AddressRefused("it is no address of a file") from None
