"""When a question is shown: `visibleWhen` on its control and on every view around it.

Read and told as the editor of Label Studio 1.23.2 does it (`mixins/Visibility.js`): only some tags heed a
condition; a list of values is split at its commas, blanks and all; a question that is hidden has nothing
selected, so that what waits for a choice in it is hidden too, and what waits for none of it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from lxml import etree

from backend.label_studio.config_xml import attribute, kind, lineage
from backend.label_studio.controls.question import Condition, Question

SELECTED, UNSELECTED = "choice-selected", "choice-unselected"
_REGIONS = ("region-selected", "no-region-selected")

# In the editor no other tag can be hidden.
_HEEDS = ("view", "choices", "taxonomy", "textarea", "markdown")

# Kinds of questions of whose answers it can be told whether a choice is selected.
_PARENTS = ("single choice", "several choices")

Targets = Mapping[str, Sequence[str]]


def read_conditions(tag: etree._Element) -> tuple[Condition, ...]:
    """The conditions of a control and of all that it stands in, its own first, each once."""
    found = (_condition(each) for each in lineage(tag) if kind(each) in _HEEDS)
    return tuple(dict.fromkeys(condition for condition in found if condition is not None))


def find_tellable(questions: Sequence[Question], there: Sequence[Question]) -> list[Question]:
    """Those of some questions of which their answers tell whether they are shown, in the order given.

    `there` are all questions of the config. A condition on regions, on a question that is not among
    `questions`, or on one that hangs on it in turn cannot be told.
    """
    told = {question.name: question for question in questions if not question.conditions}
    by_name, before = {question.name: question for question in there}, -1
    while len(told) != before:
        before = len(told)
        for question in questions:
            if all(_can_tell(one, question, told, by_name) for one in question.conditions):
                told[question.name] = question
    return [question for question in questions if question.name in told]


def find_shown(questions: Sequence[Question], targets: Targets) -> dict[str, bool | None]:
    """Whether each question is shown beside these answers, by name; None where they do not tell.

    A question without an entry in `targets` may have any answer; one in which nothing is chosen has an empty
    one.
    """
    by_name = {question.name: question for question in questions}
    found: dict[str, bool | None] = {}
    for question in questions:
        _find(question, by_name, targets, found)
    return found


def keep_shown(questions: Sequence[Question], targets: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The questions that are answered and, beside these answers alone, are shown for sure."""
    shown = find_shown(questions, targets)
    return [name for name in targets if shown.get(name, False)]


def said_shown(questions: Sequence[Question], targets: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The questions that are shown to a person who gave these answers, and nothing to all others."""
    nothing: dict[str, tuple[str, ...]] = {question.name: () for question in questions}
    shown = find_shown(questions, nothing | dict(targets))
    return [question.name for question in questions if shown[question.name]]


def names_meant(condition: Condition, parent: Question) -> tuple[str, ...]:
    """The labels of a question that a condition waits for, by their names; all where it names none."""
    if condition.values is None:
        return tuple(label.name for label in parent.labels)
    if not condition.question:
        return condition.values  # compared with what results carry
    found = (_first_called(value, parent) for value in condition.values)
    return tuple(dict.fromkeys(name for name in found if name is not None))


def parents_of(condition: Condition, question: Question, by_name: Mapping[str, Question]) -> list[Question]:
    """The other questions of whose answers a condition of a question speaks, among those `by_name`.

    One on any choice speaks of all but those that are shown only with a choice themselves.
    """
    if condition.question:
        named = by_name.get(condition.question)
        return [] if named is None or named.name == question.name else [named]
    others = [one for one in by_name.values() if _is_choices(one) and not _waits_for_any(one)]
    return [one for one in others if one.name != question.name]


def in_words(question: Question, questions: Sequence[Question]) -> str:
    """The conditions of a question as they follow "where"; empty where it is always shown."""
    by_name = {one.name: one for one in questions}
    return " and ".join(_words(condition, by_name) for condition in question.conditions)


def _condition(tag: etree._Element) -> Condition | None:
    when, name = attribute(tag, "visibleWhen"), attribute(tag, "whenTagName")
    choice = next((value for key, value in tag.items() if key.lower() == "whenchoicevalue"), None)
    if when in _REGIONS:
        return Condition(when)
    if when in (SELECTED, UNSELECTED):
        # without the name of a question the editor passes over the values
        values = tuple(choice.split(",")) if name and choice is not None else None
        return Condition(when, name, values)
    return Condition(SELECTED, "", (choice,)) if choice and not when else None


def _can_tell(
    condition: Condition, question: Question, told: Mapping[str, Question], there: Mapping[str, Question]
) -> bool:
    if condition.when in _REGIONS:
        return False
    parents = parents_of(condition, question, there)
    return bool(parents) and all(one.name in told and one.kind in _PARENTS for one in parents)


def _find(
    question: Question,
    by_name: Mapping[str, Question],
    targets: Targets,
    found: dict[str, bool | None],
) -> bool | None:
    if question.name not in found:
        found[question.name] = None  # what hangs on itself cannot be told
        each = (_holds(condition, question, by_name, targets, found) for condition in question.conditions)
        found[question.name] = _all(each)
    return found[question.name]


def _holds(
    condition: Condition,
    question: Question,
    by_name: Mapping[str, Question],
    targets: Targets,
    found: dict[str, bool | None],
) -> bool | None:
    if condition.when in _REGIONS:
        return None
    each = [
        _all((_find(parent, by_name, targets, found), _is_selected(condition, parent, targets)))
        for parent in parents_of(condition, question, by_name)
    ]
    selected = _not(_all(_not(one) for one in each)) if each else None
    return selected if condition.when == SELECTED else _not(selected)


def _is_selected(condition: Condition, parent: Question, targets: Targets) -> bool | None:
    if parent.name not in targets or parent.kind not in _PARENTS:
        return None
    return any(name in targets[parent.name] for name in names_meant(condition, parent))


def _first_called(value: str, parent: Question) -> str | None:
    """The first label whose alias or value is this one, as the editor looks for it."""
    return next((label.name for label in parent.labels if value in (label.name, label.title)), None)


def _is_choices(question: Question) -> bool:
    return question.tag.lower() == "choices"


def _waits_for_any(question: Question) -> bool:
    return any(one.when == SELECTED and not one.question for one in question.conditions)


def _all(each: Iterable[bool | None]) -> bool | None:
    """Whether all hold; None where that hangs on one that is not known."""
    known = list(each)
    return False if False in known else None if None in known else True


def _not(value: bool | None) -> bool | None:
    return None if value is None else not value


def _words(condition: Condition, by_name: Mapping[str, Question]) -> str:
    if condition.when in _REGIONS:
        return "a region is selected" if condition.when == _REGIONS[0] else "no region is selected"
    is_selected, parent = condition.when == SELECTED, by_name.get(condition.question)
    if condition.values is None or (parent is None and condition.question):
        where = f" in {condition.question}" if condition.question else ""
        return f"{'something' if is_selected else 'nothing'} is chosen{where}"
    titles = list(_titles(condition, parent))
    named = " or ".join(f"“{title}”" for title in titles) or "none of its labels"
    return f"{condition.question or 'an answer'} is {'' if is_selected else 'not '}{named}"


def _titles(condition: Condition, parent: Question | None) -> Iterator[str]:
    if parent is None:
        yield from condition.values or ()
        return
    titles = {label.name: label.title for label in parent.labels}
    for name in names_meant(condition, parent):
        yield titles[name]
