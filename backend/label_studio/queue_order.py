"""Turns "higher = label sooner" into Label Studio's scores, which are served lowest first.

The window takes [0, 0.5) by position, what `/predict` answers live takes [0.5, 1]: so it waits behind.
"""

from __future__ import annotations

# Scores of the window are below, those of live answers are not.
LIVE_FROM = 0.5


def window_score(position: int, *, window: int) -> float:
    """Score of a place in the window: rises with the position (0, 1, …) and never reaches 0.5.

    Open-ended, so that a window can be topped up behind its last place for ever.
    """
    return LIVE_FROM * position / (position + window)


def live_score(urgency: float) -> float:
    """Score of a task answered live; `urgency` in [0, 1], higher = label sooner."""
    return 1.0 - LIVE_FROM * min(1.0, max(0.0, urgency))
