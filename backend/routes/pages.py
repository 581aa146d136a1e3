"""Who wants a page and who wants JSON, and how an error looks to people."""

from __future__ import annotations

import posixpath
from typing import Any

from flask import Response, make_response, render_template, request, url_for


def wants_page() -> bool:
    """Whether a browser asks: programs that take anything do not name HTML."""
    return "text/html" in request.accept_mimetypes.values()


def relative_url(endpoint: str, **values: Any) -> str:
    """The address of a page, seen from the one that is shown: right under whatever path a proxy serves us."""
    here = posixpath.dirname(request.script_root + request.path)
    folder, _, name = url_for(endpoint, **values).rpartition("/")
    return f"{posixpath.relpath(folder or '/', here)}/{name}"


def error_page(message: str, *, hint: str, status: int) -> Response:
    """What went wrong and what to do about it, for people."""
    page = render_template("error.html", message=message, hint=hint, url_for=relative_url)
    return make_response(page, status)
