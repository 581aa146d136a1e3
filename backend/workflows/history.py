"""Every loop of a project as one record: what went in, what came out, its advice, what people decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from backend.context import Context
from backend.database import Decision, Loop
from backend.tables import write_csv
from backend.workflows.dashboard.history import decision_words
from backend.workflows.projects import get_project

Json = dict[str, Any]

# Columns of the table: a name, and where its value stands in a record.
_COLUMNS: dict[str, tuple[str, ...]] = {
    "loop": ("loop",),
    "started_at": ("started_at",),
    "finished_at": ("finished_at",),
    "reason": ("reason",),
    "outcome": ("outcome",),
    "error": ("error",),
    "version": ("version",),
    "fingerprint": ("fingerprint",),
    "seed": ("seed",),
    "order_seed": ("order_seed",),
    "code_version": ("code_version",),
    "strategy": ("strategy",),
    "representation": ("representation",),
    "labels": ("labels",),
    "pool": ("pool",),
    "window": ("window",),
    "accuracy": ("signals", "accuracy", "estimate"),
    "accuracy_low": ("signals", "accuracy", "low"),
    "accuracy_high": ("signals", "accuracy", "high"),
    "audit_labels": ("signals", "accuracy", "n"),
    "macro_f1": ("signals", "macro_f1"),
    "over_random": ("signals", "advantage", "value"),
    "over_random_low": ("signals", "advantage", "low"),
    "over_random_high": ("signals", "advantage", "high"),
    "next_labels": ("signals", "forecast", "labels"),
    "next_gain": ("signals", "forecast", "gain"),
    "next_gain_low": ("signals", "forecast", "low"),
    "next_gain_high": ("signals", "forecast", "high"),
    "trusted_from": ("signals", "trusted", "threshold"),
    "trusted_share": ("signals", "trusted", "coverage"),
    "suspect_labels": ("signals", "suspects", "count"),
    "advice": ("signals", "advice", "advice"),
    "advice_words": ("signals", "advice", "words"),
    "would_change": ("signals", "advice", "would_change"),
}


def loop_records(context: Context, label_studio_id: int) -> list[Json]:
    """A record for every loop that did something, the oldest first. Raises NotFound.

    Its `figures` are fields of their own, `signals` and `metrics` among them; `decisions` are those that
    people took after it and before the next one. Loops that found nothing new leave no record.
    """
    project = get_project(context, label_studio_id)
    with context.database.session() as session:
        loops = session.scalars(
            select(Loop)
            .where(Loop.project_id == project.id, Loop.outcome.not_in(("unchanged", "running")))
            .order_by(Loop.id)
        ).all()
        taken = session.scalars(
            select(Decision).where(Decision.project_id == project.id).order_by(Decision.id)
        ).all()
    after: list[list[Json]] = [[] for _ in loops]
    for decision in taken:
        earlier = sum(loop.started_at <= decision.decided_at for loop in loops)
        if loops:
            after[max(earlier - 1, 0)].append(_decision_record(decision))
    return [_record(loop, decided) for loop, decided in zip(loops, after, strict=True)]


def records_as_csv(records: Sequence[Json]) -> str:
    """One row a loop: its numbers, its metrics (`metric_…`), its advice, and the decisions after it."""
    metrics = sorted({name for record in records for name in record.get("metrics") or {}})
    heading = [*_COLUMNS, *(f"metric_{name}" for name in metrics), "decisions"]
    rows = [
        [
            *(_find(record, path) for path in _COLUMNS.values()),
            *((record.get("metrics") or {}).get(name) for name in metrics),
            "; ".join(f"{one['at']} {one['by']} {one['words']}" for one in record["decisions"]),
        ]
        for record in records
    ]
    return write_csv(heading, rows)


def _record(loop: Loop, decided: list[Json]) -> Json:
    return {
        **loop.figures,
        "loop": loop.id,
        "started_at": _moment(loop.started_at),
        "finished_at": _moment(loop.finished_at),
        "reason": loop.reason,
        "outcome": loop.outcome,
        "version": loop.version,
        "error": loop.error,
        "decisions": decided,
    }


def _decision_record(decision: Decision) -> Json:
    return {
        "at": _moment(decision.decided_at),
        "by": decision.decided_by,
        "kind": decision.kind,
        "details": decision.details,
        "words": decision_words(decision),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.replace(tzinfo=UTC).isoformat(timespec="seconds")


def _find(record: Json, path: Sequence[str]) -> object:
    """What stands at a path of names; None where the record has nothing there."""
    found: Any = record
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return " ".join(str(part) for part in found) if isinstance(found, list) else found
