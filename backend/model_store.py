"""The store of the model versions that MODEL_STORE names, and why one cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.errors import BadRequest
from backend.settings import Settings
from model.stores import ModelStore, StoreUnreachable, StoreUnusable
from model.stores.folder import FolderStore

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_CACHED_BYTES = 512 * 2**20
# A file can be written into a folder that nobody made.
_OF_BUCKETS = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "oss", "hf", "r2", "memory")
_MEMORY = "memory"

_HINT_OF_ADDRESSES = (
    "See README, Settings. Credentials stand where the package of the address reads them, not in the address."
)
_HINT_OF_FOLDERS = "Make it a folder in which this user may write, or name another."


def open_store(settings: Settings) -> ModelStore:
    """The store; nothing is asked yet. Raises BadRequest where its file system cannot be made."""
    address = settings.model_address
    if address is None:
        return FolderStore(settings.model_folder)
    from fsspec.core import url_to_fs

    from model.stores.cache import FileCache
    from model.stores.remote import RemoteStore

    files: AbstractFileSystem
    try:
        # what others publish must be seen at once, so that lists are not kept
        files, root = url_to_fs(address, use_listings_cache=False)
    except Exception as error:
        raise _refused(f"{address} cannot be opened: {type(error).__name__}: {error}") from error
    if not root.strip("/"):
        raise _refused(f"{address} names no bucket or folder")
    return RemoteStore(
        files,
        root,
        place=address,
        cache=FileCache(settings.data_dir / "cache" / "models", most_bytes=_CACHED_BYTES),
        makes_folders=_protocol(address) not in _OF_BUCKETS,
    )


def check_store(settings: Settings, store: ModelStore) -> None:
    """For processes that stay: raises BadRequest where no version can be kept, or seen by other processes."""
    if fault := store_fault(settings, store):
        raise _refused(fault, hint=store_hint(settings))


def store_hint(settings: Settings) -> str:
    """What to do where versions cannot be kept."""
    return _HINT_OF_FOLDERS if settings.model_address is None else _HINT_OF_ADDRESSES


def store_fault(settings: Settings, store: ModelStore) -> str:
    """Why versions cannot be kept in the store; empty where they can. It writes and removes a file there."""
    address = settings.model_address
    if address is not None and _protocol(address) == _MEMORY:
        return f"{address} is in the memory of one process, which no other process sees"
    try:
        store.check()
    except (StoreUnusable, StoreUnreachable) as error:
        return str(error)
    return ""


def _protocol(address: str) -> str:
    return address.partition("://")[0]


def _refused(message: str, *, hint: str = _HINT_OF_ADDRESSES) -> BadRequest:
    return BadRequest(f"A setting is wrong. MODEL_STORE: {message}.", hint=hint)
