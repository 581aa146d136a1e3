"""What waits for a person, as uniform cards: faults with their cure first, then decisions.

To add a kind of decision, write a function that returns its cards, and name it in `_KINDS`. A button of a
card is a route of `backend/routes/dashboard.py`, named by its endpoint.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from backend.json_types import Json
from backend.label_studio.tabs import OPEN_ONLY, TITLES, Flag
from backend.workflows.intake.unread_pictures import unread_pictures
from backend.workflows.project.account import CURABLE, Account
from backend.workflows.project.figures import Signals
from backend.workflows.project.workspace import Workspace
from backend.workflows.views.dashboard.faults import find_faults
from backend.workflows.views.dashboard.history import versions
from backend.workflows.views.dashboard.links import project_address, tab_addresses
from backend.workflows.views.dashboard.novelty import novel_groups, typical_rows
from backend.workflows.views.skips import SkipQuestion, read_skips
from backend.workflows.views.snippets import read_rows
from backend.workflows.views.wording import counted, sentence
from model.novelty.naming import is_number

# More possible classes than these come after all other decisions.
_FIRST_GROUPS = 3
_FAULT = "fault-"  # how the keys of faults begin
_FAULTS_LINKED = 3  # reasons of which a task is linked to
_LENGTH = 140  # characters of a text to judge by

Tone = Literal["plain", "good", "warning", "bad"]


@dataclass(frozen=True, slots=True)
class Ask:
    """A field to fill in before a button is pressed."""

    name: str
    words: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Button:
    """A button: `route` and what it is sent; with `warning` it says that first and asks once.

    `about` is read out behind the words, where these do not say enough without the card around them.
    """

    route: str
    words: str
    fields: Mapping[str, str]
    about: str = ""
    warning: str = ""
    ask: Ask | None = None
    is_main: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """One card: what it is about, what is known, tasks to judge by, where to look, what to press or to run.

    `tasks` are rows as `read_rows` has them; `links` rows of `words` and `address`; `command` is what to
    type.
    """

    key: str
    title: str
    words: str
    tone: Tone = "plain"
    tasks: tuple[Json, ...] = ()
    links: tuple[Json, ...] = ()
    buttons: tuple[Button, ...] = ()
    command: str = ""

    @property
    def is_fault(self) -> bool:
        """Whether it is to be repaired, not decided."""
        return self.key.startswith(_FAULT)

    def to_json(self) -> Json:
        """All fields as the page has them."""
        fields = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}


@dataclass(frozen=True, slots=True)
class Found:
    """What the cards are made of. `tabs`: address by flag; `flagged`: how many tasks each tab shows."""

    workspace: Workspace
    signals: Signals
    account: Account
    tabs: Mapping[str, str]
    flagged: Counter[str] = field(default_factory=Counter)

    def tab(self, flag: Flag, words: str) -> tuple[Json, ...]:
        """A link to one of our tabs; nothing where it is not there."""
        return ({"words": words, "address": self.tabs[flag]},) if flag in self.tabs else ()


def gather(workspace: Workspace, signals: Signals, account: Account) -> Found:
    """What is known of a project that a person may have to decide about."""
    flagged: Counter[str] = Counter()
    for flag, is_annotated, count in workspace.tasks.count_flags():
        flagged[flag] += 0 if is_annotated and flag in OPEN_ONLY else count
    return Found(workspace, signals, account, tab_addresses(workspace), flagged)


def find_waiting(found: Found) -> list[Waiting]:
    """Everything that waits for a person, the most urgent first."""
    return [card for kind in _KINDS for card in kind(found)]


def count_waiting(waiting: list[Waiting]) -> Json:
    """How many cards are faults to repair, and how many decisions."""
    faults = sum(card.is_fault for card in waiting)
    return {"repair": faults, "decide": len(waiting) - faults}


def _faults(found: Found) -> list[Waiting]:
    return [
        Waiting(f"{_FAULT}{fault.key}", fault.title, fault.words, fault.tone, command=fault.command)
        for fault in find_faults(found.workspace)
    ]


def _pictures(found: Found) -> list[Waiting]:
    """Pictures that cannot be read, where there are any."""
    unread = unread_pictures(found.workspace)
    if not unread.count:
        return []
    words = f"{sentence(unread.reasons)} {unread.outlook}"
    address = f"{project_address(found.workspace)}?task="
    firsts = [group.task_ids[0] for group in unread.groups[:_FAULTS_LINKED]]
    links = tuple({"words": f"Open task {one}", "address": f"{address}{one}"} for one in firsts)
    return [Waiting("pictures", unread.title, words, "warning", links=links)]


def _new_classes(found: Found) -> list[Waiting]:
    return [_group(found, row) for row in novel_groups(found.workspace)[:_FIRST_GROUPS]]


def _further_classes(found: Found) -> list[Waiting]:
    return [_group(found, row) for row in novel_groups(found.workspace)[_FIRST_GROUPS:]]


def _group(found: Found, row: Json) -> Waiting:
    number = {"group": str(row["number"])}
    size = counted(row["size"], "task")
    return Waiting(
        key=f"group-{row['number']}",
        title=f"A new class, “{row['name']}”?",
        words=f"{size} fit no label and are like each other.",
        tasks=tuple(row["typical"]),
        links=found.tab("novel", f"See them in the tab “{TITLES['novel']}”"),
        buttons=(
            Button(
                "add_class",
                "Add as a class",
                number,
                warning="The name becomes a label in Label Studio, for everybody at once, and the "
                f"{size} are asked first; answers that exist are not asked again. Take it back by removing "
                "the label in the labeling interface.",
                ask=Ask("name", "Name of the class", row["label"]),
                is_main=True,
            ),
            Button("reject_group", "Not a class", number),
        ),
    )


def _skips(found: Found) -> list[Waiting]:
    """Tasks like those that people skip, about which somebody has to say what they are."""
    asked = read_skips(found.workspace).questions
    shown = [task_id for question in asked for task_id in question.typical]
    rows = read_rows(found.workspace, shown, length=_LENGTH)
    return [_skip_question(question, rows) for question in asked]


def _skip_question(question: SkipQuestion, rows: Mapping[int, Json]) -> Waiting:
    def button(words: str, answer: str, **more: Any) -> Button:
        fields = {"group": str(question.number), "answer": answer}
        return Button("answer_skips", words, fields, **more)

    new_class = button(
        "They are a class",
        "class",
        warning="A name that no label has becomes one in Label Studio, for everybody at once; the name of a "
        "label there is says that these are of it. They are asked soon. A new label goes by removing it in "
        "the labeling interface.",
        ask=Ask(
            "name",
            "Name of the class, new or there already",
            "" if is_number(question.name, question.number) else question.name,
        ),
        is_main=True,
    )
    return Waiting(
        key=f"skips-{question.number}",
        title=f"People skipped {counted(question.skipped, 'task')} like these",
        words=_skipped_words(question),
        tasks=tuple(typical_rows(question.typical, rows)),
        buttons=(
            *([new_class] if question.name else []),
            button("Not for this project", "exclude"),
            button("Keep asking", "ask"),
        ),
    )


def _skipped_words(question: SkipQuestion) -> str:
    """What becomes of the open tasks like them, and what is asked."""
    kinds = "They are of different kinds. " if question.is_mixed else ""
    if not question.waiting:
        return f"{kinds}No open task is like them now. Say what is to become of any that come."
    are, wait = ("is", "waits") if question.waiting == 1 else ("are", "wait")
    return (
        f"{kinds}{counted(question.waiting, 'open task')} {are} like them, and {wait} behind the others "
        "until you say what becomes of them."
    )


def _reopenings(found: Found) -> list[Waiting]:
    """Skipped tasks that look like a class which was made since."""
    return [
        Waiting(
            key=f"reopen-{row.number}",
            title=f"Open {counted(row.tasks, 'skipped task')} again?",
            words=sentence(row.words),
            links=found.tab("skipped", f"See them in the tab “{TITLES['skipped']}”"),
            buttons=(
                Button(
                    "reopen_skips",
                    "Ask them again",
                    {"group": str(row.number)},
                    about=f"the tasks that look like “{row.label}”",
                    warning="The skips of these tasks are deleted in Label Studio, and nothing else is.",
                    is_main=True,
                ),
            ),
        )
        for row in read_skips(found.workspace).reopenings
    ]


def _synthetic(found: Found) -> list[Waiting]:
    count = found.flagged["review"]
    if not count:
        return []
    return [
        Waiting(
            "review",
            f"{counted(count, 'synthetic task')}: sound or not?",
            "The answers so far cannot tell whether these help or harm the model. Yours can.",
            links=found.tab("review", f"Review them in the tab “{TITLES['review']}”"),
        )
    ]


def _answers(found: Found) -> list[Waiting]:
    """Answers that became no label, and could."""
    account = found.account
    count = sum(account.reasons[reason] for reason in CURABLE)
    disputes = account.reasons["in dispute"]
    if not count:
        return []
    title = f"{counted(count, 'answer')} without a label"
    if disputes == count:
        title = f"People disagree on {counted(count, 'task')}"
    return [
        Waiting(
            "no-label",
            title,
            account.cure,
            "warning",
            links=found.tab("no-label", f"Open the tab “{TITLES['no-label']}”"),
        )
    ]


def _suspects(found: Found) -> list[Waiting]:
    count = found.flagged["suspect"]
    if not count:
        return []
    return [
        Waiting(
            "suspect",
            f"{counted(count, 'answer')} to look at again",
            "Tasks like these were answered otherwise. The most doubtful come first.",
            links=found.tab("suspect", f"Check them in the tab “{TITLES['suspect']}”"),
        )
    ]


def _better_models(found: Found) -> list[Waiting]:
    """An older model that was clearly better than the one in use."""
    return [
        Waiting(
            f"better-{row['version']}",
            f"{row['model'].capitalize()} was better than the one in use",
            f"It reached {row['accuracy']} by {counted(row['blind'], 'blind answer')}, and the ranges of the "
            "two do not meet.",
            links=({"words": "Go back to it under Models", "address": "#models"},),
        )
        for row in versions(found.workspace)
        if row["can_serve"] and row["beside"] == "better"
    ][:1]


def _ready(found: Found) -> list[Waiting]:
    count, trusted = found.flagged["ready"], found.signals.trusted
    if not count or trusted is None:
        return []
    return [
        Waiting(
            "ready",
            f"{counted(count, 'answer')} can be accepted as they are",
            trusted.words,
            "good",
            links=found.tab("ready", f"See them in the tab “{TITLES['ready']}”"),
        )
    ]


_KINDS: tuple[Callable[[Found], list[Waiting]], ...] = (
    _faults,
    _pictures,
    _new_classes,
    _better_models,
    _reopenings,
    _skips,
    _synthetic,
    _answers,
    _suspects,
    _ready,
    _further_classes,
)
