"""Requests have a number that their caller may choose, and a line in the log."""

from __future__ import annotations

import logging
import re
import time
import uuid
from contextlib import ExitStack

from flask import Flask, Response, g, request

from backend.log_fields import Field, log_fields, log_scope
from backend.tracing import note_on_span, span

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
# Nothing that a log, a terminal or a spreadsheet could obey, and nothing long.
_HARMLESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PROJECT = re.compile(r"(\d{1,18})(?:\.\d{1,18})?")
# Other methods are words of whoever sent them.
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
# Asked every few seconds by whoever watches.
_QUIET = ("/health", "/healthz", "/readyz", "/metrics")


def number_requests(app: Flask) -> None:
    """Every line that a request logs carries its number, which is in the answer too (`X-Request-ID`).

    The number is the one that came in this header, where it is harmless. The line at the end names the rule
    of the address, not the address: that may hold what somebody searched for.
    """

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()
        g.scope = ExitStack()
        fields: dict[str, Field] = {"request": _number(request.headers.get(HEADER, "")), **_project()}
        g.scope.enter_context(log_scope(**fields))
        g.scope.enter_context(
            span(f"{_method()} {_rule()}", caller=request.headers.get("traceparent", ""), **fields)
        )

    @app.after_request
    def end(response: Response) -> Response:
        number = log_fields().get("request")
        if number is not None:
            response.headers[HEADER] = str(number)
        rule = _rule()
        note_on_span("status", response.status_code)
        logger.log(
            logging.DEBUG if rule in _QUIET and response.status_code < 400 else logging.INFO,
            "request done method=%s rule=%s status=%d bytes=%d seconds=%.4f",
            _method(),
            rule,
            response.status_code,
            response.content_length or 0,
            time.perf_counter() - g.get("began", time.perf_counter()),
        )
        return response

    @app.teardown_request
    def forget(_error: BaseException | None) -> None:
        if "scope" in g:
            g.scope.close()


def _method() -> str:
    return request.method if request.method in _METHODS else "other"


def _rule() -> str:
    return request.url_rule.rule if request.url_rule else "unknown"


def _number(given: str) -> str:
    return given if _HARMLESS.fullmatch(given) else uuid.uuid4().hex[:16]


def _project() -> dict[str, int]:
    """The project that the address names, if it names one."""
    named = (request.view_args or {}).get("project_id") or request.args.get("project", "")
    found = _PROJECT.fullmatch(str(named))
    return {"project": int(found[1])} if found else {}
