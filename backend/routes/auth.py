"""Who may call: a log-in, by form or HTTP Basic, for all but /health; a secret header for webhooks."""

from __future__ import annotations

import hashlib
import hmac
import logging

from flask import Flask, Request, Response, current_app, g, request

from backend.errors import TooManyGuesses, Unauthorized
from backend.routes.guesses import WrongGuesses
from backend.routes.login_cookie import COOKIE, is_logged_in
from backend.settings import Settings
from backend.workflows.project.registration import SECRET_HEADER

logger = logging.getLogger(__name__)

# The container's health check and Label Studio's first look come without a log-in.
_OPEN = {
    *("protocol.health", "protocol.root", "health.alive", "health.ready"),
    *("sign_in.form", "sign_in.enter"),
}
# What the page of the log-in itself is made of.
_OPEN_FILES = {"dashboard.css", "icon.svg"}
_WEBHOOK = "protocol.webhook"
# Characters from which on nobody finds a secret by trying, so that the right one is heard whatever else came
# from its address. Those that are made by themselves have 64.
_BEYOND_GUESSING = 32
# Where a button was pressed when there is no log-in to tell by whom.
_NOBODY = "dashboard"


def protect(app: Flask, settings: Settings, guesses: WrongGuesses) -> None:
    """Refuses requests that bring neither a log-in nor (for webhooks) the secret."""

    @app.before_request
    def check() -> None:
        if request.endpoint is None or _is_open(request):
            return
        if request.endpoint == _WEBHOOK and _webhook_allowed(settings, guesses, request):
            return
        if not _login_right(settings, guesses, request):
            raise Unauthorized(
                "A user name and password are needed, or they are wrong.",
                hint="They are BASIC_AUTH_USER and BASIC_AUTH_PASS of this backend.",
            )

    @app.after_request
    def ask_browsers(response: Response) -> Response:
        if response.status_code == 401 and not _is_script(request):
            # what Basic asks for, and by what older programs know that they have to bring it
            response.headers["WWW-Authenticate"] = 'Basic realm="Nextlabel", charset="UTF-8"'
        if wait_s := g.get("wait_s"):
            response.headers["Retry-After"] = str(wait_s)
        return response


def who() -> str:
    """Who asks, as far as the log-in tells."""
    return str(g.get("person", _NOBODY))


def check_guess(settings: Settings, guesses: WrongGuesses, user: str, password: str) -> bool:
    """Whether a user name and a password are right; raises TooManyGuesses after many that were not."""
    _refuse_guessers(guesses)
    expected = settings.basic_auth_pass.get_secret_value()
    user_right = _same(user, settings.basic_auth_user)
    if _same(password, expected) and user_right:
        guesses.right(_address())
        g.person = settings.basic_auth_user
        return True
    _count_wrong(guesses, f"{user}\0{password}")
    return False


def _is_open(sent: Request) -> bool:
    if sent.endpoint == "static":
        return (sent.view_args or {}).get("filename") in _OPEN_FILES
    return sent.endpoint in _OPEN


def _is_script(sent: Request) -> bool:
    """Whether our own page asks: for a log-in that Basic asks for, a browser opens a window of its own."""
    # a cookie that ended is gone, but the one of the forms stays as long as the browser is open
    ours = {COOKIE, current_app.config["SESSION_COOKIE_NAME"]} & set(sent.cookies)
    return bool(ours) or "Sec-Fetch-Mode" in sent.headers


def _webhook_allowed(settings: Settings, guesses: WrongGuesses, sent: Request) -> bool:
    given, secret = sent.headers.get(SECRET_HEADER, ""), settings.webhook_secret.get_secret_value()
    if given:
        is_right = _same(given, secret)
        if is_right and len(secret) >= _BEYOND_GUESSING:
            return True
        _refuse_guessers(guesses)
        if is_right:
            return True
        _count_wrong(guesses, given)
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


def _login_right(settings: Settings, guesses: WrongGuesses, sent: Request) -> bool:
    if not settings.basic_auth_user:
        return True
    if is_logged_in(current_app, settings, sent):
        g.person = settings.basic_auth_user
        return True
    given = sent.authorization
    if given is None or given.type != "basic":
        return False
    return check_guess(settings, guesses, given.username or "", given.password or "")


def _refuse_guessers(guesses: WrongGuesses) -> None:
    wait = guesses.wait_s(_address())
    if wait <= 0.0:
        return
    g.wait_s = int(wait) + 1
    raise TooManyGuesses("Too many wrong log-ins came from there.", hint=f"Try again in {g.wait_s} seconds.")


def _count_wrong(guesses: WrongGuesses, guess: str) -> None:
    if guesses.wrong(_address(), guess):
        # not what was given: people type a password where the name belongs
        logger.warning("log-in refused from=%s", _address())


def _address() -> str:
    return request.remote_addr or ""


def _same(given: str, expected: str) -> bool:
    """In a time that tells neither how much of it is right nor how long it has to be."""
    digests = (hashlib.sha256(text.encode(errors="surrogatepass")).digest() for text in (given, expected))
    return hmac.compare_digest(*digests)
