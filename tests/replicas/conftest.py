"""Real servers of PostgreSQL, Redis and S3, and two machines on them; skipped where they cannot be had."""

import uuid
from pathlib import Path

import fsspec
import pytest
import redis

from tests.s3_server import CREDENTIALS
from tests.served_label_studio import served_label_studio
from tests.servers import NotInstalled, PostgresServer, RedisServer
from tests.siege import Fleet

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.replicas)


@pytest.fixture(scope="session")
def postgres():
    """A server of PostgreSQL."""
    try:
        server = PostgresServer()
    except NotInstalled as error:
        pytest.skip(str(error))
    try:
        yield server.start()
    finally:
        server.remove()


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory):
    """A server of Redis."""
    try:
        server = RedisServer(tmp_path_factory.mktemp("redis"))
    except NotInstalled as error:
        pytest.skip(str(error))
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture
def redis_url(redis_server):
    """The address of an empty Redis."""
    with redis.Redis(port=redis_server.port) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture
def database_url(postgres):
    """The address of an empty database."""
    return postgres.make_database(f"nextlabel-{uuid.uuid4().hex[:8]}")


@pytest.fixture(scope="module")
def make_fleet(postgres, s3_server, tmp_path_factory):
    """make_fleet(texts, **settings): two machines on one database and one bucket, a project connected."""
    fleets = []

    def make(label_studio, texts=120, **settings):
        environment = CREDENTIALS | {"AWS_ENDPOINT_URL": s3_server.url}
        name = f"fleet-{uuid.uuid4().hex[:8]}"
        with pytest.MonkeyPatch.context() as patch:
            for key, value in environment.items():
                patch.setenv(key, value)
            fsspec.filesystem("s3", skip_instance_cache=True).mkdir(name)
        environment |= {"MODEL_STORE": f"s3://{name}/models", **settings}
        fleet = Fleet(
            tmp_path_factory.mktemp("fleet"), label_studio, postgres.make_database(name), environment
        )
        fleets.append(fleet)
        fleet.start()
        fleet.connect(texts)
        return fleet

    yield make
    for fleet in fleets:
        fleet.kill()


@pytest.fixture(scope="module")
def label_studio():
    """The one in memory, over HTTP."""
    with served_label_studio() as served:
        yield served
