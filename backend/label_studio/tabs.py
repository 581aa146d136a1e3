"""Our tabs in the Data Manager: which tasks each shows, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from backend.json_types import Json

Flag = Literal["novel", "review", "harmful", "redundant", "ready", "suspect", "no-label", "skipped"]

# The fields of the task data that we write.
FLAG_FIELD, NOTE_FIELD, RANK_FIELD = "nextlabel_flag", "nextlabel_note", "nextlabel_rank"
PICKED_FIELD = "nextlabel_picked"

TITLES: dict[Flag, str] = {
    "novel": "Possible new classes",
    "review": "Synthetic: needs review",
    "harmful": "Synthetic: harmful",
    "redundant": "Synthetic: redundant",
    "ready": "Ready to accept",
    "suspect": "Check these labels",
    "no-label": "Answered, but no label",
    "skipped": "Skipped: look again",
}
# In these, a task that got an annotation is done with.
_OPEN_ONLY = frozenset({"novel", "review", "ready", "skipped"})
_HIDDEN = [
    *("tasks:inner_id", "tasks:annotations_ids", "tasks:predictions_model_versions", "tasks:file_upload"),
    *(
        "tasks:storage_filename",
        "tasks:created_at",
        "tasks:updated_at",
        "tasks:updated_by",
        "tasks:avg_lead_time",
    ),
    *(
        "tasks:draft_exists",
        "tasks:cancelled_annotations",
        "tasks:total_predictions",
        f"tasks:data.{FLAG_FIELD}",
        f"tasks:data.{PICKED_FIELD}",
    ),
]


def tab_data(flag: Flag) -> Json:
    """What Label Studio needs to know of a tab; tasks stand in the order of their rank."""
    items = [_item(f"data.{FLAG_FIELD}", "String", flag)]
    if flag in _OPEN_ONLY:
        items.append(_item("total_annotations", "Number", 0))
    filters = {"conjunction": "and", "items": items}
    return _tab(TITLES[flag], filters=filters, ordering=[f"tasks:data.{RANK_FIELD}"])


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


def shows_the_same(shown: Json, wanted: Json) -> bool:
    """Whether a tab still filters and orders as it should; titles and columns are the users' business."""
    return all(shown.get(name) == wanted[name] for name in ("filters", "ordering"))


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


def _item(column: str, kind: str, value: object) -> Json:
    return {"filter": f"filter:tasks:{column}", "operator": "equal", "type": kind, "value": value}
