"""Secrets that all processes of a backend share without being told one.

Each is made of a key of their environment and of a salt in the database, so that neither a copy of the
database nor the key alone gives it away.
"""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

from backend.settings import Settings

_SECRET_FILE = "session.key"


def shared_secret(settings: Settings, purpose: str, salt: str) -> str:
    """The secret of a purpose, 64 hex digits, by SECRET_KEY or a key of this machine.

    Machines that share a database have no file in common: there it is the token that they all know. On one
    machine it is not, since processes that still have an earlier token would refuse each other.
    """
    key = settings.secret_key.get_secret_value()
    if not key and settings.database_url:
        key = settings.label_studio_api_key.get_secret_value()
    key = key or read_secret(settings.data_dir)
    return hmac.new(key.encode(), f"nextlabel {purpose} {salt}".encode(), "sha256").hexdigest()


def read_secret(folder: Path) -> str:
    """The key of a machine without any other; made once, and readable by its owner alone."""
    path = folder / _SECRET_FILE
    if not path.exists():
        aside = folder / f"{_SECRET_FILE}.{secrets.token_hex(8)}"
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(32))
        try:
            # unlike a rename, a link never replaces what another process wrote meanwhile
            path.hardlink_to(aside)
        except FileExistsError:
            pass
        finally:
            aside.unlink()
    return path.read_text()
