"""One event per line on standard error: time, level, module, and fields."""

from __future__ import annotations

import logging

# These log whole requests, or a line for every poll.
_CHATTY = ("httpx", "httpcore", "alembic", "huey", "label_studio_ml")


def start_logging(level: str) -> None:
    """Logs to standard error; libraries only from WARNING on."""
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s", force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)
