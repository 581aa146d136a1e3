"""What every answer says to a browser: nothing from elsewhere runs here, nothing is kept or framed."""

from __future__ import annotations

from flask import Flask, Response, request

from backend.settings import Settings

_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# A year, as browsers ask for; only for this host, since others under its name may have no TLS.
_ONLY_HTTPS = "max-age=31536000"


def add_headers(app: Flask, settings: Settings) -> None:
    """Puts them on every answer, errors and files too; on our own files all but what forbids to keep them."""

    @app.after_request
    def add(response: Response) -> Response:
        response.headers.update(_HEADERS)
        if request.endpoint != "static":
            response.headers["Cache-Control"] = "no-store"
        if is_behind_https(settings):
            response.headers["Strict-Transport-Security"] = _ONLY_HTTPS
        return response


def is_behind_https(settings: Settings) -> bool:
    """Whether people reach this backend by https: this request came so, or its address says it."""
    return request.is_secure or (settings.backend_public_url or settings.backend_url).startswith("https://")
