"""The one place where the parts are put together."""

from __future__ import annotations

import logging
import os
import threading
import traceback
from errno import ENOTDIR
from functools import partial

from alembic.util import CommandError
from flask import Flask, Response, jsonify
from pydantic import SecretStr
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from backend.context import Context, Encoders
from backend.database import Database
from backend.errors import BadRequest, BodyTooLarge, NextlabelError
from backend.jobs import Jobs
from backend.label_studio.client import LabelStudio
from backend.routes.admin import admin_routes
from backend.routes.auth import protect
from backend.routes.csrf import guard_forms
from backend.routes.dashboard import dashboard_routes
from backend.routes.protocol import serve_protocol
from backend.settings import Settings
from backend.shared_secret import shared_secret
from backend.store.secrets import Secrets
from backend.workflows import work
from model.encoders import Encoder
from model.encoders.table import ENCODERS
from model.registry import ModelRegistry

logger = logging.getLogger(__name__)

# Label Studio's own limit for uploads: it never sends more.
_MOST_BYTES = 250 * 1024 * 1024


def build_context(settings: Settings, *, load_encoder: partial[Encoder] | None = None) -> Context:
    """Opens the database, the queue of jobs and the model store; loads no model."""
    check_folders(settings)
    database = _open_database(settings)
    settings = _with_webhook_secret(settings, database)
    jobs = Jobs(folder=settings.data_dir, redis_url=settings.redis_url)
    context = Context(
        settings=settings,
        database=database,
        jobs=jobs,
        encoders=Encoders(partial(_load_encoder, settings, load_encoder), default=settings.text_encoder),
        registry=ModelRegistry(settings.model_folder),
        label_studio=partial(
            LabelStudio, settings.label_studio_url, settings.label_studio_api_key.get_secret_value()
        ),
    )
    jobs.bind(run=partial(work.run_pending, context), tick=partial(work.tick, context))
    return context


def _with_webhook_secret(settings: Settings, database: Database) -> Settings:
    """Settings with a secret for webhooks: the one that is set, else one that all processes here share."""
    if settings.webhook_secret.get_secret_value():
        return settings
    made = shared_secret(settings, "webhooks", Secrets(database).shared("webhooks"))
    return settings.model_copy(update={"webhook_secret": SecretStr(made)})


def check_folders(settings: Settings) -> None:
    """Makes the data folder where there is none. Raises BadRequest where a folder cannot be used."""
    name, folder = "DATA_DIR", settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        name, folder = "MODEL_STORE", settings.model_folder
        if folder.exists() and not folder.is_dir():
            raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR))
    except OSError as error:
        raise _wrong_setting(name, f"{folder} cannot be used: {error.strerror}.") from None


def _open_database(settings: Settings) -> Database:
    try:
        return Database(settings.database_address, lock_folder=settings.data_dir)
    except SQLAlchemyError as error:
        # the driver's own words: those around them hold statements
        reason = str(getattr(error, "orig", None) or type(error).__name__).partition("\n")[0]
        raise _wrong_setting("DATABASE_URL", f"the database cannot be opened: {reason}") from None
    except OSError as error:
        raise _wrong_setting("DATA_DIR", f"{error.filename} cannot be used: {error.strerror}.") from None
    except CommandError:
        raise _wrong_setting("DATABASE_URL", "the database was made by a later release.") from None


def _wrong_setting(name: str, message: str) -> BadRequest:
    return BadRequest(f"A setting is wrong. {name}: {message}", hint="See README, Settings.")


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
    _handle_errors(app)
    warm_up(context)
    return app


def warm_up(context: Context) -> None:
    """Loads the encoder in the background (some seconds), so that nobody has to wait for it later."""
    threading.Thread(target=_load_early, args=(context,), daemon=True).start()


def _load_encoder(settings: Settings, load_default: partial[Encoder] | None, name: str) -> Encoder:
    if load_default is not None and name == settings.text_encoder:
        return load_default()
    if name in ENCODERS:
        return ENCODERS[name]()
    # transformers takes seconds to import: only processes that encode pay for it
    from model.encoders.text import load_text_encoder

    return load_text_encoder(name or None, device=settings.device, threads=settings.torch_threads)


def _load_early(context: Context) -> None:
    try:
        context.encoder.get()
    except NextlabelError as error:
        logger.error("encoder missing message=%s", error)


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
        frames = traceback.extract_tb(error.__traceback__)
        place = " > ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
        logger.error("request failed error=%s place=%s", type(error).__name__, place)
        answer = {
            "code": "internal",
            "message": "Something went wrong here.",
            "hint": "See the backend's log.",
        }
        return jsonify({"error": answer}), 500
