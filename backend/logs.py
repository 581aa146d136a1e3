"""One event per line on standard error: time, level, module, and fields; as text or as JSON."""

from __future__ import annotations

import json
import logging
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy.exc import SQLAlchemyError

from backend.errors import NextlabelError
from backend.log_fields import log_fields
from backend.settings import LogFormat
from backend.visible import visible

logger = logging.getLogger(__name__)

# These log whole requests, or a line for every poll.
_CHATTY = ("httpx", "httpcore", "alembic", "huey", "label_studio_ml")


# A place that a logger's message fills, and the name before it.
_PLACE = re.compile(r"(?:(\w+)=)?%[-+ #0-9.]*[a-zA-Z]")
_SHOWN = "%(asctime)s %(levelname)s %(name)s %(message)s"


class _OneLine(logging.Formatter):
    """Events in which no name that people gave begins another line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the library's name)
        """The line of an event; a traceback that a library logs comes after it."""
        said = visible(record.message, kept="")
        more = (f"{name}={value}" for name, value in log_fields().items() if f"{name}=" not in said)
        record.message = " ".join((said, *more))
        return super().formatMessage(record)


class _Json(logging.Formatter):
    """Events as JSON objects: `event` is the line of a text log, and each of its fields stands beside it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of ASCII."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "module": record.name,
            "event": visible(record.getMessage(), kept=""),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps({**log_fields(), **_named(record), **line}, allow_nan=False, default=str)


def _named(record: logging.LogRecord) -> Mapping[str, object]:
    """What an event says of itself: the values in its message by the names before them."""
    names = _PLACE.findall(str(record.msg))
    given = record.args
    if not isinstance(given, tuple) or len(names) != len(given):
        return {}
    return {name: _plain(value) for name, value in zip(names, given, strict=True) if name}


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    return visible(str(value), kept="")


def start_logging(level: str, style: LogFormat = "text") -> None:
    """Logs to standard error; libraries only from WARNING on."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Json() if style == "json" else _OneLine(_SHOWN))
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
