"""Prometheus metrics, read from the database when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from prometheus_client import CollectorRegistry, Gauge

from backend.context import Context
from backend.json_types import Json
from backend.workflows.project.workers import living_workers
from backend.workflows.views.fields import number, part, rows, text
from backend.workflows.views.status import all_statuses
from backend.workflows.views.wording import ADVICE

# Values of a metric: the labels beside `project`, and the number (None: not known, so not there).
Values = Iterable[tuple[tuple[str, ...], float | None]]

_BOUNDS = ("estimate", "low", "high")


def refresh_metrics(context: Context) -> CollectorRegistry:
    """A registry with the numbers of this moment; the same in every web process.

    Accuracies, gains, shares and coverages are fractions: 0.012 is 1.2 points.
    """
    registry = CollectorRegistry()
    Gauge("nextlabel_workers", "Workers alive.", registry=registry).set(len(living_workers(context)))
    gauges = {
        name: Gauge(f"nextlabel_{name}", meaning, ["project", *labels], registry=registry)
        for name, (meaning, labels, _read) in _METRICS.items()
    }
    loops = Gauge(
        "nextlabel_loops", "Loops in the history, by outcome.", ["project", "outcome"], registry=registry
    )
    for status in all_statuses(context):
        project = str(status["project"])
        for name, (_meaning, _labels, read) in _METRICS.items():
            for labels, value in read(status):
                if value is not None:
                    gauges[name].labels(project, *labels).set(value)
    for label_studio_id, outcome, count in context.projects.count_loops():
        loops.labels(str(label_studio_id), outcome).set(count)
    return registry


def _one(read: Callable[[Json], float | None]) -> Callable[[Json], Values]:
    """A metric with a single number a project."""
    return lambda status: [((), read(status))]


def _signal(name: str, *path: str) -> Callable[[Json], Values]:
    """A number somewhere in the signals."""

    def read(status: Json) -> float | None:
        figures = status["signals"]
        for step in path:
            figures = part(figures, step)
        return number(figures, name)

    return _one(read)


def _bounds(section: str, *, estimate: str = "estimate") -> Callable[[Json], Values]:
    """The estimate of a section of the signals and its interval."""

    def read(status: Json) -> Values:
        found = part(status["signals"], section)
        return [((bound,), number(found, estimate if bound == "estimate" else bound)) for bound in _BOUNDS]

    return read


def _advice(status: Json) -> Values:
    given = text(part(status["signals"], "advice"), "advice")
    return [((kind,), float(kind == given)) for kind in ADVICE] if given else []


def _advice_signals(status: Json) -> Values:
    found = rows(part(status["signals"], "advice"), "signals")
    return [((text(row, "name"),), number(row, "value")) for row in found]


def _verdicts(status: Json) -> Values:
    return [((verdict,), count) for verdict, count in status["verdicts"].items()]


def _lift(status: Json) -> Values:
    found = rows(part(status["signals"], "synthetic"), "lift")
    return [
        ((text(row, "generator"), bound), number(row, "mean" if bound == "estimate" else bound))
        for row in found
        for bound in _BOUNDS
    ]


def _recall(status: Json) -> Values:
    return [((text(row, "label"),), number(row, "recall")) for row in rows(status["signals"], "per_class")]


def _acceptance(status: Json) -> Values:
    found = rows(status["signals"], "acceptance")
    return [
        ((text(row, "version"),), (number(row, "accepted") or 0.0) / shown)
        for row in found
        if (shown := number(row, "shown"))
    ]


def _agreement(status: Json) -> Values:
    found = rows(status["signals"], "agreement")
    return [((str(row.get("annotator", "")),), number(row, "kappa")) for row in found]


def _stages(status: Json) -> Values:
    seconds = part(part(status["last_loop"] or {}, "figures"), "seconds")
    return [((stage,), number(seconds, stage)) for stage in seconds]


def _timestamp(moment: str | None) -> float | None:
    return None if moment is None else datetime.fromisoformat(moment).timestamp()


def _last_loop_began(status: Json) -> float | None:
    return _timestamp(status["last_loop"]["started_at"]) if status["last_loop"] else None


_METRICS: dict[str, tuple[str, list[str], Callable[[Json], Values]]] = {
    "tasks": ("Tasks of the project.", [], _one(lambda status: status["tasks"])),
    "labelled_tasks": (
        "Tasks with a label the model learns from.",
        [],
        _one(lambda status: status["labelled"]),
    ),
    "window_left": (
        "Tasks of the published window that still wait.",
        [],
        _one(lambda status: status["window"]["left"]),
    ),
    "pending_hints": ("Hints no loop has answered yet.", [], _one(lambda status: status["pending_hints"])),
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
        _one(lambda status: number(status["metrics"], "audit_accuracy")),
    ),
    "audit_labels": ("Audit labels that accuracy rests on.", [], _signal("n", "accuracy")),
    "accuracy": ("Accuracy of the project and its 95 % interval.", ["bound"], _bounds("accuracy")),
    "macro_f1": ("Mean F1 of the classes.", [], _signal("macro_f1")),
    "class_recall": ("Share of a class's audit labels that is recognised.", ["class"], _recall),
    "advantage": ("Accuracy gained over labels at random.", ["bound"], _bounds("advantage")),
    "forecast_gain": (
        "Accuracy that the next hundred labels buy.",
        ["bound"],
        _bounds("forecast", estimate="gain"),
    ),
    "advice": ("1 for the advice given, 0 for the others.", ["advice"], _advice),
    "advice_signal": ("What the advice rests on.", ["signal"], _advice_signals),
    "calibration_error": ("Expected calibration error.", [], _signal("ece", "calibration")),
    "trusted_threshold": (
        "Confidence above which pre-annotations are trusted.",
        [],
        _signal("threshold", "trusted"),
    ),
    "trusted_coverage": ("Share of the pool above that threshold.", [], _signal("coverage", "trusted")),
    "suspect_labels": ("Labels that look wrong.", [], _signal("count", "suspects")),
    "acceptance": ("Share of shown pre-annotations accepted unchanged.", ["version"], _acceptance),
    "agreement": ("Cohen's kappa of an annotator with the others.", ["annotator"], _agreement),
    "novel_flags": ("Tasks flagged as novel.", [], _signal("flags", "novelty")),
    "novel_flags_expected_false": (
        "Flags expected to be false.",
        [],
        _signal("expected_false", "novelty"),
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
        _signal("c2st", "synthetic", "realism"),
    ),
}
