"""Versions one can go back to, and what the last loops did and how long they took."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from backend.database import Loop
from backend.json_types import Json
from backend.label_studio.label_config import LabelConfig
from backend.workflows.project.figures import Accuracy, Figures, HeadMetrics, Signals
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving.first_question import answers_first_question
from backend.workflows.views.dashboard.measured import is_range_alone, read_accuracy
from backend.workflows.views.dashboard.nouns import readable_config
from backend.workflows.views.switched import switch_words
from backend.workflows.views.wording import (
    OUTCOMES,
    decision_words,
    duration,
    model_name,
    moment,
    range_of,
    share_with_interval,
)

_VERSIONS = 5
_LOOPS = 8
_DECISIONS = 8


def versions(workspace: Workspace) -> list[Json]:
    """The versions published last, newest first; `can_serve`: one can go back to it, `why_not` else."""
    config = readable_config(workspace)
    stored = set(workspace.registry.versions(workspace.key))
    published = workspace.loops.newest_published(_VERSIONS)
    measured = {row.version: _measured(Figures.read(row.figures)) for row in published}
    used = measured.get(workspace.state.active_version)
    eras = _eras(workspace, published)
    era_used = eras.get(workspace.state.active_version, 0)
    rows = []
    for row in published:
        figures = Figures.read(row.figures)
        rows.append(
            {
                "version": row.version,
                "model": model_name(row.version),
                "is_active": row.version == workspace.state.active_version,
                **_way_back(workspace, row.version, config=config, stored=stored),
                "when": moment(row.finished_at or row.started_at),
                "labels": figures.labels,
                "accuracy": _accuracy_words(measured[row.version]),
                "blind": measured[row.version].blind or measured[row.version].n,
                "beside": _beside(measured[row.version], used)
                if eras[row.version] == era_used
                else "before the config changed",
            }
        )
    if workspace.state.active_version and not any(row["is_active"] for row in rows):
        return [_bare_row(workspace.state.active_version), *rows]
    return rows


def _way_back(
    workspace: Workspace,
    version: str | None,
    *,
    config: LabelConfig | None,
    stored: Collection[str],
) -> Json:
    """Whether one can go back to a version, and why not; of the one in use neither."""
    if version is None or version == workspace.state.active_version:
        return {"can_serve": False, "why_not": ""}
    if version not in stored:
        return {"can_serve": False, "why_not": "its files are gone"}
    if config is not None and not answers_first_question(workspace, config, version):
        return {"can_serve": False, "why_not": "made for another question"}
    return {"can_serve": True, "why_not": ""}


def _eras(workspace: Workspace, published: Sequence[Loop]) -> dict[str | None, int]:
    """How often the first question changed after each version; versions with the same number compare."""
    eras: dict[str | None, int] = {}
    changes = 0
    for row in published:
        eras[row.version] = changes
        switched = Figures.read(row.figures).switched
        changes += any(one.name == workspace.state.question for one in switched)
    return eras


def _bare_row(version: str) -> Json:
    """The row of the version in use while its loop still measures it, or if it is older than those shown."""
    row: Json = {
        "version": version,
        "model": model_name(version),
        "is_active": True,
        "can_serve": False,
        "why_not": "",
        "when": None,
        "labels": None,
    }
    return row | {"accuracy": "–", "blind": 0, "beside": ""}


def loops(workspace: Workspace) -> list[Json]:
    """The last loops that did something, newest first, with seconds by stage."""
    return [_loop_row(loop) for loop in workspace.loops.newest_eventful(_LOOPS)]


def decisions(workspace: Workspace) -> list[Json]:
    """What people decided, newest first."""
    return [
        {"when": moment(row.decided_at), "by": row.decided_by, "words": decision_words(row)}
        for row in workspace.decisions.newest(_DECISIONS)
    ]


def _loop_row(loop: Loop) -> Json:
    figures = Figures.read(loop.figures)
    ended = loop.finished_at or loop.started_at
    return {
        "when": moment(loop.started_at),
        "outcome": OUTCOMES.get(loop.outcome, loop.outcome),
        "has_failed": loop.outcome == "failed",
        "error": loop.error or _failed_parts(figures),
        "model": model_name(loop.version) if loop.version else "–",
        "switched": switch_words(figures.switched),
        "writes": figures.writes,
        "labels": figures.labels,
        "took": duration((ended - loop.started_at).total_seconds()),
        "stages": [
            {"name": name, "seconds": value, "words": duration(value)}
            for name, value in figures.seconds.items()
        ],
    }


def _failed_parts(figures: Figures) -> str:
    """What a loop that published could not do afterwards, and why."""
    return "; ".join(f"{name} failed: {why}" for name, why in figures.failed.items())


def _measured(figures: Figures) -> Accuracy:
    """What its loop measured of a version."""
    return read_accuracy(figures.signals or Signals(), figures.metrics or HeadMetrics())


def _accuracy_words(found: Accuracy) -> str:
    """Accuracy with its range; of a handful of blind answers the range alone."""
    if found.estimate is None:
        return "too few blind answers" if found.n else "not measured yet"
    if is_range_alone(found) and found.low is not None and found.high is not None:
        return range_of(found.low, found.high)
    return share_with_interval(found.estimate, found.low, found.high)


def _beside(found: Accuracy, used: Accuracy | None) -> str:
    """A version beside the one in use: "better" or "worse" where their ranges do not meet.

    Else "no difference shown"; empty where one of the two was not measured.
    """
    if used is None or found is used:
        return ""
    if found.low is None or found.high is None or used.low is None or used.high is None:
        return ""
    if found.low > used.high:
        return "better"
    return "worse" if found.high < used.low else "no difference shown"
