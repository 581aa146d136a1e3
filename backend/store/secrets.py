"""What all processes on a database share, made by the first that asks."""

from __future__ import annotations

import secrets

from backend.database import Database, Secret, insert_new


class Secrets:
    """Random texts by name. Alone they give nothing away: a key of the environment belongs to each."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def shared(self, name: str) -> str:
        """The text of a name, 64 hex digits; the same for whoever asks, and when."""
        with self._database.session() as session:
            insert_new(session, Secret, {"name": name, "value": secrets.token_hex(32)})
        with self._database.session() as session:
            return session.get_one(Secret, name).value
