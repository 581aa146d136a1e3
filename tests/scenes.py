"""Projects at moments of their life, as rows of the database: what the page is looked at with.

    .venv/bin/python -m tests.scenes FOLDER

writes a picture of each, light and dark, 1,400 and 390 pixels wide.
"""

import itertools
import math
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from sqlalchemy import delete, select, update

from backend.database import Decision, Loop, MapPoint, NovelGroup, Project, Task, Verdict, Worker
from backend.label_studio.queue_settings import read_queue_settings
from backend.workflows.project.figures import (
    AcceptanceRow,
    Accuracy,
    AgreementRow,
    Calibration,
    ClassRow,
    NoveltyFigures,
    Range,
    RestAccuracy,
    Signals,
    Suspects,
    Wait,
)
from model.signals.estimate import exact_share, share
from tests.measured import LABELS, add_rich_project, write_signals

WIDTHS = {"wide": 1400, "phone": 390}
SCHEMES = ("light", "dark")
_WHO = ("My sister", "A shop in Lisbon", "The machine at the station", "Your agent", "My employer", "The app")
_DID = (
    "says that the new card has not arrived after nine days",
    "took the money twice and shows only one receipt",
    "used a worse exchange rate than the one on your page",
    "refused the top-up although there is enough on the account",
    "swallowed the card, and nobody answers on the telephone",
    "asks for a document that I have sent three times already",
    "charged a fee that I cannot find in your list of prices",
)
# Which class a request of each kind has; None for those that fit none.
_CLASS_OF = ("card arrival", "wrong amount", "exchange rate", "top up failed", "lost card", None, None)
_GROUPS = {5: "documents sent", 6: "fee, price list"}
_ASIDE = ("", "To be short: ", "Once more: ", "Good morning. ", "A question: ")
_THEN = (
    "What shall I do?",
    "I need it before Friday.",
    "Please take it back.",
    "Is this normal?",
    "I have waited for an hour.",
    "It worked last month.",
)


_TASKS = 800
# Label Studio's settings as `connect` leaves them.
_SETTINGS = read_queue_settings({"sampling": "Uncertainty sampling", "show_collab_predictions": True})
_FLAG_OF = {"unsure": "review", "harmful": "harmful", "redundant": "redundant"}


def write_requests(count):
    """`count` different requests, as people would write them; `_kind` tells their kind."""
    return [_request(number) for number in range(count)]


def _request(number):
    kind, rest = _kind(number), number // len(_DID)
    who, rest = _WHO[rest % len(_WHO)], rest // len(_WHO)
    then, rest = _THEN[rest % len(_THEN)], rest // len(_THEN)
    return f"{_ASIDE[rest % len(_ASIDE)]}{who} {_DID[kind]}. {then}"


def _kind(number):
    return number % len(_DID)


def add_scene(context, name):
    """Writes a scene; returns the address of its page."""
    SCENES[name](context)
    return f"/projects/{_NUMBERS[name]}"


def _empty(context):
    _project(context, "empty", answered=0, loops=1, build=lambda _counts: Signals(accuracy=_unmeasured(0)))


def _early(counts):
    waits = Wait(
        of="forecast",
        known="10 answers are learned from.",
        lacks="The learning curve needs blind answers: none is there yet.",
        blind=30,
        answers=200,
    )
    return Signals(accuracy=_unmeasured(10), waits=[waits], per_class=_class_rows(counts, blind=0))


def _ten(context):
    _project(context, "ten", answered=10, loops=2, build=_early)


def _fifty(context):
    def build(counts):
        found = exact_share(6, 8)
        return Signals(
            accuracy=Accuracy(
                words="",
                estimate=found.value,
                low=found.low,
                high=found.high,
                n=8,
                needed=30,
                method="exact",
                blind=8,
                aim=0.08,
                more_blind=90,
                more_answers=600,
                rough=0.62,
                rough_n=50,
            ),
            rest=_rest(0.71, 0.34, 0.94, blind=8, left=750),
            per_class=_class_rows(counts, blind=8),
            acceptance=[AcceptanceRow(version="nl-000006", accepted=6, shown=9)],
        )

    _project(context, "fifty", answered=50, loops=6, build=build)


def _three_hundred(context):
    def build(counts):
        signals = _measured(counts, answered=300, blind=48, loops=25)
        signals |= {"novelty": None, "synthetic": None, "rest": _rest(0.86, 0.78, 0.91, blind=48, left=500)}
        signals["suspects"] = Suspects(count=7, words="7 of 300 labels disagree with everything around them.")
        return Signals(**signals)

    project = _project(context, "three-hundred", answered=300, loops=25, build=build)
    _flag(context, project, "suspect", range(20, 27))


def _faults(context):
    project = _project(context, "faults", answered=10, loops=2, build=_early)
    _change(context, "faults", queue_settings=_SETTINGS | {"sampling": "Sequential sampling"})
    with context.database.session() as session:
        session.execute(delete(Worker))
        loop = session.scalars(
            select(Loop).where(Loop.project_id == project.id).order_by(Loop.id.desc())
        ).first()
        loop.outcome = "failed"
        loop.error = (
            "Nobody answers at http://localhost:8080. Start Label Studio, or set LABEL_STUDIO_URL to its "
            "address as seen from the machine where Nextlabel runs."
        )


def _decisions(context):
    def build(counts):
        signals = _measured(counts, answered=212, blind=33, loops=18)
        members = sum(len(_members(kind)) for kind in _GROUPS)
        signals["novelty"] = NoveltyFigures(
            words=f"{members + 5} tasks fit no class well, about 9 of them by mistake.",
            flags=members + 5,
            grouped=members,
            expected_false=9.2,
            alpha=0.05,
        )
        signals["synthetic"] = signals["synthetic"].model_copy(
            update={
                "lift": [row.model_copy(update={"n": 30, "audit": 33}) for row in signals["synthetic"].lift]
            }
        )
        return Signals(**signals)

    project = _project(
        context, "decisions", answered=220, loops=18, build=build, groups=len(_GROUPS), synthetic=60
    )
    for kind in _GROUPS:
        _flag(context, project, "novel", _members(kind))
    _flag(context, project, "suspect", range(30, 37))
    with context.database.session() as session:
        mine = select(Task).where(Task.project_id == project.id).order_by(Task.task_id)
        tasks = session.scalars(mine).all()
        for task in tasks[:3]:
            task.outcome, task.label = "in dispute", None
        for task in tasks[3:8]:
            task.outcome, task.label = "skipped", None
            task.answers = [task.answers[0] | {"label": None, "why_not": "skipped"}]
        groups = session.scalars(select(NovelGroup).where(NovelGroup.project_id == project.id))
        for group, kind in zip(groups, _GROUPS, strict=True):
            group.name, group.members = _GROUPS[kind], _members(kind)
            group.typical = group.members[:3]
        verdicts = session.execute(
            select(Verdict.task_id, Verdict.verdict).where(Verdict.project_id == project.id)
        ).all()
    for task_id, verdict in verdicts:
        if verdict in _FLAG_OF:
            _flag(context, project, _FLAG_OF[verdict], [task_id])


def _members(kind):
    """Tasks of a kind that no class holds, of those that nobody answered."""
    found = [number + 1 for number in range(320, 700) if _kind(number) == kind]
    return found[: 20 if kind == 5 else 14]


SCENES = {
    "empty": _empty,
    "ten": _ten,
    "fifty": _fifty,
    "three-hundred": _three_hundred,
    "faults": _faults,
    "decisions": _decisions,
}
_NUMBERS = {name: 11 + place for place, name in enumerate(SCENES)}
_TITLES = {
    "empty": "No answers yet",
    "ten": "Ten answers",
    "fifty": "Fifty answers",
    "three-hundred": "Three hundred answers",
    "faults": "Faults",
    "decisions": "Decisions",
}


def _project(context, name, *, answered, loops, build, groups=0, synthetic=0):
    """A project whose rows agree; `build` makes the signals of its last loop from its answers by class."""
    project = add_rich_project(
        context,
        texts=write_requests(_TASKS),
        label_studio_id=_NUMBERS[name],
        title=_TITLES[name],
        answered=answered,
        loops=loops,
        signals=Signals().to_json(),
        groups=groups,
        synthetic=synthetic,
    )
    _end_well(context, project)
    _sort_tasks(context, project)
    with context.database.session() as session:
        labels = session.scalars(
            select(Task.label).where(Task.project_id == project.id, Task.label.is_not(None))
        )
        counts = Counter(labels.all())
        mine = select(Loop).where(Loop.project_id == project.id, Loop.outcome == "published")
        *earlier, newest = session.scalars(mine.order_by(Loop.id)).all()
        for loop in earlier:
            loop.figures = loop.figures | {"signals": {"accuracy": _early_accuracy(loop).to_json()}}
        newest.figures = newest.figures | {"signals": build(counts).to_json()}
    _change(context, name, queue_settings=_SETTINGS, last_webhook_at=time.time() - 195)
    return project


def _end_well(context, project):
    """The failure and the decision that every rich project has in its history are left out."""
    with context.database.session() as session:
        session.execute(delete(Loop).where(Loop.project_id == project.id, Loop.outcome == "failed"))
        session.execute(delete(Decision).where(Decision.project_id == project.id))


def _sort_tasks(context, project):
    """Labels, guesses and places on the map that follow the texts; no flags."""
    rng = random.Random(1)
    with context.database.session() as session:
        for task in session.scalars(select(Task).where(Task.project_id == project.id)):
            task.shown, task.flag = {}, ""
            if task.label is not None:
                task.label = _CLASS_OF[_kind(task.task_id - 1)] or rng.choice(LABELS)
                task.answers = [task.answers[0] | {"label": task.label}]
        for point in session.scalars(select(MapPoint).where(MapPoint.project_id == project.id)):
            kind = _kind(point.task_id - 1)
            is_sure = _CLASS_OF[kind] is not None and rng.random() < 0.85
            point.predicted = _CLASS_OF[kind] if is_sure else rng.choice(LABELS)
            point.confidence = rng.uniform(0.6, 0.99) if is_sure else rng.uniform(0.25, 0.6)
            angle = 2 * math.pi * kind / len(_DID)
            point.x = 3 * math.cos(angle) + rng.gauss(0, 0.8)
            point.y = 3 * math.sin(angle) + rng.gauss(0, 0.8)


def _flag(context, project, flag, task_ids):
    with context.database.session() as session:
        wanted = select(Task).where(Task.project_id == project.id, Task.task_id.in_(list(task_ids)))
        for task in session.scalars(wanted):
            task.shown, task.flag = {"nextlabel_flag": flag}, flag


def _change(context, name, **values):
    with context.database.session() as session:
        session.execute(update(Project).where(Project.label_studio_id == _NUMBERS[name]).values(**values))


def _early_accuracy(loop):
    """What an earlier loop measured, as its metrics have it."""
    blind = int(loop.figures["metrics"]["audit_labels"])
    if not blind:
        return _unmeasured(0)
    found = exact_share(round(blind * loop.figures["metrics"]["audit_accuracy"]), blind)
    fields = {"estimate": found.value, "low": found.low, "high": found.high, "method": "exact"}
    return Accuracy(words="", n=blind, needed=30, blind=blind, **fields)


def _unmeasured(answers):
    rough = 0.4 if answers else None
    return Accuracy(
        words="", n=0, needed=30, method=None, blind=0, aim=0.08, rough=rough, rough_n=answers or None
    )


def _measured(counts, *, answered, blind, loops):
    """All that a loop measures after so many answers, as fields of Signals."""
    found = Signals.read(write_signals())
    right = round(0.83 * blind)
    whole = share(right, blind)
    bins = [row.model_copy(update={"n": blind // 6}) for row in found.calibration.bins]
    advantage = found.advantage.model_copy(
        update={
            "labels": answered,
            "words": found.advantage.words.replace("400", str(answered)),
        }
    )
    return dict(found) | {
        "accuracy": Accuracy(
            words="",
            estimate=whole.value,
            low=whole.low,
            high=whole.high,
            n=blind,
            needed=30,
            method="assisted",
            blind=blind,
            aim=0.08,
            more_blind=30,
            more_answers=200,
        ),
        "per_class": _class_rows(counts, blind=blind),
        "curve": [row for row in found.curve if row.labels <= answered],
        "random_curve": [row for row in found.random_curve if row.labels <= answered],
        "advantage": advantage,
        "calibration": Calibration(ece=found.calibration.ece, n=6 * (blind // 6), bins=bins),
        "acceptance": [
            AcceptanceRow(version=f"nl-{loops:06}", accepted=9, shown=10),
            AcceptanceRow(version=f"nl-{loops - 1:06}", accepted=8, shown=10),
        ],
        "agreement": [
            AgreementRow(annotator=1, labels=answered - answered // 3, kappa=None, n=3),
            AgreementRow(annotator=2, labels=answered // 3, kappa=None, n=3),
        ],
        "suspects": Suspects(count=7, words=f"7 of {answered} labels disagree with everything around them."),
    }


def _rest(estimate, low, high, *, blind, left):
    whole = Range(value=estimate, low=low, high=high)
    wrong = round(left * (1 - estimate))
    return RestAccuracy(
        words="", open=left, blind=blind, estimate=estimate, low=low, high=high, wrong=wrong, whole=whole
    )


def _class_rows(counts, *, blind):
    """A row a class, by its answers: the blind ones are shared out evenly, and the last classes miss some."""
    missed = blind - round(0.83 * blind)
    rows = []
    for place, label in enumerate(LABELS):
        audit = blind // len(LABELS) + (place < blind % len(LABELS))
        lost = missed // len(LABELS) + (place >= len(LABELS) - missed % len(LABELS))
        right = max(audit - lost, 0)
        found = share(right, audit) if audit >= 8 else None
        rows.append(
            ClassRow(
                label=label,
                labels=counts[label],
                audit=audit,
                right=right,
                more=None if found else 8 - audit,
                recall=found.value if found else None,
                low=found.low if found else None,
                high=found.high if found else None,
                predicted_share=1 / len(LABELS),
            )
        )
    return rows


def main():
    """Takes a picture of every scene."""
    import os
    import shutil
    from functools import partial

    from playwright.sync_api import sync_playwright

    from backend.app import create_app
    from backend.parts import build_context
    from backend.settings import Settings
    from model.encoders.hashing import HashingEncoder
    from tests.http_server import serving

    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    wanted = sys.argv[2:] or list(SCENES)
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        for name in wanted:
            settings = Settings(_env_file=None, data_dir=Path(data) / name)
            context = build_context(settings, load_encoder=partial(HashingEncoder, 64))
            path = add_scene(context, name)
            with serving(create_app(context)) as url:
                for (kind, width), scheme in itertools.product(WIDTHS.items(), SCHEMES):
                    page = browser.new_page(
                        base_url=url,
                        viewport={"width": width, "height": 900},
                        color_scheme=scheme,
                        has_touch=kind == "phone",
                        is_mobile=kind == "phone",
                    )
                    page.on("console", lambda message: print(message.text))
                    page.on("pageerror", lambda error: print(error))
                    page.goto(path)
                    page.wait_for_selector(".map-legend button", timeout=5000)
                    height = page.evaluate("document.documentElement.scrollHeight")
                    print(f"{name} {kind} {scheme}: {height} pixels high")
                    page.screenshot(path=folder / f"{name}-{kind}-{scheme}.png", full_page=True)
                    page.close()
        browser.close()


if __name__ == "__main__":
    main()
