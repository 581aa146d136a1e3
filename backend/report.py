"""How results look on a terminal, and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Column, Table

from backend.json_types import Json
from backend.label_studio.tabs import NOTE_FIELD
from backend.terminal import plain
from backend.workflows.project.figures import HeadMetrics, Signals
from backend.workflows.views.other_questions import accuracy_of_others
from backend.workflows.views.wording import (
    AUDIT_NEEDED,
    counted,
    share_with_interval,
    tried_again,
    window_words,
)

if TYPE_CHECKING:  # who prints a status need not wait for what trains
    from backend.label_studio.controls.question import Question
    from backend.workflows.connection.connect_report import ConnectReport
    from backend.workflows.connection.finding import Finding
    from backend.workflows.loop_report import LoopReport
    from backend.workflows.record import Replay

_MARKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "fault": ("✗", "red")}
_OUTCOMES = {
    "published": "A new order is published",
    "topped-up": "The window was filled up",
    "mended": "Label Studio's settings were put right",
    "unchanged": "Nothing has changed since the last loop",
}


def print_connect(console: Console, report: ConnectReport, *, verbose: bool = False) -> None:
    """What connect found and did; `verbose` adds how long each part took."""
    kind = "personal access token" if report.token == "personal" else "legacy token"
    console.print(plain(f"Signed in as {report.user} ({kind})."))
    console.print(plain(f"Project {report.project} “{report.title}”: {_asked_words(report)}."))
    _print_questions(console, report)
    _print_limits(console, report)
    for change in report.changes:
        console.print(plain("  ", ("+", "green"), f" {change}"))
    if not report.changes:
        console.print("  Already registered; nothing to change.")
    if report.is_pulled:
        console.print(
            "Label Studio does not call this backend: a worker asks it every few seconds what changed. So a "
            "task outside the order that is published opens without a suggestion, and the order follows "
            "answers some seconds later."
        )
    print_loop(console, report.loop, verbose=verbose)
    for found in report.disturbances:
        console.print(plain(("! ", "yellow"), f"{found.setting}: {found.words}. {found.cure}"))
    for sentence in report.gaps.sentences:
        console.print(plain((f"{sentence}.", "yellow")))
    if report.unread_pictures:
        console.print(plain((f"{report.unread_pictures}.", "yellow"), f" {report.pictures_outlook}"))
    console.print(plain((report.verdict, "green" if report.in_order else "red")))
    if report.could_explain:
        console.print(
            plain(
                "Each task has a line that says why it comes and how sure the ticked answer is: column "
                f"{NOTE_FIELD}. To show it above the task: nextlabel connect {report.project} --explain"
            )
        )
    console.print(plain(f"Dashboard: {report.dashboard}"), soft_wrap=True)


def _asked_words(report: ConnectReport) -> str:
    """What is answered: "2 labels", or of several questions how much each has to choose from."""
    if len(report.questions) == 1:
        return _choice_words(report.questions[0])
    each = (f"{question.name} ({_choice_words(question)})" for question in report.questions)
    return f"{len(report.questions)} questions, {', '.join(each)}"


def _choice_words(question: Question) -> str:
    from backend.task_types import TASK_TYPES  # what learns: who prints a status need not wait for it
    from backend.workflows.views.dashboard.nouns import part_of

    if TASK_TYPES[question.kind].is_number:
        return "a number"
    return counted(len(question.labels), part_of(question.kind))


def _print_questions(console: Console, report: ConnectReport) -> None:
    if report.also_answered:
        others = ", ".join(report.also_answered)
        console.print(
            plain(
                f"The main question is “{report.question}”. Answered as well: {others}. "
                "To choose: --set questions=NAME"
            )
        )
    if report.other_questions:
        others = ", ".join(report.other_questions)
        console.print(
            plain(
                f"The question answered is “{report.question}”. Not answered, though they could be: "
                f"{others}. To choose: --set questions=NAME"
            )
        )


def _print_limits(console: Console, report: ConnectReport) -> None:
    """What is not answered, not demanded, or left empty."""
    for obstacle in report.obstacles:
        console.print(plain(f"Cannot be answered: {obstacle}."))
    if report.ignored:
        left = ", ".join(f"<{tag}>" for tag in report.ignored)
        console.print(plain(f"Left to the annotators: {left}."))
    if report.not_required:
        console.print(plain(f"Not made required: {report.not_required}."))
    for sentence in report.left_empty:
        console.print(plain(f"{sentence}."))


def connect_json(report: ConnectReport) -> Json:
    """The same for machines."""
    return {
        "project": report.project,
        "title": report.title,
        "user": report.user,
        "token": report.token,
        "dashboard": report.dashboard,
        "question": report.question,
        "labels": report.labels,
        "questions": {
            question.name: {"kind": question.kind, "labels": len(question.labels)}
            for question in report.questions
        },
        "also_answered": list(report.also_answered),
        "other_questions": list(report.other_questions),
        "cannot_be_answered": list(report.obstacles),
        "left_empty": list(report.left_empty),
        "not_required": report.not_required,
        "without_text": list(report.gaps.sentences),
        "unread_pictures": report.unread_pictures,
        "left_to_annotators": list(report.ignored),
        "is_pulled": report.is_pulled,
        "changes": report.changes,
        "loop": loop_json(report.loop),
        "served": report.served,
        "expected": report.expected,
        "in_order": report.in_order,
        "verdict": report.verdict,
        "could_explain": report.could_explain,
        "disturbances": [found.to_json() for found in report.disturbances],
    }


def print_loop(console: Console, report: LoopReport, *, verbose: bool = True) -> None:
    """What one loop did; `verbose` adds how long each part took."""
    found = report.record
    line = f"{_OUTCOMES[report.outcome]}: version {report.version}"
    if report.outcome == "published":
        line += (
            f", {found.window} tasks in the window, ranked by {found.strategy} from "
            f"{found.labels} labels and {found.pool} unlabelled tasks"
        )
    console.print(plain(line + "."))
    if found.unencoded:
        waits = f"{found.unencoded:,} more tasks have no vector yet: workers encode them, and later orders"
        console.print(plain((f"{waits} hold them.", "yellow")))
    if found.rejected:
        console.print(plain((f"Label Studio took no prediction for tasks {found.rejected}.", "yellow")))
    if not verbose:
        return
    seconds = ", ".join(f"{stage} {time:.1f} s" for stage, time in report.seconds.items())
    console.print(plain((f"{seconds}; {found.writes} writes to Label Studio.", "dim")))


def loop_json(report: LoopReport) -> Json:
    """The same for machines."""
    return {
        "outcome": report.outcome,
        "version": report.version,
        "figures": report.figures,
        "seconds": report.seconds,
    }


def print_findings(console: Console, findings: Iterable[Finding]) -> None:
    """One line a check, and the cure under what is not well."""
    for finding in findings:
        console.print(plain(_MARKS[finding.verdict], f" {finding.check}: {finding.message}"))
        if finding.cure:
            console.print(plain("    ", (finding.cure, "dim")))


def print_statuses(console: Console, rows: list[Json]) -> None:
    """A block a project."""
    if not rows:
        console.print("Nothing is connected yet. Run: nextlabel connect PROJECT_ID")
    for row in rows:
        table = Table(
            title=plain(f"Project {row['project']} “{row['title']}”"),
            show_header=False,
            title_justify="left",
        )
        for name, value in _status_lines(row):
            table.add_row(name, plain(value))
        console.print(table)


# Below so many columns a table of versions would cut its cells.
_WIDE = 130

_REPRESENTATIONS = {
    None: "nothing yet",
    "encoder": "the encoder's vectors",
    "joined": "the encoder's vectors and words",
    "tfidf": "words",
    "joined-characters": "the encoder's vectors and character n-grams",
    "characters": "character n-grams",
}


def print_versions(console: Console, rows: list[Json]) -> None:
    """A line a version; in a narrow terminal two, so that nothing is cut."""
    if console.width < _WIDE:
        for row in rows:
            version, serves, *others = _version_cells(row)
            console.print(plain((version, "bold"), ", serves" if serves else ""), soft_wrap=True)
            kind, made, labels, accuracy, strategy = others
            words = f"  {kind}, {made}, {labels} labels, {accuracy}, {strategy}"
            console.print(plain(words), soft_wrap=True)
        return
    # `rollback` needs the name whole
    name = Column("version", no_wrap=True, min_width=max((len(row["version"]) for row in rows), default=0))
    table = Table(name, "serves", "kind", "made", "labels", "accuracy on blind answers", "strategy")
    for row in rows:
        version, *others = _version_cells(row)
        table.add_row(plain(version), *others)
    console.print(table)


def _version_cells(row: Json) -> list[str]:
    """Name, "yes" where it serves, kind, moment, labels, accuracy and strategy of a version."""
    return [
        row["version"],
        "yes" if row["active"] else "",
        row["kind"],
        local_time(row["created_at"]),
        str(int(row["metrics"].get("labels") or 0)),
        audit_sentence(row["metrics"]),
        row["strategy"],
    ]


def audit_sentence(metrics: Json) -> str:
    """Accuracy of a version by blind answers with its interval, or how many of these there are."""
    found = HeadMetrics.read(metrics)
    count = int(found.audit_labels or 0)
    if count == 0 or found.audit_accuracy is None:
        return "no blind answers yet"
    if count < AUDIT_NEEDED:
        return f"{count} of {AUDIT_NEEDED} blind answers"
    share = share_with_interval(found.audit_accuracy, found.audit_low, found.audit_high)
    return f"{share} on {count} blind answers"


def _accuracy(row: Json) -> str:
    """As the page says it; before a loop has measured, by the metrics of the version."""
    found = Signals.read(row["signals"]).accuracy
    return found.words if found else audit_sentence(row["metrics"])


def _status_lines(row: Json) -> list[tuple[str, str]]:
    loop = row["last_loop"]
    last = (
        "none yet"
        if loop is None
        else f"{loop['number']}: {loop['outcome']} {local_time(loop['started_at'])}"
    )
    if loop and loop["error"]:
        last += f": {loop['error']}"
    if not row["connected"]:
        return [
            ("connected", f"no: nothing is learned, measured or put in order. {_way_back(row)}"),
            ("labelled", f"{row['labelled']} of {row['tasks']} tasks, when last read"),
            ("last loop", last),
            ("dashboard", row["dashboard"]),
        ]
    return [
        ("connected", "yes"),
        ("version", row["damage"] or row["version"] or "none yet"),
        *(("notice", words) for words in row["notices"]),
        ("learns from", _REPRESENTATIONS[row["representation"]]),
        ("labelled", f"{row['labelled']} of {row['tasks']} tasks"),
        ("answers", row["account"]["words"]),
        *(("pictures", words) for words in [row["unread_words"]] if words),
        *(("config", words) for words in _switch_lines(row["switched"])),
        ("window", _window(row)),
        *(("encoding", words) for words in [row["encoding"]] if words),
        *_order_lines(row["order"]["disturbances"]),
        *(("priority", words) for words in (*row["priority"]["words"], row["priority"]["cost"]) if words),
        ("accuracy", _accuracy(row)),
        *(("accuracy", words) for words in accuracy_of_others(Signals.read(row["signals"]))),
        ("last loop", last),
        *(("parked", words) for words in [_parked(row)] if words),
        ("last webhook", _last_webhook(row)),
        ("waiting events", str(row["pending_hints"])),
        ("workers alive", str(len(row["workers"]))),
        ("dashboard", row["dashboard"]),
    ]


def _parked(row: Json) -> str:
    parked = row["parked"]
    if parked is None:
        return ""
    again = tried_again(local_time(parked["until"]), row["project"])
    return f"{parked['failures']} loops failed in a row. {again}"


def _way_back(row: Json) -> str:
    return f"To connect it again: nextlabel connect {row['project']}"


def _switch_lines(switched: Json | None) -> list[str]:
    return [] if switched is None else [f"since {switched['model']}: {words}" for words in switched["words"]]


def _last_webhook(row: Json) -> str:
    return "none: a worker asks" if row["is_pulled"] else local_time(row["last_webhook"]) or "none yet"


def _order_lines(disturbances: list[Json]) -> list[tuple[str, str]]:
    return [("order", f"{one['setting']}: {one['words']}. {one['cure']}") for one in disturbances]


def _window(row: Json) -> str:
    window, loop = row["window"], row["last_loop"]
    pool = loop["figures"].get("pool") if loop else None
    return window_words(window["left"], version=row["version"], pool=pool, unread=row["unread_pictures"])


def local_time(moment: str | None) -> str:
    """A stored moment in the zone of whoever reads; empty for none."""
    return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M %Z") if moment else ""


def print_replay(console: Console, found: Replay, *, number: int) -> None:
    """One sentence: the same, or where it differs."""
    base = f"Loop {number}, version {found.version}: {found.tasks} tasks, {found.labels} labels."
    if found.is_exact:
        console.print(plain(f"{base} The head and the order are the same, bit for bit."))
        return
    parts = ([] if found.same_head else ["the head"]) + ([] if found.same_order else ["the order"])
    where = "" if found.first_difference is None else f" The first task elsewhere: {found.first_difference}."
    console.print(plain(f"{base} Different: {' and '.join(parts)}.{where}"))
