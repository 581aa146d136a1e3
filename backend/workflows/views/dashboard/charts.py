"""Learning curve, calibration and classes: what is drawn, and why it is not drawn yet."""

from __future__ import annotations

from backend.json_types import Json
from backend.workflows.views.fields import count, number, part, rows, text
from backend.workflows.views.wording import counted, percent, share_with_interval


def learning_curve(signals: Json) -> Json:
    """Accuracy by labels, ours and a random order's; points without a number are left out."""
    ours, random = _curve(signals, "curve"), _curve(signals, "random_curve")
    return {"ours": ours, "random": random, "is_empty": len(ours) < 2}


def calibration(signals: Json) -> Json:
    """How often the model is right when it is so sure, and the mean distance between the two (`ece`)."""
    found = part(signals, "calibration")
    bins = [
        {
            "confidence": confidence,
            "accuracy": accuracy,
            "low": low if (low := number(row, "low")) is not None else accuracy,
            "high": high if (high := number(row, "high")) is not None else accuracy,
            "n": count(row, "n"),
        }
        for row in rows(found, "bins")
        if (confidence := number(row, "confidence")) is not None
        and (accuracy := number(row, "accuracy")) is not None
    ]
    ece = number(found, "ece")
    words = "" if ece is None else f"Confidence and truth differ by {100 * ece:.1f} points on average."
    return {"bins": bins, "ece": ece, "words": words, "is_empty": not bins}


def class_table(signals: Json) -> list[Json]:
    """A row a class, the weakest first; classes without audit labels last."""
    found = [_class_row(row) for row in rows(signals, "per_class") if text(row, "label")]
    return sorted(found, key=lambda row: (row["recall"] is None, row["recall"] or 0.0, row["labels"]))


def _curve(signals: Json, name: str) -> list[Json]:
    found = [
        {
            "labels": count(row, "labels"),
            "accuracy": accuracy,
            "low": low if (low := number(row, "low")) is not None else accuracy,
            "high": high if (high := number(row, "high")) is not None else accuracy,
        }
        for row in rows(signals, name)
        if (accuracy := number(row, "accuracy")) is not None
    ]
    return sorted(found, key=lambda row: row["labels"])


def _few(labels: int) -> str:
    return f"too few: {counted(labels, 'audit label')}" if labels else "no audit labels yet"


def _class_row(row: Json) -> Json:
    recall, low, high = (number(row, name) for name in ("recall", "low", "high"))
    share = number(row, "predicted_share")
    return {
        "label": text(row, "label"),
        "labels": count(row, "labels"),
        "audit": count(row, "audit"),
        "recall": recall,
        "low": low,
        "high": high,
        "recall_words": _few(count(row, "audit"))
        if recall is None
        else share_with_interval(recall, low, high),
        "predicted_words": "–" if share is None else percent(share),
    }
