"""How labels and pre-annotations fare: suspects, agreement, acceptance, and what may be trusted."""

from __future__ import annotations

from collections.abc import Mapping

from backend.json_types import Json
from backend.workflows.project.figures import AcceptanceRow, AgreementRow, Signals
from backend.workflows.views.wording import model_name, percent, person


def label_quality(signals: Signals, *, people: Mapping[str, str]) -> Json:
    """Suspect labels, agreement between annotators, acceptance by version, trusted pre-annotations."""
    suspects, trusted = signals.suspects, signals.trusted
    return {
        "is_there": bool(trusted or signals.agreement or signals.acceptance),
        "suspects": suspects.words if suspects else None,
        "trusted": trusted.words if trusted else None,
        "agreement": [_agreement(row, people) for row in signals.agreement],
        "acceptance": [_acceptance(row) for row in signals.acceptance],
    }


def _agreement(row: AgreementRow, people: Mapping[str, str]) -> Json:
    return {
        "annotator": person(row.annotator, people),
        "labels": row.labels,
        "overlap": row.n,
        "kappa": "too few tasks in common" if row.kappa is None else f"{row.kappa:.2f}",
    }


def _acceptance(row: AcceptanceRow) -> Json:
    share = row.accepted / row.shown if row.shown else None
    words = "no guess was shown"
    if share is not None:
        words = f"{percent(share)} ({row.accepted:,} of {row.shown:,})"
    return {
        "model": model_name(row.version),
        "accepted": row.accepted,
        "shown": row.shown,
        "share": share,
        "words": words,
    }
