"""Prometheus metrics, read from the database when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge

from backend.context import Context
from backend.json_types import Json
from backend.workflows.project.figures import Figures, HeadMetrics, Signals
from backend.workflows.project.workers import living_workers
from backend.workflows.views.status import all_statuses
from backend.workflows.views.wording import ADVICE

# Values of a metric: the labels beside `project`, and the number (None: not known, so not there).
Values = Iterable[tuple[tuple[str, ...], float | None]]
# Reads a metric from a project's status and what its last loop measured.
Read = Callable[[Json, Signals], Values]

_BOUNDS = ("estimate", "low", "high")


def refresh_metrics(context: Context) -> CollectorRegistry:
    """A registry with the numbers of this moment; the same in every web process.

    Accuracies, gains, shares and coverages are fractions: 0.012 is 1.2 points.
    """
    registry = CollectorRegistry()
    Gauge("nextlabel_workers", "Workers alive.", registry=registry).set(len(living_workers(context)))
    survived = "Failures that background threads of the workers went on after."
    Gauge("nextlabel_worker_failures", survived, registry=registry).set(context.workers.count_failures())
    gauges = {
        name: Gauge(f"nextlabel_{name}", meaning, ["project", *labels], registry=registry)
        for name, (meaning, labels, _read) in _METRICS.items()
    }
    loops = Gauge(
        "nextlabel_loops", "Loops in the history, by outcome.", ["project", "outcome"], registry=registry
    )
    for status in all_statuses(context):
        project = str(status["project"])
        signals = Signals.read(status["signals"])
        for name, (_meaning, _labels, read) in _METRICS.items():
            for labels, value in read(status, signals):
                if value is not None:
                    gauges[name].labels(project, *labels).set(value)
    for label_studio_id, outcome, count in context.projects.count_loops():
        loops.labels(str(label_studio_id), outcome).set(count)
    return registry


def _one(read: Callable[[Json], float | None]) -> Read:
    """A metric with a single number a project."""
    return lambda status, _signals: [((), read(status))]


def _signal(*path: str) -> Read:
    """A number somewhere in the signals."""
    return lambda _status, signals: [((), signals.find(*path))]


def _bounds(section: str, *, estimate: str = "estimate") -> Read:
    """The estimate of a section of the signals and its interval."""
    fields = {bound: estimate if bound == "estimate" else bound for bound in _BOUNDS}
    return lambda _status, signals: [
        ((bound,), signals.find(section, field)) for bound, field in fields.items()
    ]


def _advice(_status: Json, signals: Signals) -> Values:
    given = signals.advice
    return [((kind,), float(kind == given.advice)) for kind in ADVICE] if given else []


def _advice_signals(_status: Json, signals: Signals) -> Values:
    return [((row.name,), row.value) for row in signals.advice.signals] if signals.advice else []


def _verdicts(status: Json, _signals: Signals) -> Values:
    return [((verdict,), count) for verdict, count in status["verdicts"].items()]


def _outcomes(status: Json, _signals: Signals) -> Values:
    account = status["account"]
    return [(("label",), account["learned"])] + [((why,), n) for why, n in account["reasons"].items()]


def _disturbances(status: Json, _signals: Signals) -> Values:
    return [((row["setting"],), 1.0) for row in status["order"]["disturbances"]]


def _lift(_status: Json, signals: Signals) -> Values:
    rows = signals.synthetic.lift if signals.synthetic else []
    return [
        ((row.generator, bound), value)
        for row in rows
        for bound, value in zip(_BOUNDS, (row.mean, row.low, row.high), strict=True)
    ]


def _recall(_status: Json, signals: Signals) -> Values:
    return [((row.label,), row.recall) for row in signals.per_class]


def _acceptance(_status: Json, signals: Signals) -> Values:
    return [((row.version,), row.accepted / row.shown) for row in signals.acceptance if row.shown]


def _agreement(_status: Json, signals: Signals) -> Values:
    return [((str(row.annotator),), row.kappa) for row in signals.agreement]


def _stages(status: Json, _signals: Signals) -> Values:
    loop = status["last_loop"]
    figures = Figures.read(loop["figures"]) if loop else Figures()
    return [((stage,), value) for stage, value in figures.seconds.items()]


def _pool(status: Json) -> float | None:
    """None where the last loop ended before it knew."""
    loop = status["last_loop"]
    return (
        Figures.read(loop["figures"]).pool if loop and loop["outcome"] not in ("failed", "running") else None
    )


def _timestamp(moment: str | None) -> float | None:
    return None if moment is None else datetime.fromisoformat(moment).timestamp()


def _last_loop_began(status: Json) -> float | None:
    return _timestamp(status["last_loop"]["started_at"]) if status["last_loop"] else None


_METRICS: dict[str, tuple[str, list[str], Read]] = {
    "tasks": ("Tasks of the project.", [], _one(lambda status: status["tasks"])),
    "labelled_tasks": (
        "Tasks with a label the model learns from.",
        [],
        _one(lambda status: status["labelled"]),
    ),
    "answered_tasks": ("Answered tasks by what came of them.", ["outcome"], _outcomes),
    "order_disturbed": (
        "1 for each setting of Label Studio that stands in the way of the order.",
        ["setting"],
        _disturbances,
    ),
    "window_left": (
        "Tasks of the published window that still wait.",
        [],
        _one(lambda status: status["window"]["left"]),
    ),
    "pool_tasks": ("Tasks that the last loop could put into the queue.", [], _one(_pool)),
    "pending_hints": ("Hints no loop has answered yet.", [], _one(lambda status: status["pending_hints"])),
    "version_damaged": (
        "1 while the files of the version in use cannot be read.",
        [],
        _one(lambda status: float(status["damage"] is not None)),
    ),
    "damaged_columns": (
        "Columns of the project's row that hold what cannot be read.",
        [],
        _one(lambda status: len(status["damaged_columns"])),
    ),
    "settings_passed_over": (
        "Settings of the project's own that this release does not know.",
        [],
        _one(lambda status: len(status["settings_passed_over"])),
    ),
    "parked": (
        "1 while the worker leaves the project alone for a while, since its loops keep failing.",
        [],
        _one(lambda status: float(status["parked"] is not None)),
    ),
    "loop_running": ("1 while a loop runs.", [], _one(lambda status: float(status["running"]))),
    "last_loop_timestamp_seconds": ("When the last loop began.", [], _one(_last_loop_began)),
    "last_webhook_timestamp_seconds": (
        "When Label Studio last called.",
        [],
        _one(lambda status: _timestamp(status["last_webhook"])),
    ),
    "loop_seconds": ("How long each stage of the last loop took.", ["stage"], _stages),
    "audit_accuracy": (
        "Accuracy on audit labels, out of fold.",
        [],
        _one(lambda status: HeadMetrics.read(status["metrics"]).audit_accuracy),
    ),
    "audit_labels": ("Audit labels that accuracy rests on.", [], _signal("accuracy", "n")),
    "accuracy": ("Accuracy of the project and its 95 % interval.", ["bound"], _bounds("accuracy")),
    "macro_f1": ("Mean F1 of the classes.", [], _signal("macro_f1")),
    "class_recall": ("Share of a class's audit labels that is recognised.", ["class"], _recall),
    "advantage": (
        "Accuracy gained over labels at random.",
        ["bound"],
        _bounds("advantage", estimate="value"),
    ),
    "forecast_gain": (
        "Accuracy that the next hundred labels buy.",
        ["bound"],
        _bounds("forecast", estimate="gain"),
    ),
    "advice": ("1 for the advice given, 0 for the others.", ["advice"], _advice),
    "advice_signal": ("What the advice rests on.", ["signal"], _advice_signals),
    "calibration_error": ("Expected calibration error.", [], _signal("calibration", "ece")),
    "trusted_threshold": (
        "Confidence above which pre-annotations are trusted.",
        [],
        _signal("trusted", "threshold"),
    ),
    "trusted_coverage": ("Share of the pool above that threshold.", [], _signal("trusted", "coverage")),
    "suspect_labels": ("Labels that look wrong.", [], _signal("suspects", "count")),
    "acceptance": ("Share of shown pre-annotations accepted unchanged.", ["version"], _acceptance),
    "agreement": ("Cohen's kappa of an annotator with the others.", ["annotator"], _agreement),
    "novel_flags": ("Tasks flagged as novel.", [], _signal("novelty", "flags")),
    "novel_flags_expected_false": (
        "Flags expected to be false.",
        [],
        _signal("novelty", "expected_false"),
    ),
    "novel_groups": (
        "Groups of novel tasks that wait for a decision.",
        [],
        _one(lambda status: len(status["groups"])),
    ),
    "synthetic_tasks": ("Synthetic tasks by verdict.", ["verdict"], _verdicts),
    "synthetic_lift": ("Accuracy that a generator's tasks add.", ["generator", "bound"], _lift),
    "synthetic_c2st": (
        "Accuracy of a classifier that tells real from synthetic.",
        [],
        _signal("synthetic", "realism", "c2st"),
    ),
}
