"""The least that a server of ours can do with a request: what webhooks are measured against."""

from __future__ import annotations

from flask import Flask, Response, jsonify

from backend.server import serve_app

app = Flask(__name__)


@app.post("/webhook")
def webhook() -> tuple[Response, int]:
    """Answers as the backend does, and does nothing."""
    return jsonify({"status": "taken"}), 201


def serve(port: int) -> None:
    """Serves it as `serve` serves the backend."""
    serve_app(lambda: app, host="127.0.0.1", port=port)
