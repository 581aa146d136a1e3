"""An S3 server of moto in this process, for tests of what is kept in buckets."""

import uuid
from types import SimpleNamespace

import pytest

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "tests",
    "AWS_SECRET_ACCESS_KEY": "sesame",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture(scope="session")
def s3_server():
    """The address of an S3 server, and how to stop and start it at the same port."""
    why = "needs an S3 server and its client: pip install --no-deps -r requirements-s3.txt"
    moto = pytest.importorskip("moto.server", reason=why)
    pytest.importorskip("s3fs", reason=why)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield SimpleNamespace(url=f"http://{host}:{port}", port=port)
    server.stop()


@pytest.fixture
def s3_environment(s3_server, monkeypatch):
    """What tells clients of S3, here and in other processes, where the server is and who they are."""
    environment = CREDENTIALS | {"AWS_ENDPOINT_URL": s3_server.url}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return environment


@pytest.fixture
def bucket(s3_environment):
    """The name of an empty bucket."""
    import fsspec

    name = f"models-{uuid.uuid4().hex[:12]}"
    fsspec.filesystem("s3", skip_instance_cache=True).mkdir(name)
    return name
