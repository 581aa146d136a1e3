"""A file of JSON lines that grows, so that a bench can be stopped and goes on from where it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


class JsonLines:
    """The rows of a file, which need not be there yet; each new one is written at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        self.rows: list[dict[str, Any]] = [json.loads(line) for line in lines]

    def append(self, row: dict[str, Any]) -> None:
        """One more row."""
        self.rows.append(row)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
