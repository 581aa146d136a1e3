"""Label Studio's settings that decide the order or hide the pre-annotation, and what cures each.

After get_next_task of Label Studio 1.23.2 (projects/functions/next_task.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

from backend.json_types import Json

SAMPLING = "Uncertainty sampling"
REQUEUE_FOR_OTHERS = "REQUEUE_FOR_OTHERS"
# Every setting that is looked at, and its value in a new project.
_DEFAULTS: Json = {
    "sampling": "Sequential sampling",
    "show_collab_predictions": True,
    "show_overlap_first": False,
    "maximum_annotations": 1,
    "overlap_cohort_percentage": 100,
    "skip_queue": REQUEUE_FOR_OTHERS,
    "evaluate_predictions_automatically": False,
    "annotator_evaluation_enabled": False,
    "reveal_preannotations_interactively": False,
}
# A change of these changes which tasks count as finished, without a new `updated_at`.
FINISHING = ("maximum_annotations", "overlap_cohort_percentage", "skip_queue")
# What `connect` sets, and `disconnect` sets back.
WANTED: Json = {"sampling": SAMPLING, "show_collab_predictions": True, "show_overlap_first": False}

_CONNECT = "Run: nextlabel connect {project}"


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A setting that stands in the way of the order or of the pre-annotations, what it does, and the cure."""

    setting: str
    verdict: Literal["warning", "fault"]
    words: str
    cure: str

    def to_json(self) -> dict[str, str]:
        """All fields as a dict."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Rule:
    setting: str
    verdict: Literal["warning", "fault"]
    disturbs: Callable[[Json], bool]
    words: str
    cure: str


_RULES = (
    _Rule(
        "sampling",
        "fault",
        lambda found: found["sampling"] != SAMPLING,
        "{sampling!r}: Label Studio ignores the order",
        _CONNECT,
    ),
    _Rule(
        "show_collab_predictions",
        "fault",
        lambda found: not found["show_collab_predictions"],
        "pre-annotations are switched off, and Label Studio draws at random",
        _CONNECT,
    ),
    _Rule(
        "show_overlap_first",
        "fault",
        lambda found: bool(found["show_overlap_first"]),
        "Label Studio serves the tasks that several people answer before all others",
        _CONNECT,
    ),
    _Rule(
        "maximum_annotations",
        "warning",
        lambda found: found["maximum_annotations"] > 1,
        "{maximum_annotations} answers for {overlap_cohort_percentage} % of the tasks: Label Studio serves "
        "those first that others have begun, at random; the order holds for those that nobody has begun",
        "This is Label Studio's own rule. With 1 annotation for each task the order holds for all.",
    ),
    _Rule(
        "annotator_evaluation_enabled",
        "warning",
        lambda found: bool(found["annotator_evaluation_enabled"]),
        "Label Studio first serves tasks that have a ground truth, at random",
        "Switch the evaluation of annotators off in the project's settings.",
    ),
    _Rule(
        "evaluate_predictions_automatically",
        "warning",
        lambda found: bool(found["evaluate_predictions_automatically"]),
        "Label Studio asks for a prediction of each task that somebody lists, which makes it slow",
        "Switch off that predictions are retrieved automatically in the project's settings.",
    ),
    _Rule(
        "reveal_preannotations_interactively",
        "warning",
        lambda found: bool(found["reveal_preannotations_interactively"]),
        "pre-annotations stay hidden until the annotator draws a region over them",
        "Switch off that pre-annotations are revealed interactively in the project's settings.",
    ),
)


def read_queue_settings(details: Json) -> Json:
    """The settings in a project's description; what Label Studio does not tell has its default."""
    return {name: details.get(name, default) for name, default in _DEFAULTS.items()}


def has_cohort(settings: Json) -> bool:
    """Whether several people answer some of the tasks, and one person the others."""
    found = _readable(settings)
    return bool(found["maximum_annotations"] > 1 and found["overlap_cohort_percentage"] < 100)


def find_disturbances(settings: Json, *, project: int) -> list[Disturbance]:
    """What in these settings stands in the way, faults first; nothing where no settings were read yet."""
    if not settings:
        return []
    found = _readable(settings)
    disturbing = [rule for rule in _RULES if rule.disturbs(found)]
    return [
        Disturbance(rule.setting, rule.verdict, rule.words.format(**found), rule.cure.format(project=project))
        for rule in disturbing
    ]


def _readable(settings: Json) -> Json:
    """All settings; the default in the place of what is missing or of another type."""
    return _DEFAULTS | {name: value for name, value in settings.items() if _is_of_its_type(name, value)}


def _is_of_its_type(name: str, value: object) -> bool:
    return type(value) is type(_DEFAULTS.get(name))
