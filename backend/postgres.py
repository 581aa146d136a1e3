"""What PostgreSQL is told where several machines share it: how long anybody waits, and whose turn it is."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.engine import make_url

# A machine that is frozen or cut off in the middle of a transaction keeps its rows from all others: the
# server ends it before anybody takes its leases over.
_IDLE_MS = 10_000
# Seconds for connecting to a server that is frozen or gone; and how soon an open connection notices that
# nobody is there: seconds between questions, and how many go without an answer.
_PATIENCE = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


def is_postgresql(address: str) -> bool:
    """Whether a SQLAlchemy address is one of PostgreSQL."""
    return bool(address) and make_url(address).get_backend_name() == "postgresql"


def patience(address: str) -> dict[str, object]:
    """Options of a connection, but for those that the address has itself; none for other databases."""
    if not is_postgresql(address):
        return {}
    given = make_url(address).query
    options = {"options": f"-c idle_in_transaction_session_timeout={_IDLE_MS}"}
    return {name: value for name, value in (_PATIENCE | options).items() if name not in given}


def connect(address: str) -> Any:
    """A connection of the driver itself, for those who do without SQLAlchemy."""
    import psycopg

    url = make_url(address)
    arguments, options = url.get_dialect()().create_connect_args(url)
    return psycopg.connect(*arguments, **{**options, **patience(address)})


def wait_for_turn(connection: Connection, what: str) -> None:
    """Until the transaction ends, nobody else does `what` with this database; in SQLite nothing happens."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": turn_key(what)})


def turn_key(what: str) -> int:
    """Number of an advisory lock: ours, whatever else uses the database."""
    return int.from_bytes(hashlib.sha256(f"nextlabel {what}".encode()).digest()[:8], signed=True)
