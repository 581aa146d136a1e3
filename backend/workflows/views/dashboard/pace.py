"""How fast people answer: the last day, in all and by person, from the answers as they were last read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from backend.json_types import Json
from backend.workflows.project.workspace import Workspace
from backend.workflows.views.wording import counted, person

_DAY = timedelta(hours=24)
# Who answers nothing for so long is away from the work.
_PAUSE_S = 300.0
_FEWEST_GAPS = 5
_MOST_PEOPLE = 4


@dataclass(frozen=True, slots=True)
class PersonDay:
    """What one person did in the last day: answers with a choice, skips, and seconds between two of them."""

    by: int
    answers: int
    skips: int
    gaps: tuple[float, ...]


def last_day(workspace: Workspace) -> list[PersonDay]:
    """What each person did in the last 24 hours, the busiest first."""
    since = datetime.now(UTC) - _DAY
    return day_by_person(workspace.tasks.answers_since(since.isoformat()), since=since)


def pace_card(found: list[PersonDay], people: Mapping[str, str]) -> Json:
    """The card about the last 24 hours: answers, each person's share, and answers an hour while at work."""
    answers, skips = sum(one.answers for one in found), sum(one.skips for one in found)
    speed = answers_an_hour(found)
    notes = []
    if skips:
        notes.append(f"{counted(skips, 'skip')}.")
    if speed is not None:
        notes.append(f"About {float(f'{speed:.2g}'):,.0f} an hour for one person at work.")
    return {
        "key": "pace",
        "title": "The last 24 hours",
        "number": f"{answers:,}",
        "unit": "answer" if answers == 1 else "answers",
        "words": _people_words(found, people),
        "notes": notes,
    }


def day_by_person(answers: Iterable[Iterable[Json]], *, since: datetime) -> list[PersonDay]:
    """What each person did since then, the busiest first; `answers` are those of one task after the other."""
    moments: dict[int, list[tuple[datetime, bool]]] = defaultdict(list)
    for said in (one for task in answers for one in task):
        at = _moment(said.get("at"))
        if at is not None and at >= since:
            moments[int(said.get("by") or 0)].append((at, said.get("why_not") == "skipped"))
    days = [_day(by, sorted(found)) for by, found in moments.items()]
    return sorted(days, key=lambda one: (-one.answers, -one.skips, one.by))


def answers_an_hour(people: Iterable[PersonDay]) -> float | None:
    """How many tasks one person does in an hour, pauses left out; None where too little was done to say."""
    gaps = [gap for one in people for gap in one.gaps if gap <= _PAUSE_S]
    return 3600.0 * len(gaps) / sum(gaps) if len(gaps) >= _FEWEST_GAPS and sum(gaps) > 0 else None


def _day(by: int, found: list[tuple[datetime, bool]]) -> PersonDay:
    moments = [at for at, _skipped in found]
    skips = sum(skipped for _at, skipped in found)
    gaps = ((later - at).total_seconds() for at, later in zip(moments, moments[1:], strict=False))
    return PersonDay(by, len(found) - skips, skips, tuple(gaps))


def _people_words(found: list[PersonDay], people: Mapping[str, str]) -> str:
    if not found:
        return "Nobody has answered since."
    shown = [f"{person(one.by, people)}:\u00a0{one.answers:,}" for one in found[:_MOST_PEOPLE]]
    others = found[_MOST_PEOPLE:]
    if others:
        shown.append(f"{counted(len(others), 'other')}:\u00a0{sum(one.answers for one in others):,}")
    return ", ".join(shown) if len(found) > 1 else f"All by {person(found[0].by, people)}."


def _moment(at: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(at))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
