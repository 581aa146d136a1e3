"""Synthetic tasks: verdicts, what each generator is worth, and what to make next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from backend.json_types import Json
from backend.workflows.intake.earlier_findings import verdict_counts
from backend.workflows.project.figures import GapRow, LiftRow, Realism, Signals
from backend.workflows.project.workspace import Workspace
from backend.workflows.views.dashboard.links import tab_addresses
from backend.workflows.views.signals import newest_signals
from backend.workflows.views.snippets import read_rows

VERDICTS = {
    "helpful": "Helpful",
    "redundant": "Redundant",
    "harmful": "Harmful",
    "unsure": "Not sure",
}
_WHAT = (
    "Tasks that a program made and labelled, beside the real ones. Each is judged by whether it helps on "
    "blind answers to real tasks."
)
_HARMFUL = "Harmful ones: delete them in Label Studio, or mend the program that makes them."
# The tab that shows the tasks of a verdict, as far as they were marked and are open.
_FLAGS: dict[str, str] = {name: name for name in VERDICTS} | {"unsure": "review"}
# Longer than any snippet elsewhere: a generator imitates these.
_EXAMPLE_LENGTH = 1_000
# Tasks with pictures that are shown beside what they repeat, and the letters of a text beside them.
_MOST_SHOWN = 6
_SHOWN_LENGTH = 80
_MOST_LOOKED_AT = 1_000  # verdicts among which those are sought


def synthetic_view(workspace: Workspace, signals: Signals, *, flagged: Counter[str]) -> Json:
    """Everything about a project's synthetic tasks. `flagged`: how many tasks each of our tabs shows."""
    found = signals.synthetic
    counts, tabs = verdict_counts(workspace), tab_addresses(workspace)
    return {
        "is_there": found is not None or any(counts.values()),
        "words": f"{_WHAT} {found.words}" if found else _WHAT,
        "harmful": _HARMFUL if counts["harmful"] else None,
        "counts": [
            {
                "verdict": key,
                "name": name,
                "count": counts[key],
                "in_tab": flagged[_FLAGS[key]],
                "address": tabs.get(_FLAGS[key]),
            }
            for key, name in VERDICTS.items()
        ],
        "shown": shown_verdicts(workspace),
        "lift": [_lift(row) for row in found.lift] if found else [],
        "gaps": _gaps(workspace, found.gaps, length=160) if found else [],
        "realism": _realism(found.realism) if found and found.realism else None,
    }


def shown_verdicts(workspace: Workspace) -> list[Json]:
    """Harmful and redundant tasks that show pictures, the likeliest first: why, and what each repeats."""
    found = sorted(workspace.verdicts.of_kinds(("harmful", "redundant")), key=lambda row: row.value)
    found = found[:_MOST_LOOKED_AT]
    pictured = workspace.pictures.shown_by([row.task_id for row in found])
    rows = [row for row in found if row.task_id in pictured]
    # half of them of each verdict, where there are as many
    half = _MOST_SHOWN // 2
    harmful = [row for row in rows if row.verdict == "harmful"]
    redundant = [row for row in rows if row.verdict == "redundant" and row.duplicate_of is not None]
    chosen = [*harmful[: max(half, _MOST_SHOWN - len(redundant))], *redundant][:_MOST_SHOWN]
    ids = [row.task_id for row in chosen] + [row.duplicate_of for row in chosen if row.duplicate_of]
    shown = read_rows(workspace, ids, length=_SHOWN_LENGTH)
    return [
        {
            "verdict": row.verdict,
            "name": VERDICTS[row.verdict],
            "task": row.task_id,
            "reason": row.reason,
            "rows": [
                shown[one] | {"caption": f"{kind}task {one}"}
                for one, kind in ((row.task_id, "synthetic "), (row.duplicate_of, ""))
                if one in shown
            ],
        }
        for row in chosen
    ]


def wanted_data(workspace: Workspace) -> list[Json]:
    """What to make or collect next, with the texts to imitate in full."""
    measured = newest_signals(workspace)
    found = measured.signals.synthetic if measured else None
    return _gaps(workspace, found.gaps, length=_EXAMPLE_LENGTH) if found else []


def _gaps(workspace: Workspace, gaps: Sequence[GapRow], *, length: int) -> list[Json]:
    rows = read_rows(workspace, [i for gap in gaps for i in gap.examples], length=length)
    return [
        {
            "label": gap.label,
            "count": gap.count,
            "reason": gap.reason,
            "examples": [rows[i] for i in gap.examples if i in rows],
        }
        for gap in gaps
    ]


def _lift(row: LiftRow) -> Json:
    return {
        "generator": row.generator,
        "words": row.words,
        "n": row.n,
        "interval": {"kind": "gain", "low": row.low, "estimate": row.mean, "high": row.high},
    }


def _realism(found: Realism) -> Json:
    return {
        "words": found.words,
        "p_value": found.p_value,
        "c2st": found.c2st,
        "classes": [
            {"label": row.label, "density": f"{row.density:.2f}", "coverage": f"{row.coverage:.2f}"}
            for row in found.classes
        ],
    }
