"""Who may call: HTTP Basic for everything but /health, a secret header for webhooks."""

from __future__ import annotations

import hmac
import logging

from flask import Flask, Request, Response, request

from backend.errors import Unauthorized
from backend.settings import Settings
from backend.workflows.project.registration import SECRET_HEADER

logger = logging.getLogger(__name__)

# The container's health check and Label Studio's first look come without a log-in.
_OPEN = {"protocol.health", "protocol.root", "health.alive", "health.ready"}
_WEBHOOK = "protocol.webhook"


def protect(app: Flask, settings: Settings) -> None:
    """Refuses requests that bring neither the log-in nor (for webhooks) the secret."""

    @app.before_request
    def check() -> None:
        if request.endpoint in _OPEN or request.endpoint is None:
            return
        if request.endpoint == _WEBHOOK and _webhook_allowed(settings, request):
            return
        if not _login_right(settings, request):
            raise Unauthorized(
                "A user name and password are needed, or they are wrong.",
                hint="They are BASIC_AUTH_USER and BASIC_AUTH_PASS of this backend.",
            )

    @app.after_request
    def ask_browsers(response: Response) -> Response:
        if response.status_code == 401:
            # without it, a browser does not ask the person in front of it
            response.headers["WWW-Authenticate"] = 'Basic realm="Nextlabel", charset="UTF-8"'
        return response


def who(settings: Settings) -> str:
    """Who pressed a button, as far as the log-in tells."""
    given = request.authorization
    if settings.basic_auth_user and given is not None and given.username:
        return given.username
    return "dashboard"


def _webhook_allowed(settings: Settings, sent: Request) -> bool:
    secret = settings.webhook_secret.get_secret_value()
    if _same(sent.headers.get(SECRET_HEADER, ""), secret):
        return True
    if settings.basic_auth_user:
        # START_TRAINING comes from Label Studio's ML connector: with the log-in, without our header
        return False
    body = sent.get_json(silent=True, force=True)
    if isinstance(body, dict) and body.get("action") == "START_TRAINING":
        return True
    logger.warning("webhook refused: the header %s is missing or wrong", SECRET_HEADER)
    raise Unauthorized(
        f"The header {SECRET_HEADER} is missing or wrong.",
        hint="Run `nextlabel connect PROJECT_ID`: it gives Label Studio's webhook the secret. (Settings that "
        "were changed count from the next start on.)",
    )


def _login_right(settings: Settings, sent: Request) -> bool:
    if not settings.basic_auth_user:
        return True
    given = sent.authorization
    if given is None or given.type != "basic":
        return False
    password = settings.basic_auth_pass.get_secret_value()
    user_right = _same(given.username or "", settings.basic_auth_user)
    return _same(given.password or "", password) and user_right


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
