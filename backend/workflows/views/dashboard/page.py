"""The whole page of a project as one view model, read from the database alone."""

from __future__ import annotations

from backend.json_types import Json
from backend.label_studio.shown_noun import PICTURE
from backend.label_studio.tabs import TITLES
from backend.label_studio.versions import is_by_name
from backend.store.map_points import MOST_POINTS
from backend.workflows.project.account import Account, read_account
from backend.workflows.project.figures import HeadMetrics, Signals
from backend.workflows.project.workspace import Workspace
from backend.workflows.views.dashboard.answers import advise, weigh_order
from backend.workflows.views.dashboard.charts import (
    calibration,
    class_table,
    learning_curve,
    unanswered_labels,
)
from backend.workflows.views.dashboard.headline import Known, headline
from backend.workflows.views.dashboard.history import decisions, loops, versions
from backend.workflows.views.dashboard.keywords import keyword_table
from backend.workflows.views.dashboard.labels import label_forms
from backend.workflows.views.dashboard.links import project_address, tab_addresses
from backend.workflows.views.dashboard.nouns import first_kind, nouns
from backend.workflows.views.dashboard.novelty import novelty_words
from backend.workflows.views.dashboard.quality import label_quality
from backend.workflows.views.dashboard.questions import question_cards, words_of_missing
from backend.workflows.views.dashboard.state import read_state
from backend.workflows.views.dashboard.synthetic import synthetic_view
from backend.workflows.views.dashboard.to_come import still_to_come
from backend.workflows.views.dashboard.waiting import count_waiting, find_waiting, gather
from backend.workflows.views.priority import view_priority
from backend.workflows.views.signals import Measured, newest_signals
from backend.workflows.views.switched import newest_switch
from backend.workflows.views.versions import version_metrics
from backend.workflows.views.wording import model_name, moment


def build_dashboard(workspace: Workspace) -> Json:
    """Everything the page of a project shows, in the order in which it does."""
    measured = newest_signals(workspace)
    signals = measured.signals if measured else Signals()
    account = read_account(workspace)
    kind = first_kind(workspace)
    metrics = HeadMetrics.read(version_metrics(workspace))
    known = Known(signals, metrics, account, tasks=workspace.tasks.count(), kind=kind)
    found = gather(workspace, signals, account)
    waiting = find_waiting(found)
    return {
        "project": _project_row(workspace, account, known.tasks),
        "state": read_state(workspace),
        "headline": headline(workspace, known, waiting),
        "waiting": [card.to_json() for card in waiting],
        "switched": newest_switch(workspace),
        "priority": view_priority(workspace).to_json(),
        "counts": count_waiting(waiting),
        "novelty": {
            "words": novelty_words(workspace, signals, in_tab=found.flagged["novel"]),
            "links": list(found.tab("novel", f"See them in the tab “{TITLES['novel']}”")),
        },
        "map": _map_row(workspace, known.tasks),
        "nouns": nouns(kind),
        "shown": {
            "one": workspace.noun.one,
            "many": workspace.noun.many,
            "has_texts": workspace.noun is not PICTURE,
        },
        "measured": _measured_row(workspace, measured),
        "curve": learning_curve(signals),
        "order": weigh_order(signals),
        "advice": advise(signals),
        "calibration": calibration(signals),
        "classes": class_table(signals),
        "labels": label_forms(workspace),
        "unanswered": unanswered_labels(signals),
        "quality": label_quality(signals, people=workspace.state.people),
        "versions": versions(workspace),
        "to_come": still_to_come(signals),
        "questions": question_cards(signals, has_choice=bool(signals.per_class)),
        "keywords": keyword_table(signals),
        "has_choice": bool(signals.per_class),
        "missing_words": words_of_missing(signals, has_choice=bool(signals.per_class)),
        "synthetic": synthetic_view(workspace, signals, flagged=found.flagged),
        "loops": loops(workspace),
        "decisions": decisions(workspace),
    }


def _map_row(workspace: Workspace, tasks: int) -> Json:
    """How many tasks the map shows, why not all, and whether its colours are guesses from names."""
    return {
        "points": workspace.map_points.count(),
        "is_sample": tasks > MOST_POINTS,
        "is_encoding": bool(workspace.batches.count_tasks()),
        "by_names": is_by_name(workspace.version),
    }


def _project_row(workspace: Workspace, account: Account, tasks: int) -> Json:
    return {
        "id": workspace.label_studio_id,
        "title": project_title(workspace),
        "is_connected": workspace.state.connected,
        "tasks": tasks,
        "labels": account.learned,
        "answered": account.answered,
        "address": project_address(workspace),
        "tabs": tab_addresses(workspace),
    }


def project_title(workspace: Workspace) -> str:
    """What people call a project."""
    return workspace.state.title or f"Project {workspace.label_studio_id}"


def _measured_row(workspace: Workspace, measured: Measured | None) -> Json | None:
    if measured is None:
        return None
    return moment(measured.at) | {
        "version": measured.version,
        "model": model_name(measured.version),
        "is_other_version": measured.version != workspace.state.active_version,
    }
