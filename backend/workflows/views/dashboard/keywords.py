"""The keywords of labels: how many tasks hold each, and how often its label is right there."""

from __future__ import annotations

from backend.json_types import Json
from backend.workflows.project.figures import KeywordRow, Signals
from backend.workflows.views.wording import percent


def keyword_table(signals: Signals) -> list[Json]:
    """One row a keyword; empty where no label has any."""
    has_several = len({row.question for row in signals.keywords}) > 1
    return [_row(row, has_several=has_several) for row in signals.keywords]


def _row(row: KeywordRow, *, has_several: bool) -> Json:
    found: Json = {
        "label": f"{row.question}: {row.label}" if has_several else row.label,
        "keyword": row.keyword,
        "tasks": row.tasks,
        "blind": row.blind,
        "words": "too few yet" if row.tasks else "in no task",
        "interval": None,
    }
    if row.precision is not None and row.low is not None and row.high is not None:
        found["words"] = f"{percent(row.precision)}, between {percent(row.low)} and {percent(row.high)}"
        found["interval"] = {
            "kind": "share",
            "low": row.low,
            "estimate": row.precision,
            "high": row.high,
        }
    return found
