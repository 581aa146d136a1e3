"""Whether the parts that answers need are there: encoder, database, store of the versions."""

from __future__ import annotations

import logging

from backend.context import Context
from backend.errors import NextlabelError
from model.stores import StoreUnreachable

logger = logging.getLogger(__name__)

READY = "ready"


def readiness(context: Context) -> dict[str, str]:
    """A word for each part: READY, or what is wrong in general; the reason goes into the log alone.

    Never waits for the encoder, which takes seconds to load.
    """
    encoder = READY if context.encoder.is_loaded else "not loaded"
    try:
        projects = context.projects.connected()
    except NextlabelError as error:
        logger.warning("not ready part=database message=%s", error)
        return {"encoder": encoder, "database": "does not answer", "store": "not asked"}
    served = [(project.key, project.active_version) for project in projects if project.active_version]
    return {"encoder": encoder, "database": READY, "store": _store(context, served[:1])}


def _store(context: Context, served: list[tuple[str, str]]) -> str:
    """Looks for a version in use: a store that was not mounted is an empty folder."""
    try:
        missing = [version for key, version in served if version not in context.registry.versions(key)]
    except (OSError, StoreUnreachable) as error:
        logger.warning("not ready part=store message=%s", error)
        return "does not answer"
    return "a version in use is missing" if missing else READY
