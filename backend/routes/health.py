"""What orchestrators ask: whether the process lives, and whether it can do its work."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from backend.context import Context
from backend.workflows.views.readiness import READY, readiness


def health_routes(context: Context) -> Blueprint:
    """`/healthz` and `/readyz`, which ask for no log-in and tell nothing but a word of each part."""
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def alive() -> Response:
        return jsonify({"status": "alive"})

    @routes.get("/readyz")
    def ready() -> tuple[Response, int]:
        parts = readiness(context)
        is_ready = set(parts.values()) == {READY}
        status = READY if is_ready else "not ready"
        return jsonify({"status": status, "parts": parts}), 200 if is_ready else 503

    return routes
