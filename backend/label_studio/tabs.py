"""Our tabs in the Data Manager: which tasks each shows, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from backend.json_types import Json
from backend.label_studio.queue_order import LIVE_FROM

Flag = Literal["novel", "review", "harmful", "redundant", "ready", "suspect", "no-label", "skipped"]
# A tab for each flag, and one of what is served next.
Tab = Flag | Literal["next"]
UP_NEXT: Tab = "next"

# The fields of the task data that we write.
FLAG_FIELD, NOTE_FIELD, RANK_FIELD = "nextlabel_flag", "nextlabel_note", "nextlabel_rank"
PICKED_FIELD = "nextlabel_picked"

TITLES: dict[Tab, str] = {
    "next": "Up next",
    "novel": "New classes?",
    "review": "Check synthetic",
    "harmful": "Bad synthetic",
    "redundant": "Spare synthetic",
    "ready": "Ready to accept",
    "suspect": "Check labels",
    "no-label": "No label yet",
    "skipped": "Look again",
}
# In these, a task that got an annotation is done with.
OPEN_ONLY = frozenset({UP_NEXT, "novel", "review", "ready", "skipped"})
_HIDDEN_BY_DEFAULT = [
    *("tasks:inner_id", "tasks:annotations_results", "tasks:annotations_ids", "tasks:predictions_score"),
    *("tasks:predictions_model_versions", "tasks:predictions_results", "tasks:file_upload"),
    *("tasks:storage_filename", "tasks:created_at", "tasks:updated_at", "tasks:updated_by"),
    *("tasks:avg_lead_time", "tasks:draft_exists"),
    *(f"tasks:data.{field}" for field in (FLAG_FIELD, RANK_FIELD)),
]
_WIDE = 420  # pixels
# What a list shows: the task's number, its text and other fields, our note, and who answered.
_HIDDEN = [
    *("tasks:inner_id", "tasks:annotations_ids", "tasks:annotations_results", "tasks:file_upload"),
    *("tasks:storage_filename", "tasks:created_at", "tasks:updated_at", "tasks:updated_by"),
    *("tasks:avg_lead_time", "tasks:draft_exists", "tasks:completed_at", "tasks:total_annotations"),
    *("tasks:cancelled_annotations", "tasks:total_predictions", "tasks:predictions_model_versions"),
    # the score is a place in the queue, which Label Studio prints as a percentage
    *("tasks:predictions_score", "tasks:predictions_results"),
    *(f"tasks:data.{FLAG_FIELD}", f"tasks:data.{RANK_FIELD}"),
    f"tasks:data.{PICKED_FIELD}",
]


def tab_data(tab: Tab, *, texts: Sequence[str] = (), others: Sequence[str] = ()) -> Json:
    """What Label Studio needs to know of a tab; tasks stand in the order of their rank, or as served.

    Of the fields of the task data, those of `texts` are given room, and `others` are hidden.
    """
    hidden = [*_HIDDEN, *(f"tasks:data.{field}" for field in others)]
    if tab == UP_NEXT:
        # the scores of live answers begin where those of the window end
        items = [_item("predictions_score", "Number", LIVE_FROM, "less")]
    else:
        items = [_item(f"data.{FLAG_FIELD}", "String", tab)]
    if tab in OPEN_ONLY:
        items.append(_item("total_annotations", "Number", 0))
    filters = {"conjunction": "and", "items": items}
    order = "tasks:predictions_score" if tab == UP_NEXT else f"tasks:data.{RANK_FIELD}"
    widths = {f"tasks:data.{field}": _WIDE for field in (*texts, NOTE_FIELD)}
    made = _tab(TITLES[tab], filters=filters, ordering=[order])
    return made | {"columnsWidth": widths, "hiddenColumns": {"explore": hidden, "labeling": hidden}}


def picked_mark(numbers: Iterable[int]) -> str:
    """What the field of a task says that is in the tabs of these numbers."""
    return f"|{'|'.join(map(str, numbers))}|"


def picked_tab(title: str, number: int) -> Json:
    """What Label Studio needs to know of the tab of a number: its tasks are marked with it.

    Not by their ids: the Data Manager of a whole project stays blank when one of its tabs filters by a list
    of them, empties a tab with a pattern of them, and hangs over a filter for each.
    """
    item = _item(f"data.{PICKED_FIELD}", "String", picked_mark([number])) | {"operator": "contains"}
    return _tab(title, filters={"conjunction": "and", "items": [item]}, ordering=[])


def default_tab() -> Json:
    """The tab that Label Studio makes itself where a project has none: all tasks."""
    return {
        "title": "Default",
        "type": "list",
        "target": "tasks",
        "hiddenColumns": {"explore": _HIDDEN_BY_DEFAULT, "labeling": _HIDDEN_BY_DEFAULT},
        "filters": {"conjunction": "and", "items": []},
    }


def shows_the_same(shown: Json, wanted: Json) -> bool:
    """Whether a tab still filters and orders as it should; titles and columns are the users' business."""
    return all(shown.get(name) == wanted[name] for name in ("filters", "ordering"))


def _item(column: str, kind: str, value: object, operator: str = "equal") -> Json:
    return {"filter": f"filter:tasks:{column}", "operator": operator, "type": kind, "value": value}


def _tab(title: str, *, filters: Json, ordering: list[str]) -> Json:
    return {
        "title": title,
        "type": "list",
        "target": "tasks",
        "gridWidth": 4,
        "columnsDisplayType": {},
        "hiddenColumns": {"explore": _HIDDEN, "labeling": _HIDDEN},
        "ordering": ordering,
        "filters": filters,
    }
