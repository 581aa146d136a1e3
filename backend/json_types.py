"""The JSON that people, Label Studio and the database exchange, as a type."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
