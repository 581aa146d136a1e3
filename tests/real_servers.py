"""What tests/e2e and tests/browser share in a session: a real Label Studio, a backend, public texts."""

import pytest

from demo.dataset import load_documents
from demo.label_studio_server import LabelStudioServer
from tests.real_backend import Backend


@pytest.fixture(scope="session")
def real_label_studio(tmp_path_factory):
    with LabelStudioServer(tmp_path_factory.mktemp("label-studio")) as server:
        yield server


@pytest.fixture(scope="session")
def documents():
    """Public texts, each with its true label, always in the same order."""
    return [document for document in load_documents() if document.has_label]


@pytest.fixture(scope="session")
def running_backend(real_label_studio, tmp_path_factory):
    """One backend and its worker for all tests that leave them running; texts are encoded once."""
    folder, server = tmp_path_factory.mktemp("shared-backend"), real_label_studio
    settings = {"WEBHOOK_SECRET": "only-for-tests"}
    with Backend(folder, label_studio_url=server.url, api_key=server.token, settings=settings) as backend:
        yield backend
