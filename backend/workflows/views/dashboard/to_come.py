"""What cannot be told yet: what it is, what is lacking, and in how many answers it comes."""

from __future__ import annotations

from backend.json_types import Json
from backend.workflows.project.figures import Signals, Wait
from backend.workflows.views.wording import counted

# The headline speaks of accuracy and forecast itself.
_TITLES = {
    "curve": "How the accuracy grew",
    "advantage": "This order beside a random one",
    "calibration": "Whether it is as sure as it says",
    "classes": "How good it is by class",
    "trusted": "Guesses that can be accepted as they are",
}


def still_to_come(signals: Signals) -> list[Json]:
    """A row for each finding that waits: its title, and what it lacks."""
    return [{"title": _TITLES[row.of], "words": lacking(row)} for row in signals.waits if row.of in _TITLES]


def find_wait(signals: Signals, what: str) -> Wait | None:
    """What is known of one finding that waits; None where it does not."""
    return next((row for row in signals.waits if row.of == what), None)


def lacking(wait: Wait) -> str:
    """What is lacking, and when it comes."""
    return wait.lacks if not wait.answers else f"{wait.lacks} {about(wait.answers).capitalize()}."


def about(answers: int) -> str:
    """A number of answers that is a guess: "about 40 answers more"."""
    return f"about {counted(answers, 'answer')} more"
