"""The headline row: what one wants to know at first sight, from the first answer on, in words and numbers.

A card is `key`, `title`, `number` and `unit` (or, where there is no number, a `verdict` in words), `words`,
`notes` (further sentences) and, where there is one, an `interval` to draw or a `share` for a bar. What is not
known yet is said with what is known already, what is lacking, and when it comes.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.json_types import Json
from backend.label_studio.controls.question import SINGLE_CHOICE
from backend.label_studio.versions import is_by_name
from backend.task_types import TASK_TYPES
from backend.workflows.project.account import Account
from backend.workflows.project.figures import Accuracy, HeadMetrics, Signals
from backend.workflows.project.workspace import Workspace
from backend.workflows.views.dashboard.links import project_address
from backend.workflows.views.dashboard.measured import is_range_alone, read_accuracy
from backend.workflows.views.dashboard.pace import PersonDay, answers_an_hour, last_day, pace_card
from backend.workflows.views.dashboard.to_come import find_wait, lacking
from backend.workflows.views.dashboard.waiting import Waiting
from backend.workflows.views.wording import (
    ADVICE,
    FIGURE_NEEDED,
    between,
    counted,
    hours_of_work,
    percent,
    range_of,
)
from model.signals.estimate import points

# So few answers that a rough accuracy would be noise.
_FEWEST_ROUGH = 10


@dataclass(frozen=True, slots=True)
class Known:
    """What the headline is made of; `metrics` are those of the version in use.

    `kind`: the kind of the first question.
    """

    signals: Signals
    metrics: HeadMetrics
    account: Account
    tasks: int
    kind: str = SINGLE_CHOICE


def headline(workspace: Workspace, known: Known, waiting: list[Waiting]) -> list[Json]:
    """The cards of the headline row, the most wanted first."""
    day = last_day(workspace)
    return [
        accuracy_card(workspace, known),
        _answered_card(known, day),
        pace_card(day, workspace.state.people),
        _next_card(known),
        _todo_card(known, waiting, project_address(workspace)),
    ]


def _accuracy_title(workspace: Workspace, signals: Signals) -> str:
    """Names the question where the page is about more than one."""
    is_one = not signals.questions or (len(signals.questions) == 1 and not signals.per_class)
    return "Accuracy" if is_one else f"Accuracy: {workspace.state.question}"


def accuracy_card(workspace: Workspace, known: Known) -> Json:
    """Accuracy as one number with its range; before there is one, a rough one, named so."""
    found = read_accuracy(known.signals, known.metrics)
    title = _accuracy_title(workspace, known.signals)
    card: Json = {"key": "accuracy", "title": title, "interval": None, "notes": [], "is_rough": False}
    rough, count = _rough(found, known.metrics)
    if found.estimate is not None and found.low is not None and found.high is not None:
        blind = found.blind or found.n
        is_few = is_range_alone(found)
        start = "" if is_few else f"{between(found.low, found.high)}, "
        words = f"{start}from {counted(blind, 'blind answer')}".capitalize()
        card |= {
            "number": range_of(found.low, found.high) if is_few else percent(found.estimate),
            "words": f"{words}{_more_words(found)}.",
            "interval": {"kind": "share", "low": found.low, "estimate": found.estimate, "high": found.high},
        }
        if rough is not None and found.method == "exact":
            card["notes"].append(f"Roughly {percent(rough)} by all {count:,} answers; they are harder ones.")
    elif rough is not None:
        words = (
            f"Rough: tested on {counted(count, 'answer')}, each left out of learning for the test. The order "
            "asks what is hard, so the truth is rather higher."
        )
        card |= {"number": f"≈ {percent(rough)}", "words": words, "is_rough": True}
        card["notes"].append(_first_blind_words(workspace, found))
    else:
        card |= {"verdict": "Not measured yet", "words": _nothing_words(workspace, known)}
        card["notes"].append(_first_blind_words(workspace, found))
    if known.signals.questions and not known.signals.per_class:
        card["notes"].insert(0, f"It is the share of {known.signals.questions[0].metric}.")
    card["notes"] += _rest_notes(known)
    return card


def _rough(found: Accuracy, metrics: HeadMetrics) -> tuple[float | None, int]:
    """Share of all answers foreseen by heads that had not learned them, and how many answers those are."""
    if found.rough is not None:
        return found.rough, found.rough_n or 0
    count = int(metrics.labels or 0)
    return (metrics.out_of_fold_accuracy, count) if count >= _FEWEST_ROUGH else (None, count)


def _more_words(found: Accuracy) -> str:
    if not found.more_blind or found.aim is None:
        return ""
    return f"; about {found.more_blind:,} more blind ones make it ±{100 * found.aim:.0f}"


def _nothing_words(workspace: Workspace, known: Known) -> str:
    if not known.account.learned:
        guesses = "the guesses come from the names of the labels alone"
        how = guesses if is_by_name(workspace.version) else "nothing is guessed before the first answer"
        said = "No answer is learned from yet" if known.account.answered else "Nobody has answered yet"
        return f"{said}: {how}."
    return f"{counted(known.account.learned, 'answer')} so far: too few to judge by."


def _first_blind_words(workspace: Workspace, found: Accuracy) -> str:
    """What brings the first measured accuracy: after how many answers depends on who opens what."""
    share = workspace.settings.audit_share
    if share <= 0.0:
        return "No task is asked blind (AUDIT_SHARE is 0), so it is not measured."
    every = f"About one task in {1 / share:.0f} is asked blind, to measure it"
    if found.n and not found.blind:
        return f"{every}: {found.n} of {found.needed} are answered."
    return f"{every}; the first answer to one brings a measured figure."


def _rest_notes(known: Known) -> list[str]:
    """What accepting all guesses would give: no part in it have synthetic and unreadable tasks."""
    rest, left = known.signals.rest, known.tasks - known.account.answered
    if rest is None:
        return []
    these = f"the {counted(rest.open, 'task')} left"
    if rest.open < left:
        these = f"{rest.open:,} of the {counted(left, 'task')} left"
    if rest.open > left:  # people answer while it does not learn
        these = f"the {counted(rest.open, 'task')} that were left when it last learned"
    start = f"Accept what it says of {these}, and"
    if rest.blind < FIGURE_NEEDED or not rest.wrong:
        most = round((1.0 - rest.low) * rest.open)
        return [f"{start} {between(rest.low, rest.high)} are right: up to {most:,} wrong."]
    return [
        f"{start} about {percent(rest.estimate)} are right ({between(rest.low, rest.high)}): "
        f"about {rest.wrong:,} wrong."
    ]


def _answered_card(known: Known, day: list[PersonDay]) -> Json:
    account, tasks = known.account, known.tasks
    skipped = account.reasons["skipped"]
    other = account.answered - account.learned - skipped - account.unread
    notes = []
    if skipped:
        notes.append(f"{skipped:,} skipped.")
    if other:
        notes.append(f"{counted(other, 'answer')} without a label.")
    if account.unread:
        notes.append(f"{counted(account.unread, 'answer')} to pictures that cannot be read.")
    share = account.learned / tasks if tasks else 0.0
    return {
        "key": "answered",
        "title": "Labelled",
        "number": f"{account.learned:,}",
        "unit": f"of {counted(tasks, 'task')}",
        "words": f"{percent(share)} of all{_to_go(tasks - account.answered, day)}."
        if tasks
        else "No task was read yet.",
        "share": min(share, 1.0),
        "notes": notes,
    }


def _to_go(left: int, day: list[PersonDay]) -> str:
    """How many tasks nobody answered, and how long they take at the pace of the last day, where known."""
    if left <= 0:
        return ""
    speed = answers_an_hour(day)
    pace = "" if speed is None else f": {hours_of_work(left, speed)} for one person at this pace"
    return f"; {left:,} to go{pace}"


def _next_card(known: Known) -> Json:
    found = known.signals.forecast
    card: Json = {"key": "next", "title": "Next 100 answers", "interval": None, "notes": []}
    if found is None or found.gain is None or found.low is None or found.high is None:
        return card | {"verdict": "Not foreseen yet", "words": _unknown_gain(known)}
    return card | {
        "number": points(found.gain),
        "unit": "points",
        "words": _gain_words(found.low, found.high),
        "interval": {"kind": "gain", "low": found.low, "estimate": found.gain, "high": found.high},
    }


def _gain_words(low: float, high: float) -> str:
    words = f"Between {points(low)} and {points(high)} more accuracy, by the learning curve"
    return f"{words}." if low > 0 else f"{words}: perhaps nothing."


def _unknown_gain(known: Known) -> str:
    if not TASK_TYPES[known.kind].has_curve:
        return "It is read off a learning curve, and for this kind of question none is drawn yet."
    if (wait := find_wait(known.signals, "forecast")) is not None:
        return f"{wait.known} {lacking(wait)}"
    found = read_accuracy(known.signals, known.metrics)
    if not known.account.learned:
        return "The first answers bring the most. How much is read off the learning curve, once there is one."
    return (
        f"Read off the learning curve, which is drawn from {found.needed} blind answers on; "
        f"{found.n} are there."
    )


def _todo_card(known: Known, waiting: list[Waiting], address: str) -> Json:
    """What waits first for a person, and whether to go on labeling."""
    advice = _advice_words(known)
    card: Json = {"key": "todo", "title": "To do", "notes": []}
    if not known.account.answered:
        card["action"] = {"words": "Start labeling", "address": address}
    if waiting:
        first, others = waiting[0], len(waiting) - 1
        ask = "See the cure" if first.tone == "bad" else "Decide"
        return card | {
            "verdict": first.title,
            "words": "",
            "link": {"words": f"{ask} ({others:,} more below)" if others else ask, "to": "#to-do"},
            "tone": first.tone,
            "notes": ["People may go on labeling: no answer is lost."] if first.tone == "bad" else [advice],
        }
    if not known.account.answered:
        return card | {"verdict": "Label the first tasks", "words": advice, "tone": "good"}
    title, words = _advice(known.signals)
    return card | {"verdict": title, "words": words, "notes": ["Nothing waits for you."], "tone": "good"}


def _advice_words(known: Known) -> str:
    """Whether to go on labeling, in one or two sentences."""
    if not known.account.answered:
        return "It learns from every answer; the first ones teach it the most."
    title, words = _advice(known.signals)
    return f"Otherwise: {title.lower()}. {words}"


def _advice(signals: Signals) -> tuple[str, str]:
    """The advice in a few words and why; to go on, as long as no gain is foreseen."""
    advice, forecast = signals.advice, signals.forecast
    if advice is None or forecast is None or forecast.gain is None:
        return ADVICE["keep-labeling"], "It learns from every answer."
    return ADVICE[advice.advice], advice.words
