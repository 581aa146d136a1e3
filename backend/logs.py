"""One event per line on standard error: time, level, module, and fields."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from backend.errors import NextlabelError
from backend.visible import visible

logger = logging.getLogger(__name__)

# These log whole requests, or a line for every poll.
_CHATTY = ("httpx", "httpcore", "alembic", "huey", "label_studio_ml")


class _OneLine(logging.Formatter):
    """Events in which no name that people gave begins another line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the library's name)
        """The line of an event; a traceback that a library logs comes after it."""
        record.message = visible(record.message, kept="")
        return super().formatMessage(record)


def start_logging(level: str) -> None:
    """Logs to standard error; libraries only from WARNING on."""
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


# A thread in the background that ended by one of these would be missing until the next start.
_UNFORESEEN = (
    *(OSError, SQLAlchemyError, ValueError, TypeError),
    *(LookupError, ArithmeticError, AttributeError, RuntimeError),
)


class Survived:
    """Failures that background work of this process went on after; `count` of them since the start."""

    def __init__(self) -> None:
        self.count = 0
        self._failing: set[str] = set()

    @contextmanager
    def failures_of(self, work: str) -> Iterator[None]:
        """Goes on whatever fails; logs when that begins and when it ends.

        Of what nobody foresaw only the class is logged: a message could carry people's words.
        """
        try:
            yield
        except (NextlabelError, *_UNFORESEEN) as error:
            self.count += 1
            if work not in self._failing:
                is_known = isinstance(error, NextlabelError | OSError)
                message = error if is_known else type(error).__name__
                logger.warning("failing, and tried again: %s message=%s", work, message)
            self._failing.add(work)
        else:
            if work in self._failing:
                logger.warning("works again: %s", work)
            self._failing.discard(work)

    def is_failing(self, work: str) -> bool:
        """Whether some work failed when it was last tried."""
        return work in self._failing
