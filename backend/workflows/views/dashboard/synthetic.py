"""Synthetic tasks: verdicts, what each generator is worth, and what to make next."""

from __future__ import annotations

from backend.context import Context
from backend.json_types import Json
from backend.workflows.intake.earlier_findings import verdict_counts
from backend.workflows.project.workspace import Workspace, open_workspace
from backend.workflows.views.fields import count, number, part, rows, text
from backend.workflows.views.signals import newest_signals
from backend.workflows.views.snippets import read_snippets

VERDICTS = {
    "helpful": "Helpful",
    "redundant": "Redundant",
    "harmful": "Harmful",
    "unsure": "Not sure",
}
# Longer than any snippet elsewhere: a generator imitates these.
_EXAMPLE_LENGTH = 1_000


def synthetic_view(workspace: Workspace, signals: Json) -> Json:
    """Everything about a project's synthetic tasks."""
    found = part(signals, "synthetic")
    counts = verdict_counts(workspace)
    realism = part(found, "realism")
    settings = workspace.settings
    return {
        "marked_by": f"{settings.synthetic_field} = {settings.synthetic_values}",
        "words": text(found, "words"),
        "counts": [{"verdict": key, "name": name, "count": counts[key]} for key, name in VERDICTS.items()],
        "total": sum(counts.values()),
        "lift": [_lift(row) for row in rows(found, "lift") if text(row, "generator")],
        "gaps": _gaps(workspace, found, length=160),
        "realism": {
            "words": text(realism, "words"),
            "p_value": number(realism, "p_value"),
            "c2st": number(realism, "c2st"),
            "classes": [
                {
                    "label": text(row, "label"),
                    "density": _short(row, "density"),
                    "coverage": _short(row, "coverage"),
                }
                for row in rows(realism, "classes")
            ],
        },
    }


def wanted_data(context: Context, label_studio_id: int) -> list[Json]:
    """What to make or collect next, with the texts to imitate in full. Raises NotFound."""
    workspace = open_workspace(context, label_studio_id)
    measured = newest_signals(workspace)
    found = part(measured.signals, "synthetic") if measured else {}
    return _gaps(workspace, found, length=_EXAMPLE_LENGTH)


def _gaps(workspace: Workspace, found: Json, *, length: int) -> list[Json]:
    gaps = rows(found, "gaps")
    texts = read_snippets(workspace, [i for gap in gaps for i in _examples(gap)], length=length)
    return [
        {
            "label": text(gap, "label"),
            "slice": text(gap, "slice"),
            "count": count(gap, "count"),
            "reason": text(gap, "reason"),
            "examples": [{"task": i, "text": texts[i]} for i in _examples(gap) if i in texts],
        }
        for gap in gaps
    ]


def _examples(gap: Json) -> list[int]:
    examples = gap.get("examples")
    return [i for i in examples if type(i) is int] if isinstance(examples, list) else []


def _lift(row: Json) -> Json:
    low, middle, high = (number(row, name) for name in ("low", "mean", "high"))
    has_interval = low is not None and middle is not None and high is not None
    return {
        "generator": text(row, "generator"),
        "words": text(row, "words") or "no effect shown",
        "n": count(row, "n"),
        "interval": {"kind": "gain", "low": low, "estimate": middle, "high": high} if has_interval else None,
    }


def _short(row: Json, name: str) -> str:
    value = number(row, name)
    return "–" if value is None else f"{value:.2f}"
