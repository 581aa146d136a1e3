"""Rows as the loops leave them, for tests and benchmarks: signals, groups, verdicts, a map, a history."""

import random
import time
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert

from backend.database import (
    Decision,
    Loop,
    MapPoint,
    NovelGroup,
    Project,
    Task,
    Verdict,
    WindowTask,
    Worker,
)
from backend.workflows.project.figures import (
    AcceptanceRow,
    Accuracy,
    Advantage,
    AdviceFigures,
    AdviceSignal,
    AgreementRow,
    Bin,
    Calibration,
    ClassRealism,
    ClassRow,
    CurvePoint,
    Figures,
    GainForecast,
    GapRow,
    HeadMetrics,
    LiftRow,
    NoveltyFigures,
    Range,
    Realism,
    Signals,
    Suspects,
    SyntheticFigures,
    TrustedSuggestions,
)
from model.encoders.hashing import HashingEncoder
from model.heads.cold_start import cold_start
from model.records import LabelSpace
from model.registry import Manifest

LABELS = ("card arrival", "exchange rate", "lost card", "top up failed", "wrong amount")
VERDICTS = ("helpful", "redundant", "harmful", "unsure")
STAGES = {"sync": 0.41, "embed": 0.12, "snapshot": 0.25, "learn": 1.38, "save": 0.02, "publish": 1.2}


def write_signals(labels=LABELS, **changes):
    """Everything that a loop can measure, as it is stored; `changes` replace parts, and must be such, too."""
    found = Signals(**_accuracy(labels), **_answers(), **_people(), **_findings(labels))
    return Signals.model_validate(found.to_json() | changes).to_json()


def add_rich_project(
    context,
    *,
    texts,
    labels=LABELS,
    label_studio_id=7,
    loops=5,
    groups=3,
    synthetic=40,
    seed=0,
    signals=None,
    answered=None,
    title="Support requests",
):
    """A project with everything that the page can show; returns its row. `answered`: how many tasks have a
    label, three in ten by default. The files of the last three versions are there.
    """
    rng = random.Random(seed)
    with context.database.session() as session:
        project = Project(
            label_studio_id=label_studio_id,
            created_stamp=1_700_000_000,
            title=title,
            active_version=_version(loops - 1),
            last_webhook_at=time.time() - 12,
            tabs={"novel": 3, "review": 4, "harmful": 5, "redundant": 6, "ready": 7, "suspect": 8},
        )
        session.add(project)
        session.flush()
        _add_tasks(session, project, texts, labels, rng, synthetic=synthetic, answered=answered)
        _add_findings(session, project, len(texts), labels, rng, groups=groups, synthetic=synthetic)
        each = 80 if answered is None else answered / loops
        _add_history(session, project, loops, signals or write_signals(labels), each=each)
        session.merge(Worker(name="a-machine/1", seen_at=time.time()))
    for number in range(max(loops - 3, 0), loops):
        _save(context.registry, project.key, _version(number))
    return project


def _accuracy(labels):
    """How good the model is, in all and by class, and how it came there."""
    return {
        "accuracy": Accuracy(
            words="83.4 % (77.1 to 88.2), measured on 142 audit labels",
            estimate=0.834,
            low=0.771,
            high=0.882,
            plain=Range(value=0.831, low=0.761, high=0.884),
            worth=1.2,
            n=142,
            needed=30,
        ),
        "macro_f1": 0.79,
        "per_class": [
            ClassRow(
                label=label,
                labels=40 + 9 * place,
                audit=8 + 3 * place,
                recall=max(0.95 - 0.08 * place, 0.3),
                low=max(0.95 - 0.08 * place, 0.3) - 0.2,
                high=min(max(0.95 - 0.08 * place, 0.3) + 0.12, 1.0),
                predicted_share=1 / len(labels),
            )
            for place, label in enumerate(labels)
        ],
        "curve": _curve(0.55, 0.84),
        "random_curve": _curve(0.5, 0.8),
    }


def _answers():
    """What labels buy, and the advice."""
    return {
        "advantage": Advantage(
            words="This order is better than a random one: +3.6 points (+0.8 to +6.2) at 400 answers.",
            labels=400,
            value=0.036,
            low=0.008,
            high=0.062,
            shown=True,
            random_now=Range(value=0.798, low=0.742, high=0.849),
        ),
        "forecast": GainForecast(
            words="The next 100 labels: +1.2 points (0.3 to 2.0)",
            labels=100,
            gain=0.012,
            low=0.003,
            high=0.02,
        ),
        "advice": AdviceFigures(
            words="Each hundred labels still buys more than it costs.",
            advice="keep-labeling",
            would_change="A forecast below 0.5 points for the next hundred labels.",
            signals=[
                _reason("stable predictions", 0.981, 0.99, False, "predictions hardly change any more"),
                _reason("gain below the price", 0.012, 0.005, False, "points for the next hundred labels"),
                _reason("little left unexplained", None, 0.02, None, "not enough audit labels to tell"),
                _reason("no new class", 0.0, 1.0, True, "none in the last labels"),
            ],
        ),
    }


def _reason(name, value, bar, reached, words):
    return AdviceSignal(name=name, value=value, bar=bar, reached=reached, words=words)


def _people():
    """What to trust, and whom."""
    return {
        "trusted": TrustedSuggestions(
            words="Pre-annotations from a confidence of 93 % on are right in at least 95 % of cases.",
            threshold=0.93,
            coverage=0.41,
            precision=0.95,
        ),
        "calibration": Calibration(
            ece=0.031,
            n=195,
            bins=[
                Bin(
                    confidence=0.35 + 0.12 * place,
                    accuracy=0.31 + 0.125 * place,
                    low=0.26 + 0.125 * place,
                    high=min(0.36 + 0.125 * place, 1.0),
                    n=20 + 5 * place,
                )
                for place in range(6)
            ],
        ),
        "suspects": Suspects(count=7, words="7 of 412 labels disagree with everything around them."),
        "acceptance": [
            AcceptanceRow(version="nl-000004", accepted=61, shown=80),
            AcceptanceRow(version="nl-000003", accepted=0, shown=0),
        ],
        "agreement": [
            AgreementRow(annotator=1, labels=300, kappa=0.87, n=40),
            AgreementRow(annotator=2, labels=112, kappa=None, n=3),
        ],
    }


def _findings(labels):
    """Novel groups and synthetic tasks."""
    return {
        "novelty": NoveltyFigures(
            words="41 tasks fit no class well, about 9 of them by mistake.",
            flags=41,
            expected_false=9.2,
            alpha=0.05,
            scores={"nearest-neighbour": 1.0},
            calibration=142,
            source="audit",
        ),
        "synthetic": _synthetic(labels),
    }


def _synthetic(labels):
    """Verdicts on synthetic tasks, and what to make next."""
    return SyntheticFigures(
        words="With all synthetic tasks: +1.2 points (+0.1 to +2.4).",
        counts={"helpful": 96, "redundant": 72, "harmful": 24, "unsure": 48},
        lift=[
            LiftRow(
                generator="paraphrase",
                words="+1.9 points (+0.4 to +3.3)",
                mean=0.019,
                low=0.004,
                high=0.033,
                n=150,
                audit=142,
            ),
            LiftRow(
                generator="template",
                words="no effect shown (−0.9 to +1.1)",
                mean=0.001,
                low=-0.009,
                high=0.011,
                n=90,
                audit=142,
            ),
        ],
        gaps=[
            GapRow(
                label=labels[0],
                count=40,
                score=0.12,
                reason="most of its errors are short texts",
                examples=[1, 2, 3],
            ),
            GapRow(label=labels[1], count=25, score=0.07, reason="few labels", examples=[4]),
        ],
        stop=["the last 90 from template changed nothing: +0.1 points, -0.9 to +1.1"],
        realism=Realism(
            words="A classifier tells real from synthetic in 71 of 100 cases.",
            p_value=0.004,
            c2st=0.71,
            classes=[ClassRealism(label=label, density=0.8, coverage=0.66) for label in labels],
        ),
    )


def _curve(first, last):
    steps = 8
    return [
        CurvePoint(
            labels=50 * (place + 1),
            accuracy=(accuracy := last - (last - first) / (place + 1)),
            low=accuracy - 0.09 + 0.006 * place,
            high=accuracy + 0.07 - 0.005 * place,
        )
        for place in range(steps)
    ]


def _version(number):
    return f"nl-{number + 1:06}"


def _save(registry, key, version):
    """Files of a version: of a head that has seen no label, which no page shows."""
    space = LabelSpace(("yes", "no"))
    trained = cold_start(HashingEncoder(16).encode(list(space.names)), space)
    manifest = Manifest(
        version=version,
        kind="label-names",
        classes=space.names,
        encoder="hashing-16@v1",
        seed=7,
        data_fingerprint="abc",
        audit_threshold=0.15,
        metrics={},
        strategy="balanced-herding",
        created_at="2026-01-01T00:00:00Z",
        code_version="0.1.0",
    )
    registry.save(key, version, trained.head, manifest)


def _add_tasks(session, project, texts, labels, rng, *, synthetic, answered):
    flags = ("novel", "suspect", "ready")
    rows = []
    for task_id, text in enumerate(texts, start=1):
        is_synthetic = task_id > len(texts) - synthetic
        wanted = rng.random() < 0.3 if answered is None else task_id <= answered
        label = rng.choice(labels) if wanted and not is_synthetic else None
        flag = rng.choice(flags) if rng.random() < 0.1 else None
        answers = [_answer(task_id, label)] if label else []
        rows.append(
            {
                "project_id": project.id,
                "task_id": task_id,
                "content": text,
                "content_hash": f"{task_id:064}",
                "label": label,
                "annotations": int(label is not None),
                "is_labeled": label is not None,
                "is_skipped": False,
                "is_synthetic": is_synthetic,
                "outcome": "label" if label else "",
                "answers": answers,
                "answered_at": answers[0]["at"] if answers else None,
                "shown": {"nextlabel_flag": flag} if flag else {},
                "flag": flag or "",
            }
        )
    session.execute(insert(Task), rows)
    session.add_all(
        WindowTask(
            project_id=project.id,
            version=project.active_version,
            task_id=(answered or 0) + i + 1,
            position=i,
            lane="active",
        )
        for i in range(min(100, len(texts) - (answered or 0)))
    )


def _answer(task_id, label):
    """One in three of a second person; the first task was answered last, and one a quarter of a minute.

    The last loop, two minutes ago, has seen all of them.
    """
    at = datetime.now(UTC) - timedelta(seconds=180 + 15 * task_id)
    return {
        "by": 1 + (task_id % 3 == 0),
        "at": at.isoformat().replace("+00:00", "Z"),
        "label": label,
        "accepted": None,
        "why_not": None,
    }


def _add_findings(session, project, count, labels, rng, *, groups, synthetic):
    for number in range(1, groups + 1):
        members = rng.sample(range(1, count + 1), min(12, count))
        session.add(
            NovelGroup(
                project_id=project.id,
                number=number,
                name=f"group about {number}",
                members=members,
                typical=members[:3],
                figures={"rank": number, "cohesion": 0.9 - 0.1 * number},
                version=project.active_version,
            )
        )
    session.add_all(
        Verdict(
            project_id=project.id,
            task_id=count - place,
            verdict=VERDICTS[place % len(VERDICTS)],
            value=0.0,
            low=-0.1,
            high=0.1,
            realism=0.5,
            reason="",
        )
        for place in range(synthetic)
    )
    session.execute(
        insert(MapPoint),
        [
            {
                "project_id": project.id,
                "task_id": task_id,
                "x": rng.gauss(0, 1),
                "y": rng.gauss(0, 1),
                "predicted": rng.choice(labels),
                "confidence": rng.random(),
            }
            for task_id in rng.sample(range(1, count + 1), min(1000, count))
        ],
    )


def _add_history(session, project, loops, signals, *, each):
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = [_published(project, number, now, loops, each) for number in range(loops)]
    rows[-1].figures = rows[-1].figures | {"signals": Signals.read(signals).to_json()}
    session.add_all(rows)
    session.add(
        Loop(
            project_id=project.id,
            reason="hints",
            started_at=now - timedelta(minutes=31),
            finished_at=now - timedelta(minutes=31),
            outcome="failed",
            error="Nobody answers at http://localhost:8080.",
            figures={},
        )
    )
    session.add(
        Loop(
            project_id=project.id,
            reason="timer",
            started_at=now - timedelta(minutes=2, seconds=1),
            finished_at=now - timedelta(minutes=2),
            outcome="unchanged",
            version=project.active_version,
            figures=Figures(labels=round(each * loops), seconds={"sync": 0.2}).to_json(),
        )
    )
    session.add(
        Decision(
            project_id=project.id,
            decided_at=now - timedelta(hours=3),
            decided_by="somebody",
            kind="group-added",
            details={"group": 9, "label": "refund", "members": 12},
        )
    )


def _published(project, number, now, loops, each):
    begun = now - timedelta(minutes=20 * (loops - number))
    accuracy = 0.83 - 0.15 / (number + 1)
    labels = round(each * (number + 1))
    audit = labels // 7
    reach = 1.96 * (accuracy * (1 - accuracy) / max(audit, 1)) ** 0.5
    return Loop(
        project_id=project.id,
        reason="hints",
        started_at=begun,
        finished_at=begun + timedelta(seconds=sum(STAGES.values())),
        outcome="published",
        version=_version(number),
        figures=Figures(
            labels=labels,
            pool=4000,
            strategy="balanced-herding",
            metrics=HeadMetrics(
                labels=float(labels),
                audit_labels=float(audit),
                audit_accuracy=accuracy,
                audit_low=max(accuracy - reach, 0.0),
                audit_high=min(accuracy + reach, 1.0),
            ),
            window=100,
            seconds=STAGES,
        ).to_json(),
    )
