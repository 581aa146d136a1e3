"""The cookie of somebody who logged in on the page: until when it counts, and a seal that only we can make.

The seal is made of a key that all processes share and of the password. So neither a copy of the data folder
nor the password alone makes a cookie, and another password ends every log-in.
"""

from __future__ import annotations

import hashlib
import hmac
import time

from flask import Flask, Request, Response

from backend.settings import Settings

COOKIE = "nextlabel-login"
LASTS_S = 12 * 3600


def set_cookie(app: Flask, settings: Settings, response: Response, *, only_https: bool) -> None:
    """Lets the browser that gets this answer in for twelve hours."""
    until = int(time.time()) + LASTS_S
    response.set_cookie(
        COOKIE,
        f"{until}.{_seal(app, settings, until)}",
        max_age=LASTS_S,
        httponly=True,
        secure=only_https,
        # a link in Label Studio is of another site: with "Strict" it would lead to the form every time
        samesite="Lax",
    )


def forget_cookie(response: Response, *, only_https: bool) -> None:
    """Takes the cookie away from the browser that gets this answer."""
    response.delete_cookie(COOKIE, httponly=True, secure=only_https, samesite="Lax")


def is_logged_in(app: Flask, settings: Settings, sent: Request) -> bool:
    """Whether a request brings a cookie that we made, and that still counts."""
    given = sent.cookies.get(COOKIE, "")
    number, _, seal = given.partition(".")
    if not (number.isascii() and number.isdigit() and len(number) < 16):
        return False
    until = int(number)
    if not time.time() < until <= time.time() + LASTS_S:
        return False
    return hmac.compare_digest(seal.encode(), _seal(app, settings, until).encode())


def _seal(app: Flask, settings: Settings, until: int) -> str:
    # each part is hashed for itself, so that no two triples make the same text
    parts = (str(app.secret_key), settings.basic_auth_pass.get_secret_value(), settings.basic_auth_user)
    key = b"".join(hashlib.sha256(part.encode()).digest() for part in parts)
    return hmac.new(key, f"nextlabel login {until}".encode(), hashlib.sha256).hexdigest()
