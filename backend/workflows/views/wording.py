"""Numbers, moments, shares and names as people read them: the one place where they are written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from backend.database import Decision
from backend.json_types import Json
from backend.label_studio.versions import version_number
from model.signals.honest_accuracy import FEWEST, FEWEST_ASSISTED

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_NOW_S = 5.0
OUTCOMES = {
    "published": "learned and put a new order out",
    "topped-up": "filled the queue up",
    "mended": "put Label Studio's settings right",
    "unchanged": "found nothing new",
    "failed": "failed",
    "disconnected": "ended: the project was disconnected",
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
# Of fewer blind answers the range is the figure: one share would say more than they do.
FIGURE_NEEDED = FEWEST_ASSISTED
# What the answers about skipped tasks lead to.
SETTLED = {
    "class": "“{label}” is a class now. The next loop looks which skipped tasks fit it.",
    "exclude": "Tasks like these are not for this project: they wait behind all others.",
    "ask": "Tasks like these are asked as before, whoever skips them.",
}
_DECIDED = {
    "group-added": "made “{label}” a class",
    "group-rejected": "said that group {group} is not a class",
    "classes-merge": "merged labels, in {annotations} annotations",
    "classes-rename": "renamed a label, in {annotations} annotations",
    "classes-split": "split a label, in {annotations} annotations",
    "classes-unmerge": "took a merge of labels back, in {annotations} annotations",
    "classes-unrename": "took the renaming of a label back, in {annotations} annotations",
    "classes-unsplit": "took the split of a label back, in {annotations} annotations",
    "rollback": "went back to {model}",
    "skips-class": "said that tasks that people skipped are “{label}”",
    "skips-exclude": "said that tasks like {skipped} skipped ones are not for this project",
    "skips-ask": "wants tasks like {skipped} skipped ones asked as before",
    "skips-reopened": "opened {skipped} skipped tasks again that look like “{label}”",
    "asked-next": "asked for {tasks} tasks picked on the map to come first",
    "asked-no-more": "took back which tasks come first",
    "connected": "connected the project",
    "disconnected": "took the connection apart",
    "loop-asked": "asked a worker to look for new answers",
    "loop-run": "ran a loop by hand",
    "published": "brought the order in Label Studio up to date",
    "tab-made": "made a tab of {tasks} tasks picked on the map",
}


def window_words(left: int, *, version: str | None, pool: int | None, unread: int = 0) -> str:
    """How many tasks wait in the window; of an empty one why.

    `pool`: what the last loop could have put in, where that is known. `unread`: pictures that cannot be read.
    """
    if left:
        return "the next task is in order" if left == 1 else f"the next {left:,} tasks are in order"
    if version is None:
        return "not filled yet"
    if pool != 0:
        return "empty until it is filled again"
    return "nothing left whose picture can be read" if unread else "nothing left to label"


def model_name(version: str | None) -> str:
    """A version as people call it: "model 25"; "model 1, by label names" where it has seen no answer."""
    number = version_number(version or "")
    if number is None:
        return version or "none yet"
    return f"model {number}{', by label names' if (version or '').endswith('label-names') else ''}"


def person(number: int, people: Mapping[str, str]) -> str:
    """What somebody is called; by Label Studio's number where no name is known."""
    return people.get(str(number)) or (f"person {number}" if number else "somebody unnamed")


def moment(at: datetime) -> Json:
    """A moment of the database, which is in UTC without saying so: for machines, and how long ago it was."""
    aware = at.replace(tzinfo=UTC)
    return {
        "iso": aware.isoformat(timespec="seconds"),
        "words": ago((datetime.now(UTC) - aware).total_seconds()),
    }


def ago(seconds: float) -> str:
    """How long ago something was: "3 minutes ago"."""
    if seconds < _NOW_S:
        return "just now"
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{counted(int(seconds // size), unit)} ago"
    return "just now"


def tried_again(when: str, project: int) -> str:
    """What ends the pause of a project that is parked: time, a change, or a wish."""
    return (
        f"The next try is {when}, or at once after an import, a changed config, Start training in Label "
        f"Studio, or: nextlabel loop {project}"
    )


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


def hours_of_work(answers: int, an_hour: float) -> str:
    """How long so many answers take one person: "about 40 minutes", "about 4 hours"."""
    hours = answers / an_hour
    if hours < 1.5:
        return f"about {counted(max(round(60 * hours), 1), 'minute')}"
    return f"about {counted(round(hours), 'hour')}"


def sentence(words: str) -> str:
    """The same with a capital and a full stop."""
    return f"{words[:1].upper()}{words[1:]}."


def percent(share: float) -> str:
    """A share in whole percent: "83 %"."""
    return f"{100 * share:.0f} %"


def between(low: float, high: float) -> str:
    """A range of shares: "between 77 and 88 %"."""
    return f"between {100 * low:.0f} and {percent(high)}"


def range_of(low: float, high: float) -> str:
    """A range of shares as a figure: "77 to 88 %"."""
    return f"{100 * low:.0f} to {percent(high)}"


def share_with_interval(share: float, low: float | None, high: float | None) -> str:
    """A share and the interval around it: "83 % (78 to 87)"."""
    if low is None or high is None:
        return percent(share)
    return f"{percent(share)} ({100 * low:.0f} to {100 * high:.0f})"


def decision_words(decision: Decision) -> str:
    """What was decided, as the rest of a sentence that begins with who it was."""
    pattern, details = _DECIDED.get(decision.kind), decision.details
    try:
        model = model_name(str(details.get("version")))
        return pattern.format_map({"model": model} | details) if pattern else decision.kind
    except (AttributeError, KeyError, TypeError):  # details of another release
        return decision.kind
