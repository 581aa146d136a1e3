"""What admins and their own cron jobs call: status as JSON, the retraining webhook, metrics."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from backend.context import Context
from backend.routes.auth import who
from backend.workflows.project.hints import leave_hint
from backend.workflows.project.workspace import open_workspace
from backend.workflows.views.metrics import refresh_metrics
from backend.workflows.views.status import project_status


def admin_routes(context: Context) -> Blueprint:
    """Routes outside Label Studio's protocol."""
    routes = Blueprint("admin", __name__)

    @routes.get("/projects/<int:project_id>.json")
    def status(project_id: int) -> Response:
        return jsonify(project_status(open_workspace(context, project_id)))

    @routes.post("/projects/<int:project_id>/retrain")
    def retrain(project_id: int) -> tuple[Response, int]:
        workspace = open_workspace(context, project_id)
        workspace.decisions.add("loop-asked", {}, by=who())
        is_queued = leave_hint(workspace, "training")
        return jsonify({"status": "taken" if is_queued else "taken, starts when the queue is back"}), 202

    @routes.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(refresh_metrics(context)), content_type=CONTENT_TYPE_LATEST)

    return routes
