"""`restore`: the database and the model versions of a backup, where nothing runs, whole or not at all."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Set
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

from backend.backup.archive import DATABASE_ENTRY, Reader, reading, split_entry
from backend.backup.database_file import (
    check_database,
    database_path,
    is_in_use,
    project_keys,
    schema_of,
    set_aside,
    worker_seen_s_ago,
)
from backend.backup.make import open_settings
from backend.backup.vectors import is_vectors, write_vectors
from backend.database import Database, MadeByLaterRelease
from backend.errors import BadRequest, Busy
from backend.model_store import check_store, open_store
from backend.parts import VECTORS_FOLDER, check_folders
from backend.settings import Settings
from backend.store.projects import Projects
from backend.store.workers import ALIVE_S, Workers
from backend.workflows.project.failures import named_disk_errors
from model.registry import WORDS_FOLDER
from model.stores import MANIFEST_FILE, ModelStore

# By project and folder, the entries of its files by their names.
_Versions: TypeAlias = Mapping[tuple[str, str], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Restored:
    """What came back. `aside` is where the database went that was there before.

    `differing` are settings by their name: as they were when the backup was made, and as they are now.
    """

    projects: int
    versions: int
    made_at: str
    aside: Path | None
    differing: dict[str, tuple[str, str]]


def restore_backup(settings: Settings, path: Path, *, overwrite: bool = False) -> Restored:
    """Brings back what a backup holds; the last step, which makes it count, is the renaming of one file.

    Everything is checked before anything is changed. With `overwrite` a database that is there is set aside,
    and files of versions that differ are written anew. The next loops read all tasks anew.

    Raises BadRequest where the file is no whole backup, does not fit, or something would be overwritten; Busy
    where the server runs; DiskUnavailable and StoreUnavailable.
    """
    target = database_path(settings)
    with reading(path) as backup:
        backup.check()
        _refuse_what_is_there(target, overwrite=overwrite)
        check_folders(settings)
        store = open_store(settings)
        check_store(settings, store)
        versions = _versions(backup)
        there = _folders_there(store, versions)
        differing = _differing(store, backup, versions, there)
        if differing and not overwrite:
            raise BadRequest(
                f"{store.place} has other versions of the same names: {', '.join(differing[:3])}.",
                hint="Restore into an empty MODEL_STORE, or add --overwrite to write their files anew.",
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        with named_disk_errors(), TemporaryDirectory(prefix=".restoring-", dir=target.parent) as folder:
            fresh = Path(folder, DATABASE_ENTRY)
            _prepare_database(backup, fresh, called=path)
            keys = project_keys(fresh)
            _write_versions(store, backup, versions, there)
            write_vectors(backup, settings.data_dir / VECTORS_FOLDER)
            aside = set_aside(target) if target.exists() else None
            fresh.rename(target)
        count = sum(folder != WORDS_FOLDER for _project, folder in versions)
        return Restored(
            len(keys), count, backup.contents.made_at, aside, _changed(backup.contents.settings, settings)
        )


def _refuse_what_is_there(target: Path, *, overwrite: bool) -> None:
    if not target.exists():
        return
    if is_in_use(target):
        raise Busy(f"A server or worker is using {target}.", hint="Stop every `serve` and `worker` first.")
    if (seen := worker_seen_s_ago(target)) is not None:
        raise Busy(
            f"A worker gave a sign of life in {target} {seen:.0f} s ago.",
            hint=f"Stop it first. If it was killed: try again in {ALIVE_S:.0f} s.",
        )
    if not overwrite:
        raise BadRequest(
            f"There is a database already: {target}.",
            hint="Name another DATA_DIR, or add --overwrite: what is there is set aside, not deleted.",
        )


def _versions(backup: Reader) -> _Versions:
    """By project and folder, the entries of its files by their names."""
    found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for entry in backup.contents.entries:
        if entry != DATABASE_ENTRY and not is_vectors(entry):
            project, folder, name = split_entry(entry)
            found[project, folder][name] = entry
    return found


def _folders_there(store: ModelStore, versions: _Versions) -> set[tuple[str, str]]:
    """Project and folder of all that the store has of the projects of a backup."""
    projects = {project for project, _folder in versions}
    return {(project, folder) for project in projects for folder in store.folders(project)}


def _differing(
    store: ModelStore, backup: Reader, versions: _Versions, there: Set[tuple[str, str]]
) -> list[str]:
    """Folders that are there and have not all the files of the backup, or others under their names."""
    return [
        f"{project}/{folder}"
        for (project, folder), files in versions.items()
        if (project, folder) in there
        and folder != WORDS_FOLDER
        and not all(_is_same(store, backup, entry) for entry in files.values())
    ]


def _is_same(store: ModelStore, backup: Reader, entry: str) -> bool:
    try:
        content = store.read(*split_entry(entry))
    except FileNotFoundError:
        return False
    return hashlib.sha256(content).hexdigest() == backup.contents.entries[entry].sha256


def _prepare_database(backup: Reader, fresh: Path, *, called: Path) -> None:
    """The database of the backup in its own file, brought to this release: all projects due, no worker."""
    if DATABASE_ENTRY not in backup.contents.entries:
        raise BadRequest(f"{called} holds no database.", hint="Take another backup.")
    backup.extract(DATABASE_ENTRY, fresh)
    check_database(fresh, called=called)
    if schema_of(fresh) != backup.contents.schema:
        raise BadRequest(f"{called} holds another database than it says.", hint="Take another backup.")
    try:
        with closing(Database(f"sqlite:///{fresh}", lock_folder=fresh.parent)) as database:
            Projects(database).look_anew()
            Workers(database).forget_all()
    except MadeByLaterRelease:
        raise BadRequest(
            f"{called} was made by a later release ({backup.contents.code_version}).",
            hint="Install that release, or a later one, and restore with it.",
        ) from None


def _write_versions(
    store: ModelStore, backup: Reader, versions: _Versions, there: Set[tuple[str, str]]
) -> None:
    """Publishes versions that are missing, whole; of those that are there, writes the files that differ."""
    for (project, folder), files in versions.items():
        # the manifest last: a version without one is none
        ordered = sorted(files, key=lambda name: (name == MANIFEST_FILE, name))
        if (project, folder) in there or folder == WORDS_FOLDER:
            for name in ordered:
                if not _is_same(store, backup, files[name]):
                    store.replace(project, folder, name, backup.read(files[name]))
        else:
            store.publish(project, folder, {name: backup.read(files[name]) for name in ordered})


def _changed(before: Mapping[str, str], settings: Settings) -> dict[str, tuple[str, str]]:
    now = open_settings(settings)
    return {
        name: (before[name], now[name])
        for name in sorted(before)
        if now.get(name, before[name]) != before[name]
    }
