"""Keeps pages of other sites from acting in the name of somebody who is logged in here.

Browsers send the HTTP Basic log-in by themselves, whoever's page makes them. So every request that changes
something is refused when the browser says that another site's page sent it, and the forms of our own pages
carry a token that is signed with a secret of this backend and bound to the browser's session.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Request, request
from flask_wtf.csrf import CSRFProtect

from backend.errors import Forbidden
from backend.settings import Settings
from backend.shared_secret import shared_secret

_READING = {"GET", "HEAD", "OPTIONS"}
# "none": typed or bookmarked, by the person himself.
_OUR_OWN = {"same-origin", "none"}


def guard_forms(app: Flask, settings: Settings, *, salt: str) -> CSRFProtect:
    """Refuses what other sites' pages send; returns the guard that checks the token of a form."""
    app.secret_key = shared_secret(settings, "forms", salt)
    app.config.update(
        SESSION_COOKIE_NAME="nextlabel",
        SESSION_COOKIE_SAMESITE="Strict",
        # Only the forms of pages have a token: machines bring the log-in themselves.
        WTF_CSRF_CHECK_DEFAULT=False,
        # A page may stay open for days. Where it came from is checked below, also behind a proxy.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )

    @app.before_request
    def refuse_other_sites() -> None:
        if request.method not in _READING and not _is_our_own(settings, request):
            raise Forbidden(
                "A page of another site sent this request.",
                hint="Open the page of the project on this backend, and press the button there.",
            )

    return CSRFProtect(app)


def _is_our_own(settings: Settings, sent: Request) -> bool:
    """What browsers say of where a request comes from; programs say nothing, and are let through."""
    site = sent.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in _OUR_OWN
    origin = sent.headers.get("Origin")
    if origin is None:
        return True
    return urlsplit(origin).netloc in {sent.host, *_own_hosts(settings)}


def _own_hosts(settings: Settings) -> set[str]:
    """Where Label Studio and people's browsers find this backend."""
    addresses = (settings.backend_url, settings.backend_public_url)
    return {urlsplit(address).netloc for address in addresses if address}
