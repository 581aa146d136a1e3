"""Vectors by content and encoder, whatever project the contents belong to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import delete, select

from backend.database import Database, Embedding, in_chunks, upsert


class Vectors:
    """Float32 vectors as bytes; `encoder` is the revision of an encoder everywhere."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, encoder: str, keys: Iterable[str]) -> dict[str, bytes]:
        """The vectors of contents by their hash; those that were never encoded are left out."""
        found: dict[str, bytes] = {}
        with self._database.session() as session:
            for chunk in in_chunks(list(keys)):
                rows = session.execute(
                    select(Embedding.content_hash, Embedding.vector).where(
                        Embedding.encoder == encoder, Embedding.content_hash.in_(chunk)
                    )
                )
                found.update((key, vector) for key, vector in rows)
        return found

    def known(self, encoder: str, keys: Iterable[str]) -> set[str]:
        """Those of some contents, by their hash, that have a vector."""
        found: set[str] = set()
        with self._database.session() as session:
            for chunk in in_chunks(list(keys)):
                mine = (Embedding.encoder == encoder, Embedding.content_hash.in_(chunk))
                found.update(session.scalars(select(Embedding.content_hash).where(*mine)))
        return found

    def write(self, encoder: str, vectors: Mapping[str, bytes]) -> None:
        """Keeps vectors by the hash of their content."""
        rows = [
            {"encoder": encoder, "content_hash": key, "vector": vector} for key, vector in vectors.items()
        ]
        with self._database.session() as session:
            upsert(session, Embedding, rows)

    def forget(self, encoders: Collection[str]) -> None:
        """Drops every vector of some encoders."""
        with self._database.session() as session:
            session.execute(delete(Embedding).where(Embedding.encoder.in_(encoders)))
