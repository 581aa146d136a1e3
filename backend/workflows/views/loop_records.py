"""Every loop of a project as one record: what went in, what came out, its advice, what people decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from backend.database import Decision, Loop
from backend.json_types import Json
from backend.tables import write_csv
from backend.workflows.project.figures import Signals
from backend.workflows.project.workspace import Workspace
from backend.workflows.views.wording import decision_words

_FACTS = (
    "loop",
    "started_at",
    "finished_at",
    "reason",
    "outcome",
    "error",
    "version",
    "fingerprint",
    "seed",
    "order_seed",
    "code_version",
    "strategy",
    "representation",
    "labels",
    "pool",
    "window",
)
# Columns of the table, and where their values stand among the signals.
_SIGNALS: dict[str, tuple[str, ...]] = {
    "accuracy": ("accuracy", "estimate"),
    "accuracy_low": ("accuracy", "low"),
    "accuracy_high": ("accuracy", "high"),
    "audit_labels": ("accuracy", "n"),
    "macro_f1": ("macro_f1",),
    "over_random": ("advantage", "value"),
    "over_random_low": ("advantage", "low"),
    "over_random_high": ("advantage", "high"),
    "next_labels": ("forecast", "labels"),
    "next_gain": ("forecast", "gain"),
    "next_gain_low": ("forecast", "low"),
    "next_gain_high": ("forecast", "high"),
    "trusted_from": ("trusted", "threshold"),
    "trusted_share": ("trusted", "coverage"),
    "suspect_labels": ("suspects", "count"),
    "advice": ("advice", "advice"),
    "advice_words": ("advice", "words"),
    "would_change": ("advice", "would_change"),
}


def loop_records(workspace: Workspace) -> list[Json]:
    """A record for every loop that did something, the oldest first.

    Its `figures` are fields of their own, `signals` and `metrics` among them; `decisions` are those that
    people took after it and before the next one. Loops that found nothing new leave no record.
    """
    loops, numbers = workspace.loops.all_eventful(), workspace.loops.numbers()
    after: list[list[Json]] = [[] for _ in loops]
    for decision in workspace.decisions.read_all():
        earlier = sum(loop.started_at <= decision.decided_at for loop in loops)
        if loops:
            after[max(earlier - 1, 0)].append(_decision_record(decision))
    return [
        _record(loop, decided) | {"number": numbers[loop.id]}
        for loop, decided in zip(loops, after, strict=True)
    ]


def records_as_csv(records: Sequence[Json]) -> str:
    """One row a loop: its numbers, its metrics (`metric_…`), its advice, and the decisions after it."""
    metrics = sorted({name for record in records for name in _metrics(record)})
    heading = [*_FACTS, *_SIGNALS, *(f"metric_{name}" for name in metrics), "decisions"]
    return write_csv(heading, [_table_row(record, metrics) for record in records])


def _table_row(record: Json, metrics: Sequence[str]) -> list[object]:
    signals = Signals.read(record.get("signals"))
    return [
        *(_cell(record.get(name)) for name in _FACTS),
        *(signals.find(*path) for path in _SIGNALS.values()),
        *(_metrics(record).get(name) for name in metrics),
        "; ".join(f"{one['at']} {one['by']} {one['words']}" for one in record["decisions"]),
    ]


def _metrics(record: Json) -> Json:
    found = record.get("metrics")
    return found if isinstance(found, dict) else {}


def _record(loop: Loop, decided: list[Json]) -> Json:
    return {
        **(loop.figures if isinstance(loop.figures, dict) else {}),
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


def _cell(value: object) -> object:
    return " ".join(str(part) for part in value) if isinstance(value, list) else value
