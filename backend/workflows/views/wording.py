"""Numbers and moments as people read them."""

from __future__ import annotations

from backend.database import Decision
from model.signals.honest_accuracy import FEWEST

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_NOW_S = 5.0
OUTCOMES = {
    "published": "published a new order",
    "topped-up": "filled the window up",
    "mended": "put Label Studio's settings right",
    "unchanged": "found nothing new",
    "failed": "failed",
    "running": "is running",
}
ADVICE = {
    "keep-labeling": "Keep labeling",
    "label-novel-lane": "Label the possible new classes",
    "collect-data": "Collect or create data",
    "stop": "You can stop",
}
# Below so many audit labels no accuracy is named.
AUDIT_NEEDED = FEWEST
# What the answers about skipped tasks lead to.
SETTLED = {
    "class": "“{label}” is a class now. The next loop looks which skipped tasks fit it.",
    "exclude": "Tasks like these are not for this project: they wait behind all others.",
    "ask": "Tasks like these are asked as before, whoever skips them.",
}
_DECIDED = {
    "group-added": "made “{label}” a class",
    "group-rejected": "said that group {group} is not a class",
    "rollback": "went back to {version}",
    "skips-class": "made “{label}” a class, of tasks that people skipped",
    "skips-exclude": "said that tasks like {skipped} skipped ones are not for this project",
    "skips-ask": "wants tasks like {skipped} skipped ones asked as before",
    "skips-reopened": "opened {skipped} skipped tasks again that look like “{label}”",
    "asked-next": "asked for {tasks} tasks picked on the map to come first",
    "asked-no-more": "took back which tasks come first",
}


def window_words(left: int, size: int, *, version: str | None, pool: int | None) -> str:
    """How full the window is; of an empty one why. `pool`: what the last loop could have put in, if known."""
    if left:
        return f"{left:,} of {size:,} tasks left"
    if version is None:
        return "no loop has filled it yet"
    return "nothing left to label" if pool == 0 else "empty until the next loop fills it"


def ago(seconds: float) -> str:
    """How long ago something was: "3 minutes ago"."""
    if seconds < _NOW_S:
        return "just now"
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{counted(int(seconds // size), unit)} ago"
    return "just now"


def counted(count: int, noun: str, *, plural: str | None = None) -> str:
    """A number and its noun: "1 task", "2,000 tasks"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """How long something took: "0.4 s", "12 s", "2 min 5 s"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60)} s"


def percent(share: float) -> str:
    """A share in whole percent: "83 %"."""
    return f"{100 * share:.0f} %"


def share_with_interval(share: float, low: float | None, high: float | None) -> str:
    """A share and the interval around it: "83 % (78 to 87)"."""
    if low is None or high is None:
        return percent(share)
    return f"{percent(share)} ({100 * low:.0f} to {100 * high:.0f})"


def decision_words(decision: Decision) -> str:
    """What was decided, as the rest of a sentence that begins with who it was."""
    pattern = _DECIDED.get(decision.kind)
    try:
        return pattern.format_map(decision.details) if pattern else decision.kind
    except (KeyError, TypeError):  # details of another release
        return decision.kind
