"""How failures that nobody foresaw are named: by their place in the code, not by their data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from errno import EDQUOT, EIO, ENOSPC, EROFS
from traceback import extract_tb

from backend.errors import DiskUnavailable, StoreUnavailable
from model.stores import StoreUnreachable

_OF_DISKS = (ENOSPC, EDQUOT, EROFS, EIO)


@contextmanager
def named_disk_errors() -> Iterator[None]:
    """Says which disk or store, and what to do, where a file cannot be written.

    Raises DiskUnavailable and StoreUnavailable.
    """
    try:
        yield
    except StoreUnreachable as error:
        raise StoreUnavailable.of(error) from error
    except OSError as error:
        if error.errno not in _OF_DISKS and not error.filename:
            raise
        place = f" ({error.filename})" if error.filename else ""
        raise DiskUnavailable(
            f"The disk of DATA_DIR or MODEL_STORE cannot be used{place}: {error.strerror or error}.",
            hint="Make space there, or let this user write; a worker that runs tries again every minute.",
        ) from error


def unforeseen(error: Exception) -> str:
    """One line; what a message says beside the reason of an OSError could be people's words."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    place = extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {place.name}, line {place.lineno}"
