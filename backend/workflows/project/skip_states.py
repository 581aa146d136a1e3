"""What may become of a group of skipped tasks."""

from __future__ import annotations

from typing import Final

# Nobody answered yet; and the three answers: a class, not for this project, ask on.
OPEN: Final = "open"
CLASS: Final = "class"
EXCLUDE: Final = "exclude"
ASK: Final = "ask"
# Skipped tasks that fit a class made later: they can be opened again, or were.
REOPEN: Final = "reopen"
REOPENED: Final = "reopened"

ANSWERS: Final = (CLASS, EXCLUDE, ASK)
