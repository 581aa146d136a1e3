"""The web application: log-in, protocol, pages, and the shape of every error."""

from __future__ import annotations

import logging
import traceback

from flask import Flask, Response, jsonify, make_response
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as Answer

from backend.context import Context
from backend.errors import BadRequest, BodyTooLarge, NextlabelError, StoreUnavailable, Unauthorized
from backend.parts import warm_up
from backend.routes.access import number_requests
from backend.routes.admin import admin_routes
from backend.routes.auth import protect
from backend.routes.csrf import guard_forms
from backend.routes.dashboard import dashboard_routes
from backend.routes.guesses import WrongGuesses
from backend.routes.headers import add_headers
from backend.routes.health import health_routes
from backend.routes.limits import limit_requests
from backend.routes.map import map_routes
from backend.routes.pages import error_page, wants_page
from backend.routes.protocol import serve_protocol
from backend.routes.sign_in import ask_to_sign_in, sign_in_routes
from backend.store.secrets import Secrets
from model.stores import StoreUnreachable

logger = logging.getLogger(__name__)

# Label Studio's own limit for uploads: it never sends more.
_MOST_BYTES = 250 * 1024 * 1024


def create_app(context: Context) -> Flask:
    """The web application. Starts to load the encoder in the background, so that /health answers at once."""
    app = Flask(__name__)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.config["MAX_CONTENT_LENGTH"] = _MOST_BYTES
    _believe_proxies(app, context.settings.behind_proxies)
    number_requests(app)
    add_headers(app, context.settings)
    guesses = WrongGuesses()
    protect(app, context.settings, guesses)
    salt = Secrets(context.database).shared("forms")
    forms = guard_forms(app, context.settings, salt=salt)
    # after the log-in: who has none takes nobody's place
    limit_requests(app)
    serve_protocol(app, context)
    app.register_blueprint(health_routes(context))
    app.register_blueprint(sign_in_routes(app, context.settings, forms, guesses))
    app.register_blueprint(admin_routes(context))
    app.register_blueprint(dashboard_routes(context, forms))
    app.register_blueprint(map_routes(context, forms))
    _handle_errors(app, has_login=bool(context.settings.basic_auth_user))
    warm_up(context)
    return app


def _believe_proxies(app: Flask, count: int) -> None:
    """Takes from as many proxies in front of us who asks, and whether by https; from nobody else."""
    if count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=0)  # type: ignore[method-assign]


def _handle_errors(app: Flask, *, has_login: bool) -> None:
    @app.errorhandler(NextlabelError)
    def known(error: NextlabelError) -> Response:
        return _error(error.code, error.message, hint=error.hint, status=error.status)

    @app.errorhandler(Unauthorized)
    def stranger(error: Unauthorized) -> Response | Answer:
        return ask_to_sign_in() if has_login and wants_page() else known(error)

    @app.errorhandler(StoreUnreachable)
    def store_is_silent(error: StoreUnreachable) -> Response:
        return known(StoreUnavailable.of(error))

    @app.errorhandler(RequestEntityTooLarge)
    def too_large(_error: RequestEntityTooLarge) -> Response:
        return known(
            BodyTooLarge(f"The body is larger than {_MOST_BYTES} bytes.", hint="Send fewer tasks at a time.")
        )

    @app.errorhandler(RecursionError)
    def too_deep(_error: RecursionError) -> Response:
        # only what was sent can nest without end
        return known(
            BadRequest("The JSON is nested too deeply.", hint="Label Studio nests a few levels only.")
        )

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        code = (error.name or "error").lower().replace(" ", "-")
        return _error(code, error.description or "", hint="", status=error.code or 500)

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> Response:
        # the class and the place only: a message could carry label text
        frames = traceback.extract_tb(error.__traceback__)
        place = " > ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
        logger.error("request failed error=%s place=%s", type(error).__name__, place)
        return _error("internal", "Something went wrong here.", hint="See the backend's log.", status=500)


def _error(code: str, message: str, *, hint: str, status: int) -> Response:
    """A page for people, JSON for programs."""
    if wants_page():
        return error_page(message, hint=hint, status=status)
    return make_response(jsonify({"error": {"code": code, "message": message, "hint": hint}}), status)
