"""A line of a log in JSON, for what no logger has said."""

from __future__ import annotations

import json
from datetime import UTC, datetime

# What an error of ours begins with on a terminal, in one line or in two.
_OF_ERRORS = ("Error: ", "To fix it: ")


def json_line(event: str, *, module: str) -> str:
    """One object of ASCII with time, level, module and event, as `backend.logs` writes them.

    The level is ERROR for the lines of an error, else INFO.
    """
    level = "ERROR" if event.startswith(_OF_ERRORS) else "INFO"
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    return json.dumps({"time": time, "level": level, "module": module, "event": event})
