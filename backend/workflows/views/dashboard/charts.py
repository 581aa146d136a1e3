"""Learning curve, calibration and classes: what is drawn, and why it is not drawn yet."""

from __future__ import annotations

from backend.json_types import Json
from backend.workflows.project.figures import Calibration, ClassRow, CurvePoint, Signals
from backend.workflows.views.wording import counted, percent, share_with_interval


def learning_curve(signals: Signals) -> Json:
    """Accuracy by labels, ours and a random order's."""
    ours, random = _curve(signals.curve), _curve(signals.random_curve)
    return {"ours": ours, "random": random, "is_empty": len(ours) < 2}


def calibration(signals: Signals) -> Json:
    """How often the model is right when it is so sure, and the mean distance between the two (`ece`)."""
    found = signals.calibration or Calibration()
    ece = found.ece
    words = "" if ece is None else f"Confidence and truth differ by {100 * ece:.1f} points on average."
    bins = [row.to_json() for row in found.bins]
    return {"bins": bins, "ece": ece, "words": words, "is_empty": not bins}


def class_table(signals: Signals) -> list[Json]:
    """A row a class, the weakest first; classes without audit labels last."""
    return [_class_row(row) for row in sorted(signals.per_class, key=_weakest_first)]


def unanswered_labels(signals: Signals) -> list[str]:
    """The labels of which no task had an answer when the classes were looked at."""
    return [row.label for row in signals.per_class if not row.labels]


def _weakest_first(row: ClassRow) -> tuple[bool, float, int]:
    share = row.recall
    if share is None and row.audit and row.right is not None:
        share = row.right / row.audit
    return share is None, share or 0.0, row.labels


def _curve(points: list[CurvePoint]) -> list[Json]:
    return [point.to_json() for point in sorted(points, key=lambda point: point.labels)]


def _recall_words(row: ClassRow) -> str:
    if not row.audit:
        return "no blind answer yet"
    if row.right is not None and (row.more or row.recall is None):
        return f"{row.right:,} of {row.audit:,} found"
    if row.recall is None:
        return f"{counted(row.audit, 'blind answer')}, too few"
    return share_with_interval(row.recall, row.low, row.high)


def _class_row(row: ClassRow) -> Json:
    recall, share = row.recall, row.predicted_share
    return {
        "label": row.label,
        "labels": row.labels,
        "audit": row.audit,
        "recall": recall,
        "low": row.low,
        "high": row.high,
        "recall_words": _recall_words(row),
        "predicted_words": "–" if share is None else percent(share),
    }
