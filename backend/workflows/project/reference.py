"""What Label Studio calls a project: its number, which is used again, and when it was made."""

from __future__ import annotations

import re
from datetime import datetime

from backend.errors import BadRequest
from backend.json_types import Json

# The column's type in PostgreSQL, ours and Label Studio's; SQLite would fail on much larger ones, too.
LARGEST_ID = 2**31 - 1
_REFERENCE = re.compile(r"([0-9]{1,10})\.([0-9]{1,12})")


def parse_reference(reference: object) -> tuple[int, int]:
    """Reads "{id}.{creation time in seconds}", as /setup and /predict carry it. Raises BadRequest."""
    match = _REFERENCE.fullmatch(str(reference))
    if match is None or int(match.group(1)) > LARGEST_ID:
        raise BadRequest("`project` must look like 2.1795499256.", hint="Label Studio sends it this way.")
    return int(match.group(1)), int(match.group(2))


def created_stamp(remote: Json) -> int:
    """Creation time of a project, in whole seconds, from its JSON."""
    return int(datetime.fromisoformat(str(remote["created_at"])).timestamp())
