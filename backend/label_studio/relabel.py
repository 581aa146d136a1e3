"""Changes of the labels of one question: what becomes of the labeling config, and of each answer.

Pure functions: nothing is read from Label Studio or written to it.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from lxml import etree

from backend.errors import BadRequest
from backend.json_types import Json
from backend.label_studio.choices_xml import (
    add_choices,
    find_control,
    remove_choices,
    rename_choice,
    replace_in_conditions,
    restore_choices,
)
from backend.label_studio.config_xml import parse_xml
from backend.label_studio.controls.question import Label, Question
from backend.label_studio.label_config import Preference, fit_title, parse_label_config
from backend.label_studio.questions import find_questions, find_texts
from backend.label_studio.spelling import find_label

Kind = Literal["merge", "rename", "split"]
_FEWEST_LABELS = 2


@dataclass(frozen=True, slots=True)
class Change:
    """A change of labels. `before`, `both` and `after` are the config on its way: all labels are in `both`.

    `becomes`: for the name of each label that changes, the name that stands in its answers from now on; None
    where the answer is emptied. `added` are the names of labels that `before` lacks.
    """

    kind: Kind
    question: str
    labels: tuple[Label, ...]
    before: str
    both: str
    after: str
    becomes: Mapping[str, str | None]
    added: tuple[str, ...]

    def rewrite(self, result: object) -> list[Json] | None:
        """The result of an annotation after the change; None where it stays as it is.

        Labels that fall together are said once. A region that has a label to be emptied goes as a whole.
        """
        if not isinstance(result, list):
            return None
        kept = [new for region in result for new in self._rewrite_region(region)]
        return None if kept == result else kept

    def _rewrite_region(self, region: Json) -> list[Json]:
        """The region after the change; nothing where it goes."""
        value = region.get("value") if isinstance(region, dict) else None
        choices = value.get("choices") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(choices, list):
            return [region]
        if region.get("from_name") != self.question:
            return [region]
        told = [self._becomes(choice) for choice in choices]
        if None in told:
            return []
        if told == choices:
            return [region]
        return [region | {"value": value | {"choices": list(dict.fromkeys(told))}}]

    def _becomes(self, choice: object) -> object:
        """What stands in place of a choice; one that means no label of the config stays as it is."""
        label = find_label(choice, self.labels) if isinstance(choice, str) else None
        return choice if label is None else self.becomes.get(label, choice)


def plan_change(
    xml: str,
    kind: Kind,
    labels: Sequence[str],
    *,
    preference: Preference,
    question: str = "",
) -> Change:
    """What a change would do to a config; without a `question` to the main one.

    `labels`: of a merge those that go and the one that they go into, of a rename the old and the new name, of
    a split the old label and the new ones. Raises BadRequest, UnsupportedConfig.
    """
    name = question or parse_label_config(xml, preference).from_name
    asked = _question(xml, name)
    if labels and not question:
        _check_is_of(xml, asked, labels[0])
    change = _PLANS[kind](xml, asked, list(labels))
    _check_after(change, asked)
    return change


def used_labels(result: object, question: str, names: Collection[str]) -> set[str]:
    """Which of some labels stand in the answers of a question."""
    regions = result if isinstance(result, list) else []
    ours = [region for region in regions if isinstance(region, dict) and region.get("from_name") == question]
    values = [region.get("value") for region in ours]
    told = [value.get("choices") for value in values if isinstance(value, dict)]
    return {choice for choices in told if isinstance(choices, list) for choice in choices if choice in names}


def added_labels(before: str, after: str, question: str) -> tuple[str, ...]:
    """Names of the labels of a question that one config has and an earlier one has not."""
    known = {label.name for label in _question(before, question).labels}
    return tuple(label.name for label in _question(after, question).labels if label.name not in known)


def with_old_labels(xml: str, before: str, question: str) -> str:
    """A config that somebody edited, with the labels that an earlier one had; BadRequest without question."""
    root = parse_xml(xml, keep_comments=True)
    _question(xml, question)
    restore_choices(root, parse_xml(before, keep_comments=True), question)
    return _written(root)


def _plan_merge(xml: str, asked: Question, labels: Sequence[str]) -> Change:
    *sources, target = labels
    if not sources:
        raise BadRequest("A merge needs two labels at least.", hint="Name what goes, and last what stays.")
    into = _find(asked, target)
    gone = list({label.name: label for label in (_find(asked, source) for source in sources)}.values())
    if into in gone:
        raise BadRequest(f"{into.title!r} cannot be merged into itself.", hint="Name another label.")
    if len(asked.labels) - len(gone) < _FEWEST_LABELS:
        raise BadRequest(
            f"After this merge the question {asked.name!r} would have a single label.",
            hint="A question needs two labels at least: add one first, or merge fewer.",
        )
    root = parse_xml(xml, keep_comments=True)
    control = find_control(root, asked.name)
    for label in gone:
        replace_in_conditions(root, asked.name, label, [into])
    remove_choices(control, {label.name for label in gone})
    becomes = {label.name: into.name for label in gone}
    return _change("merge", asked, (xml, xml, _written(root)), becomes, ())


def _plan_rename(xml: str, asked: Question, labels: Sequence[str]) -> Change:
    if len(labels) != 2:
        raise BadRequest("A rename needs the old name and the new one.", hint="Put quotes around blanks.")
    old = _find(asked, labels[0])
    others = [label for label in asked.labels if label is not old]
    title = fit_title(labels[1], others)
    if title == old.title:
        raise BadRequest(f"The label is called {title!r} already.", hint="Give another name.")
    after = parse_xml(xml, keep_comments=True)
    rename_choice(find_control(after, asked.name), old.name, title)
    name = title if old.name == old.title else old.name
    replace_in_conditions(after, asked.name, old, [Label(name, title)])
    if old.name != old.title:  # results carry the alias, which stays
        becomes: dict[str, str | None] = {old.name: old.name}
        return _change("rename", asked, (xml, _written(after), _written(after)), becomes, ())
    both = parse_xml(xml, keep_comments=True)
    add_choices(find_control(both, asked.name), old.name, [title])
    return _change("rename", asked, (xml, _written(both), _written(after)), {old.name: title}, (title,))


def _plan_split(xml: str, asked: Question, labels: Sequence[str]) -> Change:
    if len(labels) < 1 + _FEWEST_LABELS:
        raise BadRequest("A split needs the label and two new ones at least.", hint="See: classes rename")
    old = _find(asked, labels[0])
    known = list(asked.labels)
    for label in labels[1:]:
        title = fit_title(label, known)
        known.append(Label(title, title))
    new = known[len(asked.labels) :]
    titles = [label.title for label in new]
    root = parse_xml(xml, keep_comments=True)
    control = find_control(root, asked.name)
    add_choices(control, old.name, titles)
    both = _written(root)
    replace_in_conditions(root, asked.name, old, new)
    remove_choices(control, {old.name})
    return _change("split", asked, (xml, both, _written(root)), {old.name: None}, tuple(titles))


_PLANS = {"merge": _plan_merge, "rename": _plan_rename, "split": _plan_split}


def _change(
    kind: Kind,
    asked: Question,
    configs: tuple[str, str, str],
    becomes: Mapping[str, str | None],
    added: tuple[str, ...],
) -> Change:
    before, both, after = configs
    return Change(kind, asked.name, asked.labels, before, both, after, becomes, added)


def _question(xml: str, name: str) -> Question:
    """The question of this name; its control must have labels of its own."""
    root = parse_xml(xml)
    questions = find_questions(root, find_texts(root))
    found = next((question for question in questions if question.name == name), None)
    if found is None:
        there = ", ".join(question.name for question in questions) or "none"
        raise BadRequest(f"The labeling config has no question {name!r}.", hint=f"There are: {there}.")
    find_control(root, name)
    return found


def _check_is_of(xml: str, asked: Question, wanted: str) -> None:
    """Names the question that a label belongs to, where the main one has none of this name."""
    root = parse_xml(xml)
    having = [one for one in find_questions(root, find_texts(root)) if _has(one, wanted)]
    if having and asked.name not in {one.name for one in having}:
        raise BadRequest(
            f"The main question {asked.name!r} has no label {wanted!r}, but {having[0].name!r} has.",
            hint=f"Name the question: --question {having[0].name}",
        )


def _has(question: Question, wanted: str) -> bool:
    wanted = " ".join(wanted.split())
    return any(wanted in (label.name, " ".join(label.title.split())) for label in question.labels)


def _find(asked: Question, wanted: str) -> Label:
    """The label that a person names, by its alias or by what stands on the screen."""
    wanted = " ".join(wanted.split())
    for label in asked.labels:
        if wanted == label.name:
            return label
    titled = [label for label in asked.labels if wanted == " ".join(label.title.split())]
    if len(titled) == 1:
        return titled[0]
    folded = {label.title.casefold(): label.title for label in asked.labels}
    near = difflib.get_close_matches(wanted.casefold(), folded, n=1)
    there = ", ".join(label.title for label in asked.labels)
    raise BadRequest(
        f"The question {asked.name!r} has no label {wanted!r}.",
        hint=f"Did you mean {folded[near[0]]!r}?" if near else f"There are: {there}.",
    )


def _check_after(change: Change, asked: Question) -> None:
    """Whether Label Studio will read what is to be written as these labels, and we as the same question."""
    gone = {name for name, new in change.becomes.items() if new != name}
    expected = {label.name for label in asked.labels if label.name not in gone} | set(change.added)
    try:
        after = _question(change.after, asked.name)
    except BadRequest:  # `$5` makes a label of a field of the task
        after = None
    is_read = after is not None and {label.name for label in after.labels} == expected
    if not is_read or (after and after.obstacle and not asked.obstacle):
        raise BadRequest(
            "Label Studio would not read the new names as labels.", hint="Choose names without signs like $."
        )


def _written(root: etree._Element) -> str:
    return etree.tostring(root, encoding="unicode")
