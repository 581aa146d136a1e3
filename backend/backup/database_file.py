"""The database as a file: copied while others write to it, looked at, and put in another's place."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from backend.errors import BadRequest, DatabaseUnavailable
from backend.settings import Settings
from backend.store.workers import ALIVE_S

_WAIT_S = 15.0
# What SQLite keeps beside a database that is open, or was when its process was killed.
_BESIDE = ("-wal", "-shm", "-journal")


def database_path(settings: Settings) -> Path:
    """The file of the database. Raises BadRequest where it is no file but a server."""
    address = make_url(settings.database_address)
    if address.get_backend_name() != "sqlite":
        raise BadRequest(
            "The database is PostgreSQL, which is saved by its own tools.",
            hint="Run pg_dump --format=custom first, then copy MODEL_STORE: docs/runbook/backup.md says how.",
        )
    return Path(str(address.database))


def copy_database(source: Path, target: Path) -> None:
    """A copy as of one moment, whoever reads or writes meanwhile.

    Raises DatabaseUnavailable where the source cannot be read, or is damaged.
    """
    try:
        with closing(_open(source)) as found, closing(sqlite3.connect(target)) as copy:
            # in one step: a copy made in several begins anew whenever somebody writes
            found.backup(copy, pages=-1)
            # one file, with nothing beside it
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise _cannot_be_read(source, str(error)) from error
    check_database(target, called=source)


def check_database(path: Path, *, called: Path) -> None:
    """Raises DatabaseUnavailable, with the name that people know, where the file is damaged."""
    try:
        with closing(_open(path)) as database:
            found = database.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise _cannot_be_read(called, str(error)) from error
    if found != "ok":
        raise _cannot_be_read(called, found)


def schema_of(path: Path) -> str:
    """The newest migration that a database has seen; empty where it has seen none."""
    try:
        with closing(_open(path)) as database:
            found = database.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error:
        return ""
    return str(found[0]) if found else ""


def project_keys(path: Path) -> list[str]:
    """Names in the model store of every project in a database, of whatever release."""
    with closing(_open(path)) as database:
        rows = database.execute("SELECT label_studio_id, created_stamp FROM projects ORDER BY id").fetchall()
    return [f"{number}-{stamp}" for number, stamp in rows]


def is_in_use(path: Path) -> bool:
    """Whether a process has the database open."""
    try:
        with closing(_open(path, wait_s=0.0)) as database:
            # only who has it alone can leave this mode; it comes back when it is next opened
            return bool(database.execute("PRAGMA journal_mode=DELETE").fetchone()[0] != "delete")
    except sqlite3.OperationalError as error:
        return "locked" in str(error)
    except sqlite3.DatabaseError:
        return False


def worker_seen_s_ago(path: Path) -> float | None:
    """Seconds since a worker, on whatever machine, last gave a sign of life; None where none did lately."""
    now = time.time()
    try:
        with closing(_open(path, wait_s=0.0)) as database:
            seen = database.execute(
                # one from further ahead was seen while the date was
                "SELECT max(seen_at) FROM workers WHERE seen_at BETWEEN ? AND ?",
                (now - ALIVE_S, now + ALIVE_S),
            ).fetchone()[0]
    except sqlite3.DatabaseError:
        return None
    return None if seen is None else max(0.0, now - float(seen))


def set_aside(path: Path) -> Path:
    """Renames a database and what stands beside it, so that its name is free; returns the new name."""
    aside = path.with_name(f"{path.name}.before-{time.strftime('%Y%m%d-%H%M%S')}")
    for end in ("", *_BESIDE):
        part = path.with_name(path.name + end)
        if part.exists():
            part.rename(aside.with_name(aside.name + end))
    return aside


def _open(path: Path, *, wait_s: float = _WAIT_S) -> sqlite3.Connection:
    # `rw`: a file that is not there is not made
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=wait_s)


def _cannot_be_read(path: Path, reason: str) -> DatabaseUnavailable:
    return DatabaseUnavailable(
        f"The database {path} cannot be read: {reason}.",
        hint="Is DATA_DIR or DATABASE_URL right? A damaged one: docs/runbook/backup.md.",
    )
