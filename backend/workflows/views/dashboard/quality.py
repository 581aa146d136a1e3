"""How labels and pre-annotations fare: suspects, agreement, acceptance, and what may be trusted."""

from __future__ import annotations

from backend.json_types import Json
from backend.workflows.views.fields import count, number, part, rows, text
from backend.workflows.views.wording import percent


def label_quality(signals: Json) -> Json:
    """Suspect labels, agreement between annotators, acceptance by version, trusted pre-annotations."""
    suspects, trusted = part(signals, "suspects"), part(signals, "trusted")
    return {
        "suspects": text(suspects, "words"),
        "suspect_count": number(suspects, "count"),
        "trusted": text(trusted, "words"),
        "agreement": [_agreement(row) for row in rows(signals, "agreement")],
        "acceptance": [_acceptance(row) for row in rows(signals, "acceptance") if text(row, "version")],
    }


def _agreement(row: Json) -> Json:
    kappa = number(row, "kappa")
    return {
        "annotator": str(row.get("annotator", "–")),
        "labels": count(row, "labels"),
        "overlap": count(row, "n"),
        "kappa": "too few tasks in common" if kappa is None else f"{kappa:.2f}",
    }


def _acceptance(row: Json) -> Json:
    accepted, shown = count(row, "accepted"), count(row, "shown")
    share = accepted / shown if shown else None
    return {
        "version": text(row, "version"),
        "accepted": accepted,
        "shown": shown,
        "share": share,
        "words": "none shown" if share is None else f"{percent(share)} ({accepted:,} of {shown:,})",
    }
