"""Texts that an encoder cannot take, told from the others of their batch by halving it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final

from backend.errors import NextlabelError
from backend.workflows.intake.embed import encode_missing
from backend.workflows.project.progress import Progress
from backend.workflows.project.workspace import Workspace
from model.encoders import Encoder

# After so many failures, and nothing encoded, it is not a text that is at fault.
_HOPELESS: Final = 64


def encode_apart(
    workspace: Workspace, encoder: Encoder, texts: Mapping[str, str], progress: Progress
) -> dict[str, str]:
    """Keeps the vectors of texts by their hash, as `encode_missing` does, of all that the encoder takes.

    Returns, by hash, what kind of error each of the others raises alone; messages could be people's words.
    Raises what the encoder raises where it seems to take no text, and our own errors, which no text causes.
    """
    faults: dict[str, str] = {}
    waiting, failures, is_any_done = deque([list(texts.items())]), 0, False
    while waiting:
        part = waiting.popleft()
        try:
            encode_missing(workspace, encoder, dict(part), progress)
            is_any_done = True
        except NextlabelError:
            raise
        except Exception as error:
            failures += 1
            if failures >= _HOPELESS and not is_any_done:
                raise
            if len(part) == 1:
                faults[part[0][0]] = type(error).__name__
            else:
                half = len(part) // 2
                waiting += [part[:half], part[half:]]
    return faults
