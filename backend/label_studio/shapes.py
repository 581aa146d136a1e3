"""The shapes of Label Studio's answers, as far as we build on them, and how an answer differs from one."""

from __future__ import annotations

# None: whatever comes. A type or several: a value of one of them. A dict: an object with at least these
# fields, "*" for each that there is. A list of one shape: a list of such.
Shape = type | tuple[type, ...] | dict[str, "Shape"] | list["Shape"] | None

_MAYBE_TEXT: Shape = (str, type(None))
_MOST_NAMES = 8

OBJECT: Shape = dict
USER: Shape = dict
USERS: Shape = [{"id": int}]
PROJECT: Shape = {
    "id": int,
    "title": _MAYBE_TEXT,
    "label_config": str,
    "created_at": str,
    "sampling": _MAYBE_TEXT,
    "model_version": _MAYBE_TEXT,
    "show_collab_predictions": bool,
}
PROJECTS: Shape = {"results": [{"id": int}]}
COUNTS: Shape = {"total": int, "total_annotations": int}
IDS_PAGE: Shape = {"total": int, "tasks": [{"id": int}]}
MOMENTS_PAGE: Shape = {"total": int, "tasks": [{"id": int, "updated_at": str}]}
TASKS_PAGE: Shape = {
    "total": int,
    "tasks": [{"id": int, "data": None, "updated_at": str, "annotations": [dict]}],
}
ANNOTATION: Shape = {"id": int, "result": (list, type(None)), "completed_by": None}
DATA_PAGE: Shape = {"total": int, "tasks": [{"id": int, "data": dict}]}
_SCORED: Shape = {"id": int, "score": None, "model_version": None}
SCORES_PAGE: Shape = {"total": int, "tasks": [{"id": int, "predictions": [_SCORED]}]}
PREDICTIONS: Shape = [{"task": int, "result": None, "model_version": None}]
CREATED: Shape = {"created": int}
DELETED: Shape = {"deleted_predictions": int}
VERSIONS: Shape = {"*": int}
TASK: Shape = {"id": int}
BACKEND: Shape = {"id": int, "url": str, "title": _MAYBE_TEXT, "state": str, "model_version": _MAYBE_TEXT}
BACKENDS: Shape = [BACKEND]
WEBHOOK: Shape = {"id": int, "url": str, "actions": list, "headers": (dict, type(None)), "is_active": bool}
WEBHOOKS: Shape = [WEBHOOK]
COLUMNS: Shape = {"columns": [{"id": str}]}
TAB: Shape = {"id": int, "data": dict}
TABS: Shape = [TAB]


def misfit(answer: object, shape: Shape, where: str = "it") -> str | None:
    """Where an answer first differs from a shape, in words; None where it fits."""
    if shape is None:
        return None
    if isinstance(shape, dict):
        return _misfit_of_object(answer, shape, where)
    if isinstance(shape, list):
        if not isinstance(answer, list):
            return f"{where} is not a list"
        faults = (misfit(value, shape[0], f"{where}[{place}]") for place, value in enumerate(answer))
        return next((fault for fault in faults if fault), None)
    if isinstance(answer, shape) and not (isinstance(answer, bool) and shape is int):
        return None
    return f"{where} is not {'an object' if shape is dict else _names(shape)}"


def summary(answer: object) -> str:
    """What an answer is, without its words: they may be those of a task."""
    if isinstance(answer, dict):
        names = ", ".join(sorted(str(name) for name in answer)[:_MOST_NAMES])
        return f"an object with {names}" if names else "an empty object"
    if isinstance(answer, list):
        return f"a list of {len(answer)}"
    return type(answer).__name__


def _misfit_of_object(answer: object, shape: dict[str, Shape], where: str) -> str | None:
    if not isinstance(answer, dict):
        return f"{where} is not an object"
    wanted = dict.fromkeys(answer, shape["*"]) if "*" in shape else shape
    for name, inner in wanted.items():
        inside = str(name) if where == "it" else f"{where}.{name}"
        if name not in answer:
            return f"{inside} is missing"
        if fault := misfit(answer[name], inner, inside):
            return fault
    return None


def _names(shape: type | tuple[type, ...]) -> str:
    kinds = shape if isinstance(shape, tuple) else (shape,)
    return " or ".join("null" if kind is type(None) else kind.__name__ for kind in kinds)
