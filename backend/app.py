"""The web application: log-in, protocol, pages, and the shape of every error."""

from __future__ import annotations

import logging
import traceback

from flask import Flask, Response, jsonify
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from backend.context import Context
from backend.errors import BadRequest, BodyTooLarge, NextlabelError
from backend.parts import warm_up
from backend.routes.admin import admin_routes
from backend.routes.auth import protect
from backend.routes.csrf import guard_forms
from backend.routes.dashboard import dashboard_routes
from backend.routes.map import map_routes
from backend.routes.protocol import serve_protocol
from backend.store.secrets import Secrets

logger = logging.getLogger(__name__)

# Label Studio's own limit for uploads: it never sends more.
_MOST_BYTES = 250 * 1024 * 1024


def create_app(context: Context) -> Flask:
    """The web application. Starts to load the encoder in the background, so that /health answers at once."""
    app = Flask(__name__)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.config["MAX_CONTENT_LENGTH"] = _MOST_BYTES
    protect(app, context.settings)
    salt = Secrets(context.database).shared("forms")
    forms = guard_forms(app, context.settings, salt=salt)
    serve_protocol(app, context)
    app.register_blueprint(admin_routes(context))
    app.register_blueprint(dashboard_routes(context, forms))
    app.register_blueprint(map_routes(context, forms))
    _handle_errors(app)
    warm_up(context)
    return app


def _handle_errors(app: Flask) -> None:
    @app.errorhandler(NextlabelError)
    def known(error: NextlabelError) -> tuple[Response, int]:
        return jsonify(error.to_json()), error.status

    @app.errorhandler(RequestEntityTooLarge)
    def too_large(_error: RequestEntityTooLarge) -> tuple[Response, int]:
        error = BodyTooLarge(
            f"The body is larger than {_MOST_BYTES} bytes.", hint="Send fewer tasks at a time."
        )
        return jsonify(error.to_json()), error.status

    @app.errorhandler(RecursionError)
    def too_deep(_error: RecursionError) -> tuple[Response, int]:
        # only what was sent can nest without end
        error = BadRequest("The JSON is nested too deeply.", hint="Label Studio nests a few levels only.")
        return jsonify(error.to_json()), error.status

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> tuple[Response, int]:
        code = (error.name or "error").lower().replace(" ", "-")
        return jsonify(
            {"error": {"code": code, "message": error.description or "", "hint": ""}}
        ), error.code or 500

    @app.errorhandler(Exception)
    def unknown(error: Exception) -> tuple[Response, int]:
        # the class and the place only: a message could carry label text
        place = "".join(traceback.format_tb(error.__traceback__))
        logger.error("request failed error=%s\n%s", type(error).__name__, place)
        answer = {
            "code": "internal",
            "message": "Something went wrong here.",
            "hint": "See the backend's log.",
        }
        return jsonify({"error": answer}), 500
