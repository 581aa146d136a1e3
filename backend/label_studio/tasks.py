"""Turns Label Studio's task JSON into what the loop needs: the text, and what people said about it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from backend.json_types import Json
from backend.label_studio.controls.conditions import said_shown
from backend.label_studio.controls.parts import AnsweredByNothing
from backend.label_studio.controls.protocol import Target
from backend.label_studio.controls.question import Question
from backend.label_studio.controls.table import control_of
from backend.label_studio.intentions import pack_intention, read_intention
from backend.label_studio.label_config import LabelConfig
from backend.label_studio.task_words import task_words
from backend.label_studio.text_template import OWN_FIELDS, field_text

# Part of every reading digest: raise it when tasks or annotations are read otherwise than before, so that
# every connected project is read again.
READER = 10

# Why an annotation gives no label. "another question": others were answered, ours was not.
WhyNot = Literal["skipped", "empty", "another question", "unknown label"]

# What came of all answers to a task; empty before the first.
Outcome = Literal[
    "", "label", "no text", "in dispute", "empty", "another question", "unknown label", "skipped"
]

# What a task is labelled that people left without any of several labels.
NONE_OF_THEM = "none of them"

# Where a synthetic task may say who made it, and from what.
GENERATOR_FIELD = "generator"
SLICE_FIELDS = ("slice", "prompt")


@dataclass(frozen=True, slots=True)
class SyntheticFields:
    """How a task says that it is synthetic: `field` holds one of `values`, `label_field` what was meant."""

    field: str = "source"
    values: tuple[str, ...] = ("synthetic",)
    label_field: str = "label"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one annotator said to the main question, in words; None when nothing known was said, or skipped.

    `accepted`: the pre-annotation was left as it was; None where none was shown, or nothing was answered.
    `why_not` says why there is no label; None where there is one. `left`: the questions that were shown to
    somebody who submitted this, and left empty.
    """

    by: int
    at: str
    label: str | None
    accepted: bool | None
    why_not: WhyNot | None
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a task comes from, and what its generator intended, as it is kept (if it is in the config)."""

    is_synthetic: bool = False
    generator: str | None = None
    slice: str | None = None
    intended_label: str | None = None


@dataclass(frozen=True, slots=True)
class TaskState:
    """One task as the loop sees it.

    `label` is what its annotations together say to the main question, in words; None without annotations,
    on a tie, or when the label has left the config. `is_skipped`: somebody skipped it and nobody labelled
    it. `shown`: our own fields on it. `missing_fields` are those of the config in which the task has no
    text, `order_fields` what those fields of the task data say by which an admin wants the order changed,
    where they say anything. `targets` is what people together answered, by the name of each question that
    they answered: where one of several questions is missing, the answer is a partial one. `parts` are the
    texts of the objects, each apart, that a question is about, for each question that is about such.
    `pictures` are the addresses of pictures by the name of the object that shows them, where there are any.
    `words` are what a task without a text says in words: its fields, and the names of its files.
    """

    task_id: int
    content: str
    label: str | None
    annotations: int
    is_labeled: bool
    is_skipped: bool
    updated_at: str
    origin: Origin
    answers: tuple[Answer, ...]
    shown: dict[str, str]
    missing_fields: tuple[str, ...]
    order_fields: dict[str, str]
    targets: dict[str, Target] = field(default_factory=dict)
    parts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    pictures: dict[str, tuple[str, ...]] = field(default_factory=dict)
    words: str = ""

    @property
    def content_hash(self) -> str:
        """Identity of the content; empty for a task without text and pictures."""
        return item_hash(self.content, self.pictures)

    @property
    def outcome(self) -> Outcome:
        """What came of the answers; without a label the newest answer says why."""
        if self.label:
            return "label" if self.content_hash else "no text"
        return _why_no_label(self.answers)


def read_task(
    task: Json,
    config: LabelConfig,
    *,
    synthetic: SyntheticFields = SyntheticFields(),
    order_fields: Sequence[str] = (),
) -> TaskState:
    """Reads one task of `GET /api/tasks`, and what it says in `order_fields`."""
    everything = task.get("annotations") or []
    origin = _origin(task, config, synthetic, everything)
    # what a synthetic task was imported with is the word of its generator, not of a person
    annotations = [said for said in everything if not (origin.is_synthetic and said.get("ground_truth"))]
    submitted = [annotation for annotation in annotations if not annotation.get("was_cancelled")]
    targets = merged_targets(submitted, config)
    content = task_content(task.get("data"), config)
    return TaskState(
        task_id=int(task["id"]),
        content=content,
        label=_words(targets.get(config.from_name)),
        annotations=len([said for said in everything if not said.get("was_cancelled")]),
        is_labeled=bool(task.get("is_labeled")),
        is_skipped=not submitted and len(annotations) > 0,
        updated_at=str(task.get("updated_at", "")),
        origin=origin,
        answers=tuple(_answer(annotation, config) for annotation in annotations),
        shown=_shown(task.get("data")),
        missing_fields=_missing_fields(task.get("data"), config),
        order_fields=_texts_of(task.get("data"), order_fields),
        targets=targets,
        parts={one.name: task_parts(task.get("data"), one) for one in config.questions if one.parts},
        pictures=task_pictures(task.get("data"), config),
        words="" if content else task_words(task.get("data")),
    )


def task_content(data: object, config: LabelConfig) -> str:
    """What the annotator reads, a block for each object in the order of the config; empty for nothing."""
    if not isinstance(data, dict):
        return ""
    values = (text.fill(data) for text in config.texts)
    return "\n".join(value for value in values if value)


def task_parts(data: object, question: Question) -> tuple[str, ...]:
    """The text of each object that a question is about, in their order; empty where there is none."""
    return tuple(part.fill(data) if isinstance(data, dict) else "" for part in question.parts)


def task_pictures(data: object, config: LabelConfig) -> dict[str, tuple[str, ...]]:
    """Addresses of the pictures of a task, by the name of each object that shows any."""
    if not isinstance(data, dict):
        return {}
    found = {shown.name: shown.addresses(data) for shown in config.pictures}
    return {name: addresses for name, addresses in found.items() if addresses}


def item_hash(content: str, pictures: Mapping[str, Sequence[str]]) -> str:
    """SHA-256 of a text and the addresses beside it, in hex; without pictures `content_hash`."""
    if not pictures:
        return content_hash(content)
    named = [[name, list(addresses)] for name, addresses in sorted(pictures.items())]
    return content_hash(json.dumps([content, named]))


def content_hash(content: str) -> str:
    """SHA-256 of a text, in hex; the empty text has the empty hash."""
    return hashlib.sha256(content.encode("utf-8", "replace")).hexdigest() if content else ""


def intended_answer(annotations: list[Json], config: LabelConfig) -> str | None:
    """What annotations or predictions that came with a task say to the main question, as intentions are kept.

    None where they do not agree, or say nothing. Of several answers of one person the latest counts, whether
    it was given or changed then.
    """
    return pack_intention(_merged(_in_time(annotations), config.questions[0]), config.questions[0])


def merged_targets(annotations: list[Json], config: LabelConfig) -> dict[str, Target]:
    """What people together say, by the name of each question to which they say something."""
    ordered = _in_time(annotations)
    said = [_shown_targets(annotation, config) for annotation in ordered]
    merged: dict[str, Target] = {}
    for question in config.questions:
        answers = [targets.get(question.name) for targets in said]
        if (target := _merge(ordered, answers, question)) is not None:
            merged[question.name] = target
    return _without_hidden(merged, config)


def _shown_targets(annotation: Json, config: LabelConfig) -> dict[str, Target]:
    """What one annotation says, by the name of each question that it shows: what is hidden was not asked.

    Where no answer is an answer, a question that is left empty has that one.
    """
    read = ((question.name, _target(annotation, question)) for question in config.questions)
    targets = _without_hidden({name: target for name, target in read if target is not None}, config)
    empty = {question.name: question.empty for question in config.questions if question.empty is not None}
    if not empty:
        return targets
    left = _left_empty(annotation, config)
    return targets | {name: target for name, target in empty.items() if name in left}


def _left_empty(annotation: Json, config: LabelConfig) -> tuple[str, ...]:
    """The questions that were shown with the answers of one annotation, and got none."""
    said = {
        str(region.get("from_name"))
        for region in _regions(annotation)
        if _says_something(region.get("value"))
    }
    open_ones = [question for question in config.questions if question.name not in said]
    if not any(question.conditions for question in open_ones):
        return tuple(question.name for question in open_ones)
    read = ((question.name, _target(annotation, question)) for question in config.questions)
    targets = {name: target for name, target in read if target is not None}
    shown = set(said_shown(config.questions, targets))
    return tuple(question.name for question in open_ones if question.name in shown)


def _without_hidden(targets: dict[str, Target], config: LabelConfig) -> dict[str, Target]:
    if not any(question.conditions for question in config.questions):
        return targets
    shown = set(said_shown(config.questions, targets))
    return {name: target for name, target in targets.items() if name in shown}


def _in_time(annotations: list[Json]) -> list[Json]:
    return sorted(annotations, key=_said_at)


def _merged(ordered: list[Json], question: Question) -> Target | None:
    return _merge(ordered, [_target(annotation, question) for annotation in ordered], question)


def _merge(ordered: list[Json], answers: Sequence[Target | None], question: Question) -> Target | None:
    """What annotations together say with these answers, one for each; of one person the latest counts."""
    said: dict[object, Target] = {}
    for number, (annotation, target) in enumerate(zip(ordered, answers, strict=True)):
        if target is not None:
            said[_author(annotation) or ("nobody", number)] = target
    return control_of(question.kind).merge(list(said.values()), question) if said else None


def _target(annotation: Json, question: Question) -> Target | None:
    control = control_of(question.kind)
    if isinstance(control, AnsweredByNothing) and not _regions(annotation):
        return control.nothing()
    return control.read(_regions(annotation, question), question)


def _words(target: Target | None) -> str | None:
    """A target as people read it."""
    return None if target is None else ", ".join(target) or NONE_OF_THEM


def _missing_fields(data: object, config: LabelConfig) -> tuple[str, ...]:
    if not isinstance(data, dict):
        return config.text_fields
    return tuple(dict.fromkeys(field for text in config.texts for field in text.missing(data)))


def _texts_of(data: object, fields: Sequence[str]) -> dict[str, str]:
    if not isinstance(data, dict):
        return {}
    found = {field: field_text(data, field).strip() for field in fields}
    return {field: text for field, text in found.items() if text}


def _origin(task: Json, config: LabelConfig, synthetic: SyntheticFields, annotations: list[Json]) -> Origin:
    data = task.get("data")
    if not isinstance(data, dict) or field_text(data, synthetic.field) not in synthetic.values:
        return Origin()
    intended = intended_answer([said for said in annotations if said.get("ground_truth")], config)
    meant = read_intention(data, synthetic.label_field, config.questions[0])
    slices = (field_text(data, field) for field in SLICE_FIELDS)
    return Origin(
        is_synthetic=True,
        generator=field_text(data, GENERATOR_FIELD) or None,
        slice=next(filter(None, slices), None),
        intended_label=intended if meant is None else pack_intention(meant, config.questions[0]),
    )


def _answer(annotation: Json, config: LabelConfig) -> Answer:
    # a skip carries what was chosen before it
    is_skip = bool(annotation.get("was_cancelled"))
    label = None if is_skip else _words(_shown_targets(annotation, config).get(config.from_name))
    return Answer(
        by=_author(annotation),
        at=_created_at(annotation),
        label=label,
        accepted=None if is_skip else _was_kept(annotation, config),
        why_not=_why_not(annotation, config) if label is None else None,
        left=() if is_skip else _left_empty(annotation, config),
    )


def _author(annotation: Json) -> int:
    who = annotation.get("completed_by")
    who = who.get("id") if isinstance(who, dict) else who
    return who if isinstance(who, int) else 0


def _created_at(annotation: Json) -> str:
    return str(annotation.get("created_at") or "")


def _said_at(annotation: Json) -> tuple[datetime, datetime]:
    """When an annotation was last changed, and when it was made."""
    made = _moment(_created_at(annotation))
    return max(_moment(str(annotation.get("updated_at") or "")), made), made


def _moment(text: str) -> datetime:
    """A moment that Label Studio or an import wrote, in whatever zone; none is the first of all."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _was_kept(annotation: Json, config: LabelConfig) -> bool | None:
    regions = _regions(annotation, config.questions[0])
    if annotation.get("parent_prediction") is None or not regions:
        return None
    # "Create Annotations From Predictions" copies regions without saying where they come from
    return any((region.get("origin") or "prediction") == "prediction" for region in regions)


def _why_not(annotation: Json, config: LabelConfig) -> WhyNot:
    if annotation.get("was_cancelled"):
        return "skipped"
    regions = _regions(annotation)
    ours = _regions(annotation, config.questions[0])
    if _target(annotation, config.questions[0]) is not None:
        return "another question"  # ours was answered before it was hidden
    if any(_says_something(region.get("value")) for region in ours):
        return "unknown label"
    return "another question" if len(regions) > len(ours) else "empty"


def _why_no_label(answers: Sequence[Answer]) -> Outcome:
    if any(said.label for said in answers):
        return "in dispute"
    newest = sorted(answers, key=lambda said: _moment(said.at))[::-1]
    reasons = [said.why_not for said in newest if said.why_not]
    return next((why for why in reasons if why != "skipped"), "skipped" if reasons else "")


def _says_something(value: object) -> bool:
    return isinstance(value, dict) and any(part not in (None, "", []) for part in value.values())


def _regions(annotation: Json, question: Question | None = None) -> list[Json]:
    """What an annotation says: to a question, or without one to all."""
    result = annotation.get("result")
    regions = [region for region in result if isinstance(region, dict)] if isinstance(result, list) else []
    return [region for region in regions if question is None or region.get("from_name") == question.name]


def _shown(data: object) -> dict[str, str]:
    if not isinstance(data, dict):
        return {}
    return {name: str(value) for name, value in data.items() if name.startswith(OWN_FIELDS)}
