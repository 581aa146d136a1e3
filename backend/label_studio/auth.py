"""Signs requests to Label Studio with a legacy token or a personal access token."""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from collections.abc import Generator
from typing import Literal

import httpx

from backend.label_studio.media.errors import MediaRefused, MediaUnreachable

TokenKind = Literal["legacy", "personal"]

# Label Studio's access tokens live 300 seconds; a new one is asked for a little before that.
_ACCESS_LIFE_S = 240.0
_PATIENCE_S = 30.0
REFRESH_PATH = "/api/token/refresh"
_JSON_IN_BASE64 = "eyJ"


def token_kind(token: str) -> TokenKind:
    """A personal access token is a JSON web token (three parts); a legacy token is one string of hex."""
    parts = token.split(".")
    if len(parts) != 3:
        return "legacy"
    try:
        header = json.loads(base64.urlsafe_b64decode(parts[0] + "=" * (-len(parts[0]) % 4)))
    except (binascii.Error, ValueError):
        return "legacy"
    return "personal" if isinstance(header, dict) and "alg" in header else "legacy"


def token_fault(token: str) -> str | None:
    """How a token was cut on its way here; None where nothing is seen of that."""
    if token.startswith(_JSON_IN_BASE64) and token.count(".") != 2:
        return "of its three parts with dots between, some are missing"
    return None


class LabelStudioAuth(httpx.Auth):
    """`Token …` for a legacy token; `Bearer …` with a short-lived access token for a personal one."""

    requires_response_body = True

    def __init__(self, url: str, token: str) -> None:
        self.kind: TokenKind = token_kind(token)
        self._token = token
        self._refresh_url = f"{url}{REFRESH_PATH}"
        self._access = ""
        self._access_until = 0.0
        self._exchange = threading.Lock()

    def without_tokens(self, text: str) -> str:
        """A text with stars in the place of our tokens: a server may repeat what it was sent."""
        for token in (self._token, self._access):
            if token:
                text = text.replace(token, "***")
        return text

    def authorization(self, is_renewed: bool = False) -> str:
        """The header of a request that is not made through httpx; a personal token is exchanged where needed.

        `is_renewed`: the last one was refused. Threads may ask at once. Raises MediaError.
        """
        if self.kind == "legacy":
            return f"Token {self._token}"
        with self._exchange:
            if is_renewed or time.monotonic() >= self._access_until:
                try:
                    response = httpx.post(
                        self._refresh_url, json={"refresh": self._token}, timeout=_PATIENCE_S
                    )
                except httpx.RequestError:
                    raise MediaUnreachable("Label Studio does not answer") from None
                self._keep(response)
            if not self._access:
                raise MediaRefused("Label Studio refuses our token")
            return f"Bearer {self._access}"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Adds the header; a personal token is exchanged first, and once more when it is refused.

        When the exchange itself is refused, its answer becomes that of the request.
        """
        if self.kind == "legacy":
            request.headers["Authorization"] = f"Token {self._token}"
            yield request
            return
        if time.monotonic() >= self._access_until:
            self._keep((yield self._refresh_request()))
            if not self._access:
                return
        request.headers["Authorization"] = f"Bearer {self._access}"
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._keep((yield self._refresh_request()))
            if not self._access:
                return
            request.headers["Authorization"] = f"Bearer {self._access}"
            yield request

    def _refresh_request(self) -> httpx.Request:
        return httpx.Request("POST", self._refresh_url, json={"refresh": self._token})

    def _keep(self, response: httpx.Response) -> None:
        self._access = _access_in(response)
        self._access_until = time.monotonic() + _ACCESS_LIFE_S if self._access else 0.0


def _access_in(response: httpx.Response) -> str:
    """The access token of an answer, empty where there is none: then the answer is taken for a refusal."""
    try:
        answer = response.json() if response.is_success else None
    except (ValueError, RecursionError):
        return ""
    access = answer.get("access") if isinstance(answer, dict) else None
    return access if isinstance(access, str) else ""
