"""Replays requests that a real Label Studio sent."""

import json
from pathlib import Path

import pytest

from backend.workflows.project.registration import SECRET_HEADER
from tests.conftest import WEBHOOK_SECRET

PAYLOADS = Path(__file__).parent / "payloads"
RECORDED = sorted(path.stem for path in PAYLOADS.glob("*.json"))


@pytest.fixture
def client(client):
    """The recorded requests are of a project whose webhook carried no secret: here each has it."""
    client.environ_base[f"HTTP_{SECRET_HEADER.upper().replace('-', '_')}"] = WEBHOOK_SECRET
    return client


@pytest.fixture
def recorded():
    """recorded(name): one request as it came, as a dict of method, path, headers and body."""

    def read(name):
        return json.loads((PAYLOADS / f"{name}.json").read_text())

    return read


@pytest.fixture
def replay(client, recorded):
    """replay(name): send a recorded request to the app; returns its answer."""

    def send(name):
        request = recorded(name)
        # blanked when it was recorded
        request["headers"].pop(SECRET_HEADER, None)
        body = None if request["body"] is None else json.dumps(request["body"])
        return client.open(request["path"], method=request["method"], headers=request["headers"], data=body)

    return send


@pytest.fixture
def set_up(client):
    """set_up(reference): what Label Studio does before every other call."""

    def send(reference, **changes):
        body = {"project": reference, "schema": "<View/>", "hostname": "", "access_token": "x"}
        response = client.post("/setup", json=body | {"extra_params": None} | changes)
        assert response.status_code == 200
        return response.json["model_version"]

    return send
