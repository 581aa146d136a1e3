"""Projects at moments of their life, as rows of the database: what the page is looked at with.

    .venv/bin/python -m tests.scenes FOLDER

writes a picture of each, light and dark, 1,400 and 390 pixels wide.
"""

import itertools
import sys
import tempfile
from pathlib import Path

from sqlalchemy import delete, select, update

from backend.database import Loop, Project, Task, Worker
from backend.workflows.project.figures import (
    Accuracy,
    ClassRow,
    Range,
    RestAccuracy,
    Signals,
    Wait,
)
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
_THEN = (
    "What shall I do?",
    "I need it before Friday.",
    "Please take it back.",
    "Is this normal?",
    "I have waited for an hour.",
    "It worked last month.",
)


def write_requests(count):
    """`count` different requests, as people would write them."""
    parts = itertools.product(_WHO, _DID, _THEN)
    found = [f"{who} {did}. {then}" for who, did, then in parts]
    return [found[(37 * number) % len(found)] + f" (request {number + 1})" for number in range(count)]


def add_scene(context, name):
    """Writes a scene; returns the address of its page."""
    SCENES[name](context)
    return f"/projects/{_NUMBERS[name]}"


def _empty(context):
    _project(context, "empty", answered=0, loops=1, signals=Signals(accuracy=_unmeasured(0)))


def _ten(context):
    signals = Signals(
        accuracy=_unmeasured(10),
        waits=[
            Wait(
                of="forecast",
                known="10 answers are learned from.",
                lacks="The learning curve needs blind answers: none is there yet.",
                blind=30,
                answers=140,
            )
        ],
        per_class=_class_rows(10),
    )
    _project(context, "ten", answered=10, loops=2, signals=signals)


def _fifty(context):
    signals = Signals(
        accuracy=Accuracy(
            words="Between 41 and 93 %, from 12 blind answers.",
            estimate=0.75,
            low=0.41,
            high=0.93,
            n=12,
            needed=30,
            method="exact",
            blind=12,
            aim=0.08,
            more_blind=90,
            more_answers=420,
            rough=0.62,
            rough_n=50,
        ),
        rest=_rest(0.71, 0.4, 0.91, blind=12),
        per_class=_class_rows(50),
        acceptance=Signals.read(write_signals()).acceptance,
    )
    _project(context, "fifty", answered=50, loops=6, signals=signals)


def _three_hundred(context):
    signals = write_signals(
        accuracy=Accuracy(
            words="83 % (77 to 88 %), from 62 blind answers.",
            estimate=0.834,
            low=0.771,
            high=0.882,
            n=71,
            needed=30,
            method="assisted",
            blind=62,
            aim=0.08,
            more_blind=0,
            more_answers=0,
        ).to_json(),
        rest=_rest(0.86, 0.8, 0.9, blind=62).to_json(),
    )
    signals["synthetic"] = None
    _project(context, "three-hundred", answered=300, loops=25, signals=signals)


def _faults(context):
    _fault_signals = Signals(accuracy=_unmeasured(10), per_class=_class_rows(10))
    _project(context, "faults", answered=10, loops=2, signals=_fault_signals)
    _change(context, "faults", queue_settings={"sampling": "Sequential sampling"})
    with context.database.session() as session:
        session.execute(delete(Worker))
        number = session.scalars(select(Project.id).where(Project.title == "Faults")).one()
        loop = session.scalars(select(Loop).where(Loop.project_id == number).order_by(Loop.id.desc())).first()
        loop.outcome = "failed"
        loop.error = (
            "Nobody answers at http://localhost:8080. Is Label Studio running, and is LABEL_STUDIO_URL its "
            "address as seen from here?"
        )


def _decisions(context):
    project = _project(
        context, "decisions", answered=220, loops=18, signals=write_signals(), groups=4, synthetic=60
    )
    with context.database.session() as session:
        mine = select(Task).where(Task.project_id == project.id).order_by(Task.task_id)
        tasks = session.scalars(mine).all()
        for task in tasks[:3]:
            task.outcome, task.label = "in dispute", None
        for task in tasks[3:8]:
            task.outcome, task.label = "skipped", None
            task.answers = [task.answers[0] | {"label": None, "why_not": "skipped"}]
        for task in tasks[-20:-9]:
            task.shown, task.flag = {"nextlabel_flag": "review"}, "review"


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


def _project(context, name, *, answered, loops, signals, groups=0, synthetic=0):
    stored = signals.to_json() if isinstance(signals, Signals) else signals
    project = add_rich_project(
        context,
        texts=write_requests(800),
        label_studio_id=_NUMBERS[name],
        title=_TITLES[name],
        answered=answered,
        loops=loops,
        signals=stored,
        groups=groups,
        synthetic=synthetic,
    )
    _end_well(context, project)
    if not groups:
        _forget_flags(context, project, keep="suspect" if answered >= 300 else "")
    return project


def _end_well(context, project):
    """The failure that every rich project has in its history is left out."""
    with context.database.session() as session:
        session.execute(delete(Loop).where(Loop.project_id == project.id, Loop.outcome == "failed"))


def _forget_flags(context, project, *, keep):
    with context.database.session() as session:
        for task in session.scalars(select(Task).where(Task.project_id == project.id)):
            if task.shown and task.shown.get("nextlabel_flag") != keep:
                task.shown, task.flag = {}, ""


def _change(context, name, **values):
    with context.database.session() as session:
        session.execute(update(Project).where(Project.label_studio_id == _NUMBERS[name]).values(**values))


def _unmeasured(answers):
    rough = 0.4 if answers else None
    return Accuracy(
        words="", n=0, needed=30, method=None, blind=0, aim=0.08, rough=rough, rough_n=answers or None
    )


def _rest(estimate, low, high, *, blind):
    whole = Range(value=estimate, low=low, high=high)
    wrong = round(500 * (1 - estimate))
    return RestAccuracy(
        words="", open=500, blind=blind, estimate=estimate, low=low, high=high, wrong=wrong, whole=whole
    )


def _class_rows(answers):
    each = answers // len(LABELS)
    return [
        ClassRow(
            label=label,
            labels=each if place else 0,
            audit=place % 3,
            right=place % 2,
            more=5 - place % 3,
            predicted_share=1 / len(LABELS),
        )
        for place, label in enumerate(LABELS)
    ]


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
                        base_url=url, viewport={"width": width, "height": 900}, color_scheme=scheme
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
