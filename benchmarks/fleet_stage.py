"""Two machines with a web process and a worker each, on real servers, for benches."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.s3_server import CREDENTIALS
from tests.served_label_studio import served_label_studio
from tests.servers import PostgresServer, RedisServer
from tests.siege import Fleet, Siege

BUCKET = "faults"


@contextmanager
def besieged(folder: Path, texts: int, *, seed: int, redis: bool) -> Iterator[Siege]:
    """A project of so many texts is connected; all that was started ends with the block."""
    import fsspec
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with ExitStack() as stack:
        bucket = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        bucket.start()
        stack.callback(bucket.stop)
        host, port = bucket.get_host_and_port()
        environment = CREDENTIALS | {"AWS_ENDPOINT_URL": f"http://{host}:{port}"}
        os.environ.update(environment)
        fsspec.filesystem("s3").mkdir(BUCKET)
        environment["MODEL_STORE"] = f"s3://{BUCKET}/models"
        postgres = PostgresServer().start()
        stack.callback(postgres.remove)
        servers: dict[str, Any] = {"postgres": postgres}
        if redis:
            servers["redis"] = RedisServer(folder / "redis").start()
            stack.callback(servers["redis"].stop)
            environment["REDIS_URL"] = servers["redis"].url
        label_studio = stack.enter_context(served_label_studio())
        fleet = Fleet(folder, label_studio, postgres.make_database("faults"), environment)
        stack.callback(fleet.kill)
        fleet.start()
        fleet.connect(texts)
        yield Siege(fleet, servers, seed=seed)
