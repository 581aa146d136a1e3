"""The small picture of a task: of several objects side by side, as the sides of a pair stand."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

from PIL import Image

from backend.workflows.project.workspace import Workspace

_MOST: Final = 3  # objects that are shown beside each other
_GAP: Final = 6  # pixels between two of them
_QUALITY: Final = 80  # as JPEG counts it


def small_picture(workspace: Workspace, task_id: int) -> bytes | None:
    """A JPEG of what a task shows, the first picture of each object from left to right; None without any."""
    found = workspace.pictures.first_thumbnails(task_id)[:_MOST]
    if len(found) > 1:
        return put_side_by_side(found)
    return found[0] if found else None


def put_side_by_side(pictures: Sequence[bytes]) -> bytes:
    """One JPEG of several small ones on white, each in the middle of the height of the highest."""
    opened = [Image.open(io.BytesIO(one)) for one in pictures]
    width = sum(one.width for one in opened) + _GAP * (len(opened) - 1)
    height = max(one.height for one in opened)
    page = Image.new("RGB", (width, height), "white")
    left = 0
    for one in opened:
        page.paste(one, (left, (height - one.height) // 2))
        left += one.width + _GAP
    out = io.BytesIO()
    page.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
