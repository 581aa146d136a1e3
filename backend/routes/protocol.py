"""Label Studio's calls to an ML backend."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, current_app, jsonify, redirect, request
from werkzeug.wrappers import Response as Answer

from backend.context import Context
from backend.errors import BadRequest, NotFound
from backend.json_types import Json
from backend.log_fields import note_field
from backend.ml_backend import NextlabelModel
from backend.routes.pages import relative_url, wants_page
from backend.workflows.connection.setup import all_versions, take_setup
from backend.workflows.connection.webhook import take_event

_MODEL_CLASS = "nextlabel-model-class"

routes = Blueprint("protocol", __name__)


def serve_protocol(app: Flask, context: Context) -> None:
    """Adds the routes of Label Studio's ML protocol."""
    app.extensions[_MODEL_CLASS] = NextlabelModel.bound_to(context)
    app.register_blueprint(routes)


@routes.get("/", endpoint="root")
def root() -> Response | Answer:
    """People are led to the projects; Label Studio and other programs learn that this is alive."""
    return redirect(relative_url("dashboard.projects")) if wants_page() else health()


@routes.get("/health")
def health() -> Response:
    """Alive; asked by Label Studio before every other call."""
    return jsonify({"model_class": NextlabelModel.__name__, "status": "UP"})


@routes.post("/setup")
def setup() -> Response:
    """Takes a project down and names the version in use."""
    body = _json_object()
    if not body.get("project"):
        return jsonify({"model_version": _model_class()().get_version()})
    return jsonify({"model_version": take_setup(_model_class().context, body)})


@routes.post("/predict")
def predict() -> Response:
    """One prediction per task."""
    body = _json_object()
    project = body.get("project") or None
    model = _model_class()(project_id=project, label_config=_label_config(body))
    if project is not None and model.project is None:
        raise NotFound(f"Project {project} is not connected to this backend.", hint="Call /setup first.")
    if model.project is not None:
        note_field("project", model.project.label_studio_id)
    results = model.predict(_tasks(body))
    # while the files of the version in use are damaged, another one answers
    version = results[0]["model_version"] if results else model.get_version()
    return jsonify({"results": results, "model_version": version})


@routes.post("/webhook")
def webhook() -> tuple[Response, int]:
    """Takes an event down and returns."""
    body = _json_object()
    action = body.get("action")
    if not isinstance(action, str):
        raise BadRequest("`action` is missing.", hint="Label Studio's webhooks carry it.")
    return _taken(action, body)


@routes.post("/train")
def train() -> tuple[Response, int]:
    """The older name of the button "Start training"."""
    return _taken("START_TRAINING", _json_object())


@routes.get("/versions")
def versions() -> Response:
    """Versions that exist."""
    return jsonify({"versions": all_versions(_model_class().context)})


@routes.post("/job_status")
def job_status() -> Response:
    """Loops belong to projects, not to callers' jobs: /projects/<id>.json says what runs."""
    return jsonify({"job_status": "unknown", "error": "", "log": "", "created_at": "", "result": ""})


def _model_class() -> type[NextlabelModel]:
    model_class: type[NextlabelModel] = current_app.extensions[_MODEL_CLASS]
    return model_class


def _taken(action: str, body: Json) -> tuple[Response, int]:
    reference = request.args.get("project")
    taken = take_event(_model_class().context, action, body, reference=reference)
    return jsonify({"status": "taken" if taken else "ignored"}), 201


def _json_object() -> Json:
    body = request.get_json(silent=True, force=True)
    if not isinstance(body, dict):
        raise BadRequest("The body is not a JSON object.", hint="Send JSON as application/json.")
    return body


def _tasks(body: Json) -> list[Json]:
    tasks = body.get("tasks")
    tasks = [tasks] if isinstance(tasks, dict) else tasks
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise BadRequest("`tasks` must be a list of tasks.", hint='Like {"tasks": [{"id": 1, "data": {…}}]}.')
    return tasks


def _label_config(body: Json) -> str:
    config = body.get("label_config") or ""
    if not isinstance(config, str):
        raise BadRequest("`label_config` must be a string of XML.")
    return config
