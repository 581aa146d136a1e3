"""Projects, backends and annotators for each test, in the real Label Studio of the session."""

import itertools
from contextlib import closing
from pathlib import Path

import pytest

from demo.label_studio_accounts import connect_with_token, fetch_legacy_token, sign_up
from demo.project import LabelingProject, write_label_config
from tests.e2e.connected import ConnectedProject
from tests.real_backend import Backend

HERE = Path(__file__).parent
NUMBERS = itertools.count(1)
PASSWORD = "an-annotators-password"


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def label_studio(real_label_studio):
    """The real one takes the place of the one in memory."""
    return real_label_studio


@pytest.fixture
def admin(label_studio):
    with label_studio.connect() as client:
        yield client


@pytest.fixture
def make_project(admin):
    """make_project(texts=…, labels=…) or (tasks=…, label_config=…): a new project with its tasks."""

    def make(*, texts=(), labels=("cats", "dogs"), tasks=None, label_config=None):
        return LabelingProject.create(
            admin,
            title=f"Test project {next(NUMBERS)}",
            label_config=label_config or write_label_config(labels),
            tasks=[{"text": text} for text in texts] if tasks is None else tasks,
        )

    return make


@pytest.fixture
def make_backend(label_studio, tmp_path):
    """make_backend(server=…, api_key=…, SETTING=…): a backend with its own data folder and port, not started.

    Whatever of it runs at the end of the test is stopped, and the ends of its logs are printed.
    """
    made = []

    def make(*, server=label_studio, api_key=None, **settings):
        folder = tmp_path / f"backend-{len(made) + 1}"
        folder.mkdir()
        backend = Backend(
            folder, label_studio_url=server.url, api_key=api_key or server.token, settings=settings
        )
        made.append(backend)
        return backend

    yield make
    for backend in made:
        backend.stop()
        print(backend.web.describe_log(), backend.worker.describe_log(), sep="\n")


@pytest.fixture
def make_annotator(label_studio, admin):
    """make_annotator(): an HTTP client that acts as a new member, who signed up by the invite link."""
    clients = []

    def make():
        email = f"annotator-{next(NUMBERS)}@example.com"
        session = sign_up(label_studio.url, inviter=admin, email=email, password=PASSWORD)
        with closing(session):
            token = fetch_legacy_token(session)
        clients.append(connect_with_token(label_studio.url, token))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def shared_backend(running_backend):
    """The shared backend; the end of its logs is printed after each test."""
    yield running_backend
    print(running_backend.web.describe_log(), running_backend.worker.describe_log(), sep="\n")


@pytest.fixture
def connect_project(admin, shared_backend, documents):
    """connect_project(tasks=…, setting=…): a new project, connected to the shared backend by the command."""

    def connect(*, tasks=60, **settings):
        return ConnectedProject.create(admin, shared_backend, documents[:tasks]).connect(**settings)

    return connect
