"""What the annotations of an export say to each question, and what of them is odd."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from backend.label_studio.controls.protocol import Target
from backend.label_studio.controls.question import SINGLE_CHOICE
from backend.simulation.asked import NUMBER, RATING, SEVERAL_CHOICES, to_target
from backend.simulation.left_out import some
from backend.simulation.spoken import NUMBER_KEYS, WORDS_KEY, Said, read_said

# What says where in the text, the picture or the sound an answer stands.
_OF_A_PART = frozenset({"start", "end", "startOffset", "endOffset", "x", "y", "points", "ranges"})
_OURS = (WORDS_KEY, *NUMBER_KEYS)


@dataclass(frozen=True, slots=True)
class Answers:
    """For each task what each annotation says, by question; the kind of each question; what was odd."""

    tasks: list[dict[str, list[Target]]]
    kinds: dict[str, str]
    notes: list[str]


@dataclass(slots=True)
class _Oddities:
    """What is passed over or read in another place, by question: the tasks where it stands."""

    of_parts: dict[str, list[str]] = field(default_factory=dict)
    renamed: dict[str, list[str]] = field(default_factory=dict)
    unread: dict[str, list[str]] = field(default_factory=dict)

    def sentences(self) -> list[str]:
        """One for each kind of oddity that there is."""
        parts = {
            "Answers about a part of a task (perRegion) are not read": self.of_parts,
            "Answers under another key than their type's are read": self.renamed,
            "Answers of other kinds or shapes are not read": self.unread,
        }
        return [f"{what}: {_listed(found)}." for what, found in parts.items() if found]


def read_answers(places: Sequence[str], annotations: Sequence[Sequence[dict[str, Any]]]) -> Answers:
    """Reads every annotation of every task; `places` say which task it is, as a sentence names it."""
    odd = _Oddities()
    said: list[dict[str, list[tuple[str, Said]]]] = []
    for where, of_task in zip(places, annotations, strict=True):
        task: dict[str, list[tuple[str, Said]]] = {}
        for annotation in of_task:
            for name, answer in _read_annotation(annotation, where, odd).items():
                task.setdefault(name, []).append(answer)
        said.append(task)
    kinds = _kinds(said)
    tasks = [_to_targets(task, kinds, where, odd) for where, task in zip(places, said, strict=True)]
    kinds = {name: kind for name, kind in kinds.items() if any(name in task for task in tasks)}
    return Answers(tasks, kinds, odd.sentences())


def _read_annotation(annotation: dict[str, Any], where: str, odd: _Oddities) -> dict[str, tuple[str, Said]]:
    """The last answer to each question, with its key; others are noted as odd."""
    result = annotation.get("result")
    regions = [region for region in result if isinstance(region, dict)] if isinstance(result, list) else []
    owners: dict[str, set[str]] = {}
    for region in regions:
        if region.get("id") is not None:
            owners.setdefault(str(region["id"]), set()).add(str(region.get("from_name")))
    found: dict[str, tuple[str, Said]] = {}
    for region in regions:
        name, value = region.get("from_name"), region.get("value")
        if not name or not isinstance(value, dict):
            continue
        is_shared = len(owners.get(str(region.get("id")), ())) > 1
        answer = _read_region(
            region, value, where, odd, is_of_part=is_shared or bool(_OF_A_PART & value.keys())
        )
        if answer is not None:
            found[str(name)] = answer
    return found


def _read_region(
    region: dict[str, Any], value: dict[str, Any], where: str, odd: _Oddities, *, is_of_part: bool
) -> tuple[str, Said] | None:
    name, kind = str(region["from_name"]), str(region.get("type"))
    key = next((key for key in _OURS if key in value), None)
    if is_of_part and (key or kind in _OURS):
        odd.of_parts.setdefault(name, []).append(where)
        return None
    if key is None and kind in _OURS and len(value) == 1:
        key, value = kind, {kind: next(iter(value.values()))}
        odd.renamed.setdefault(name, []).append(where)
    try:
        said = None if key is None else read_said(value[key], is_table=False)
    except ValueError:
        said = None
    if said is None:
        if any(part not in (None, "", []) for part in value.values()) and not is_of_part:
            odd.unread.setdefault(f"{name} ({kind})", []).append(where)
        return None
    return str(key), said


def _kinds(tasks: Sequence[dict[str, list[tuple[str, Said]]]]) -> dict[str, str]:
    """The kind of each question: by the key under which most answers stand, and how many words they have."""
    answers: dict[str, list[tuple[str, Said]]] = {}
    for task in tasks:
        for name, said in task.items():
            answers.setdefault(name, []).extend(said)
    return {name: _kind(said) for name, said in answers.items()}


def _kind(answers: Sequence[tuple[str, Said]]) -> str:
    (key, _count), *_ = Counter(key for key, _ in answers).most_common(1)
    if key != WORDS_KEY:
        return RATING if key == RATING else NUMBER
    several = any(len(said.words) > 1 for key, said in answers if key == WORDS_KEY)
    return SEVERAL_CHOICES if several else SINGLE_CHOICE


def _to_targets(
    task: dict[str, list[tuple[str, Said]]], kinds: dict[str, str], where: str, odd: _Oddities
) -> dict[str, list[Target]]:
    found: dict[str, list[Target]] = {}
    for name, answers in task.items():
        for key, said in answers:
            try:
                if (key == WORDS_KEY) != (kinds[name] in (SINGLE_CHOICE, SEVERAL_CHOICES)):
                    raise ValueError("of another kind")
                target = to_target(said, kinds[name])
            except ValueError:
                odd.unread.setdefault(f"{name} ({key})", []).append(where)
                continue
            if target:
                found.setdefault(name, []).append(target)
    return found


def _listed(found: dict[str, list[str]]) -> str:
    return "; ".join(f"{name!r} in {len(places):,} ({some(places)})" for name, places in found.items())
