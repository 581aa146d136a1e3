"""HTTP to Label Studio: signed, counted, tried again where it may help, our errors in place of codes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
from tenacity import (
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential,
)

from backend.errors import (
    AddressBlocked,
    BackendUnreachable,
    LabelStudioBusy,
    LabelStudioError,
    LabelStudioUnreachable,
    NotFound,
    TokenRefused,
    UnexpectedAnswer,
)
from backend.json_types import Json
from backend.label_studio.auth import REFRESH_PATH, LabelStudioAuth, TokenKind, token_fault
from backend.label_studio.shapes import Shape, misfit, summary
from backend.tracing import note_on_span, span

_TIMEOUT = httpx.Timeout(120.0, connect=5.0)
# Pauses of 0.3, 0.6, … 9.6 s: some twenty seconds in all, in which a locked database or a restart passes.
_FIRST_PAUSE_S = 0.3
_TRIES = 7
_PATIENCE_S = 45.0  # for tries that take long themselves
# What Label Studio or a proxy before it answers for a while: a locked database is a 500.
_PASSING = (429, 500, 502, 503, 504)


class Refused(LabelStudioError):
    """Label Studio found fault with what was sent; `status_code` and `detail` say how."""

    def __init__(self, message: str, *, status_code: int, detail: str) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.detail = detail


class Connection:
    """Requests to one Label Studio. What may pass is tried again for some twenty seconds.

    The answer to a write can be lost on its way, after Label Studio has done it: before it is sent again, it
    is read back. A deletion needs no reading: what is gone already is done.
    """

    def __init__(self, url: str, api_key: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self.url = url
        self.writes = 0
        self.seconds = 0.0
        # Label Studio's own clock, at its last answer; None before the first, or when it does not say.
        self.now: datetime | None = None
        self._auth = LabelStudioAuth(url, api_key)
        self._has_key = bool(api_key)
        self._fault_of_key = token_fault(api_key)
        self._http = httpx.Client(base_url=url, auth=self._auth, timeout=_TIMEOUT, transport=transport)

    @property
    def token_kind(self) -> TokenKind:
        """Which kind of token LABEL_STUDIO_API_KEY is."""
        return self._auth.kind

    def close(self) -> None:
        """Gives the connections back."""
        self._http.close()

    def _get(self, path: str, shape: Shape, params: Json | None = None, *, tries: int = _TRIES) -> Any:
        """What Label Studio answers to a question; raises UnexpectedAnswer when it has another shape."""
        return _patiently(tries)(self._ask, "GET", path, shape, params=params)

    def _send(
        self,
        method: str,
        path: str,
        body: object,
        shape: Shape = None,
        *,
        read_back: Callable[[], Any] | None = None,
    ) -> Any:
        """Writes something. `read_back` finds what an earlier try left; None: nothing, so send it again."""
        for attempt in _patiently(_TRIES):
            with attempt:
                found = read_back() if read_back and attempt.retry_state.attempt_number > 1 else None
                done = self._ask(method, path, shape, body=body) if found is None else found
        return done

    def _delete(self, path: str) -> None:
        """Removes something that has a number, if it is still there."""
        with suppress(NotFound):
            self._send("DELETE", path, None)

    def _ask(
        self, method: str, path: str, shape: Shape, *, params: Json | None = None, body: object = None
    ) -> Any:
        response = self._request(method, path, params=params, body=body)
        self._check(response)
        if shape is None:
            return None
        answer = _json(response)
        if fault := misfit(answer, shape):
            raise UnexpectedAnswer(
                f"Label Studio's answer ({response.status_code}) to {_call(response)} has an "
                f"unexpected shape: {fault}. What came is {summary(answer)}.",
                hint="Is LABEL_STUDIO_URL the address of Label Studio itself, in a version that we know?",
            )
        return answer

    def _request(self, method: str, path: str, *, params: Json | None, body: object) -> httpx.Response:
        if not self._has_key:
            raise TokenRefused(
                "LABEL_STUDIO_API_KEY is not set.",
                hint="Copy a token from Label Studio (Account & Settings, Personal Access Token) into the "
                "environment or the file .env, and start again.",
            )
        if self._fault_of_key:
            raise TokenRefused(
                f"LABEL_STUDIO_API_KEY is no token: {self._fault_of_key}.",
                hint="Copy it again, whole and alone, from Label Studio: Account & Settings.",
            )
        if method != "GET":
            self.writes += 1
        started = time.monotonic()
        try:
            with span(f"Label Studio {method}", path=path):
                response = self._http.request(method, path, params=params, json=body)
                note_on_span("status", response.status_code)
        except httpx.RequestError as error:
            raise LabelStudioUnreachable(
                f"Nobody answers at {self.url} ({type(error).__name__}), asked for {method} {path}.",
                hint="Start Label Studio, or set LABEL_STUDIO_URL to its address as seen from the machine "
                "where Nextlabel runs.",
            ) from None
        finally:
            self.seconds += time.monotonic() - started
        self.now = _date_of(response)
        return response

    def _check(self, response: httpx.Response) -> None:
        is_exchange = response.request.url.path.endswith(REFRESH_PATH)
        if response.is_success and is_exchange:
            raise self._not_label_studio(response)
        if response.is_success:
            return
        status, detail = response.status_code, self._auth.without_tokens(_detail(response))
        if "reserved network address" in detail or "reserved IP" in detail:
            raise AddressBlocked(
                "Label Studio refuses to call a local or private address.",
                hint="Start Label Studio with USE_DEFAULT_BANNED_SUBNETS=false, or with both "
                "ML_BLOCK_LOCAL_IP=false and SSRF_PROTECTION_ENABLED=false. Where you cannot: connect with "
                "--pull, and this backend asks Label Studio what changed.",
            )
        if "connect to ML backend" in detail or "valid ML backend" in detail:
            raise BackendUnreachable(
                "Label Studio gets no good answer from this backend.",
                hint="Is `nextlabel start` running with these settings, and is BACKEND_URL its "
                "address as Label Studio sees it? Where it cannot call this machine: connect with --pull.",
            )
        if status in (401, 403) and _is_json(response):
            raise TokenRefused(self._refusal(detail), hint=self._token_hint(detail))
        if status == httpx.codes.NOT_FOUND and _is_json(response):
            raise NotFound(
                f"Label Studio knows nothing at {_call(response)}.", hint="Does the project (still) exist?"
            )
        if status in (401, 403, 404) or response.is_redirect:
            raise self._not_label_studio(response)
        message = f"Label Studio answers {status} to {_call(response)}: {detail[:300]}"
        if status in _PASSING:
            raise LabelStudioBusy(message, hint="Try again later.")
        raise Refused(message, status_code=status, detail=detail)

    def _not_label_studio(self, response: httpx.Response) -> LabelStudioError:
        """Of an answer that Label Studio's API never gives; while it is restarted, a proxy may."""
        to = self._auth.without_tokens(response.headers.get("Location", ""))
        leads = f", which leads to {to}" if to else ""
        return UnexpectedAnswer(
            f"What answers {_call(response)} at {self.url} is not Label Studio's API: "
            f"{response.status_code}{leads}, {_content(response)}.",
            hint=f"Set LABEL_STUDIO_URL (now {self.url}) to the address that a browser shows for the start "
            "page of Label Studio, without /projects, /user/login or /api at its end.",
        )

    def _refusal(self, detail: str) -> str:
        kind = "personal access token" if self.token_kind == "personal" else "legacy token"
        return f"Label Studio refuses the {kind} in LABEL_STUDIO_API_KEY: {detail[:200] or 'no reason given'}"

    def _token_hint(self, detail: str) -> str:
        if self.token_kind == "legacy" and "legacy" in detail.lower():
            return (
                "Legacy tokens are switched off in this Label Studio. Use a personal access token, or switch "
                "them on under Organization, API Tokens Settings."
            )
        return "Copy the token again from Label Studio: Account & Settings."


def _patiently(tries: int) -> Retrying:
    return Retrying(
        retry=retry_if_exception_type((LabelStudioUnreachable, LabelStudioBusy, UnexpectedAnswer)),
        stop=stop_after_attempt(tries) | stop_after_delay(_PATIENCE_S),
        wait=wait_exponential(multiplier=_FIRST_PAUSE_S),
        reraise=True,
    )


def _call(response: httpx.Response) -> str:
    return f"{response.request.method} {response.request.url.path}"


def _date_of(response: httpx.Response) -> datetime | None:
    try:
        return parsedate_to_datetime(response.headers["Date"])
    except (KeyError, ValueError):
        return None


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError):
        raise UnexpectedAnswer(
            f"What answers {_call(response)} sends no JSON ({response.status_code}, {_content(response)}).",
            hint="Is LABEL_STUDIO_URL the address of Label Studio itself?",
        ) from None


def _is_json(response: httpx.Response) -> bool:
    try:
        return isinstance(response.json(), dict)
    except (ValueError, RecursionError):
        return False


def _content(response: httpx.Response) -> str:
    """What came, without its words: they may be those of a task."""
    kind = response.headers.get("Content-Type", "").partition(";")[0] or "without a content type"
    return f"{kind}, {len(response.content)} bytes"


def _detail(response: httpx.Response) -> str:
    try:
        answer = response.json()
    except (ValueError, RecursionError):
        return response.reason_phrase
    if not isinstance(answer, dict):
        return str(answer)
    # `detail` then only says "Validation error"
    errors = answer.get("validation_errors")
    return "; ".join(_flat(errors)) if errors else str(answer.get("detail") or "")


def _flat(errors: object) -> Iterator[str]:
    if isinstance(errors, dict | list):
        for error in errors.values() if isinstance(errors, dict) else errors:
            yield from _flat(error)
    else:
        yield str(errors)
