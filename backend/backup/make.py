"""`backup`: everything that cannot be derived again from Label Studio, in one file, while the server runs."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO
from urllib.parse import urlsplit

from pydantic import SecretStr

from backend import __version__
from backend.backup.archive import DATABASE_ENTRY, Writer, version_entry, writing
from backend.backup.database_file import copy_database, database_path, project_keys, schema_of
from backend.backup.vectors import add_vectors
from backend.errors import BadRequest
from backend.model_store import open_store
from backend.parts import VECTORS_FOLDER
from backend.settings import Settings
from backend.workflows.project.failures import named_disk_errors
from model.registry import WORDS_FOLDER
from model.stores import MANIFEST_FILE, ModelStore


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made: how many projects and versions are in it, and its size on disk in bytes."""

    path: Path
    projects: int
    versions: int
    size: int


def make_backup(settings: Settings, path: Path, *, overwrite: bool = False) -> Made:
    """Writes a backup of database and model versions; the file is there whole or not at all.

    The copy of the database comes first, as of one moment. Every version that it names is there by then: they
    are published before they serve, and never changed.

    Raises BadRequest where the file exists (without `overwrite`) or there is no database, DatabaseUnavailable
    where that is damaged, DiskUnavailable and StoreUnavailable.
    """
    source = database_path(settings)
    if not source.is_file():
        raise BadRequest(f"There is no database {source}.", hint="Is DATA_DIR that of the server?")
    if path.exists() and not overwrite:
        raise _is_there(path)
    store = open_store(settings)
    with (
        named_disk_errors(),
        _appearing(path, overwrite=overwrite) as file,
        TemporaryDirectory(prefix=".nextlabel-backup-", dir=path.absolute().parent) as folder,
        writing(file) as archive,
    ):
        copy = Path(folder, DATABASE_ENTRY)
        copy_database(source, copy)
        keys = project_keys(copy)
        versions = sum(_add_versions(archive, store, key) for key in keys)
        archive.add_file(DATABASE_ENTRY, copy)
        add_vectors(archive, settings.data_dir / VECTORS_FOLDER)
        archive.finish(
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            code_version=__version__,
            schema=schema_of(copy),
            settings=open_settings(settings),
        )
    return Made(path, len(keys), versions, path.stat().st_size)


def open_settings(settings: Settings) -> dict[str, str]:
    """The settings that are no secrets, by their names in the environment."""
    # addresses that carry passwords are printed nowhere else either
    found = {name: getattr(settings, name) for name, field in Settings.model_fields.items() if field.repr}
    return {
        name.upper(): "" if value is None else str(value)
        for name, value in found.items()
        if not isinstance(value, SecretStr) and not _holds_password(value)
    }


def _holds_password(value: object) -> bool:
    return isinstance(value, str) and "@" in value and urlsplit(value).password is not None


def _add_versions(archive: Writer, store: ModelStore, project: str) -> int:
    """Adds the versions of a project and the words that they need; returns how many versions."""
    versions = 0
    for folder, names in sorted(store.folders(project).items()):
        is_version = folder != WORDS_FOLDER
        if is_version and MANIFEST_FILE not in names:
            continue  # what has no manifest is no version
        versions += is_version
        # words that no version needs any more may go at any time
        may_be_gone = () if is_version else (FileNotFoundError,)
        for name in sorted(names):
            with suppress(*may_be_gone):
                archive.add(version_entry(project, folder, name), store.read(project, folder, name))
    return versions


@contextmanager
def _appearing(path: Path, *, overwrite: bool) -> Iterator[IO[bytes]]:
    """A file that gets its name once all of it is on disk, readable by its owner alone."""
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        handle = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise BadRequest(
            f"{path} cannot be written: {error.strerror}.", hint="Name a folder in which this user may write."
        ) from None
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            aside.replace(path)
        else:
            # unlike a rename, a link never replaces what came there meanwhile
            path.hardlink_to(aside)
    except FileExistsError:
        raise _is_there(path) from None
    finally:
        aside.unlink(missing_ok=True)


def _is_there(path: Path) -> BadRequest:
    return BadRequest(f"{path} is there already.", hint="Name another file, or add --overwrite.")
