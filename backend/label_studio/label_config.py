"""Reads a labeling config: which question we answer, its labels, and where a task's text lies."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from lxml import etree

from backend.errors import BadRequest, UnsupportedConfig
from backend.label_studio.config_xml import attribute, parse_xml, tags
from backend.label_studio.controls.choices import top_choices
from backend.label_studio.controls.conditions import find_tellable
from backend.label_studio.controls.question import SINGLE_CHOICE, Label, Question
from backend.label_studio.label_hints import with_hints
from backend.label_studio.objects.image import ImageTemplate
from backend.label_studio.objects.protocol import Template
from backend.label_studio.questions import find_questions, find_texts, shown_once
from backend.label_studio.tabs import NOTE_FIELD
from model.records import LabelSpace

SUPPORTED = (
    "Supported today: one or several choices among fixed labels, taxonomies, ratings, numbers and pairs, "
    "about what a task shows as text or as pictures."
)

# A choice is a line on a screen, and its name stands in every sentence about it.
_LONGEST_LABEL = 500


@dataclass(frozen=True, slots=True)
class Preference:
    """What decides between several questions: `questions` that an admin names, the one `settled` before,
    and those that people have `answered`. `hints` are what an admin says of labels, by label.
    """

    questions: tuple[str, ...] = ()
    settled: str = ""
    answered: frozenset[str] = frozenset()
    hints: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class LabelConfig:
    """The part of a labeling config that we answer.

    `questions` are all that are answered, the main one first; `from_name`, `to_name`, `labels` are those of
    the main one. `other_controls` are the tags left to the annotator, `other_questions` the names of those
    among them that could be answered too, but that an admin left out, `obstacles` what stands in the way of
    the rest.
    """

    from_name: str
    to_name: str
    labels: tuple[Label, ...]
    texts: tuple[Template, ...]
    other_controls: tuple[str, ...]
    other_questions: tuple[str, ...]
    obstacles: tuple[str, ...]
    questions: tuple[Question, ...]

    @property
    def kind(self) -> str:
        """The kind of the main question."""
        return self.questions[0].kind

    @property
    def space(self) -> LabelSpace:
        """The classes, in the order of the config."""
        return LabelSpace(tuple(label.name for label in self.labels))

    @property
    def text_fields(self) -> tuple[str, ...]:
        """Fields of the task that are read, each once."""
        return tuple(dict.fromkeys(field for text in self.texts for field in text.fields))

    @property
    def pictures(self) -> tuple[ImageTemplate, ...]:
        """Those of `texts` that are pictures."""
        return tuple(shown for shown in self.texts if isinstance(shown, ImageTemplate))

    @property
    def shows_text(self) -> bool:
        """Whether something is read of a task that is no picture."""
        return len(self.pictures) < len(self.texts)


@lru_cache(maxsize=64)  # Label Studio sends the same config with every request
def parse_label_config(xml: str, preference: Preference = Preference()) -> LabelConfig:
    """The questions to answer. Raises BadRequest (no XML), UnsupportedConfig (says what is in the way).

    All that can be are answered; where an admin names some, these alone. The main one: a single choice before
    other kinds, unless people answer only the other; then one that is always shown before one under a
    condition, then answered ones, then required ones.
    """
    root = parse_xml(xml)
    texts = find_texts(root)
    hints = dict(preference.hints)
    questions = tuple(with_hints(one, hints) for one in find_questions(root, texts))
    answered = _answered(questions, preference)
    chosen = answered[0]
    names = {question.name for question in answered}
    others = [question for question in questions if question.name not in names]
    return LabelConfig(
        from_name=chosen.name,
        to_name=chosen.to_name,
        labels=chosen.labels,
        texts=tuple(shown_once(texts).values()),
        other_controls=tuple(question.tag for question in others),
        other_questions=tuple(question.name for question in others if not question.obstacle),
        obstacles=tuple(question.obstacle for question in others if question.obstacle),
        questions=answered,
    )


@lru_cache(maxsize=64)
def shown_pictures(xml: str) -> tuple[bool, tuple[str, ...]]:
    """Whether a config shows a text, and the names of its pictures; what is no config shows a text alone."""
    try:
        texts = find_texts(parse_xml(xml))
    except BadRequest:
        return True, ()
    shown = shown_once(texts).values()
    pictures = tuple(one.name for one in shown if isinstance(one, ImageTemplate))
    return len(pictures) < len(shown) or not shown, pictures


def with_none(config: LabelConfig, names: Collection[str]) -> LabelConfig:
    """The same config, but that to leave these questions empty says "none of them"."""
    questions = tuple(replace(one, empty=()) if one.name in names else one for one in config.questions)
    return replace(config, questions=questions)


def add_label(xml: str, title: str, preference: Preference = Preference()) -> str:
    """The same config with one more choice in the control that we answer; all else is left as it is.

    Raises BadRequest for an empty name, one that is there already or differs by case, blanks or a plural, and
    one that is too long, that no XML can hold, or that Label Studio reads as something else than a label.
    """
    config = parse_label_config(xml, preference)
    title = fit_title(title, config.labels)
    root = parse_xml(xml, keep_comments=True)
    control = _choices_named(root, config.from_name)
    last = list(top_choices(control))[-1]
    added = make_choice(str(last.tag), title)
    added.tail = last.tail
    before = last.getprevious()
    last.tail = before.tail if before is not None else control.text
    last.addnext(added)
    changed = etree.tostring(root, encoding="unicode")
    _check_label(changed, title, preference)
    return changed


def fit_title(title: str, labels: Sequence[Label]) -> str:
    """A name for a class beside some labels, its blanks put right.

    Raises BadRequest for an empty name, one that is too long, and one that differs from that of a label by
    case, blanks, hyphens, underscores or a plural at most.
    """
    title = " ".join(title.split())
    if not title:
        raise BadRequest("The name of a class cannot be empty.")
    if len(title) > _LONGEST_LABEL:
        raise BadRequest(
            f"The name of a class is {len(title):,} letters long.", hint=f"Take at most {_LONGEST_LABEL}."
        )
    for label in labels:
        if _nearly_same(title, label.name) or _nearly_same(title, label.title):
            raise BadRequest(
                f"The project has a label {label.title!r} already, which {title!r} can hardly be told from.",
                hint="Give that label to the tasks, or choose another name.",
            )
    return title


def _choices_named(root: etree._Element, name: str) -> etree._Element:
    found = next((tag for tag in tags(root, "choices") if attribute(tag, "name") == name), None)
    if found is None:
        raise BadRequest(
            f"The question {name!r} has no classes that can be added to.",
            hint="A class can be added to <Choices>.",
        )
    return found


def make_choice(tag: str, title: str) -> etree._Element:
    """A choice of a control. Raises BadRequest for letters that no XML can hold."""
    try:
        return etree.Element(tag, value=title)
    except ValueError:
        raise BadRequest(
            "The name of a class holds a letter that no labeling config can hold.", hint="Type it anew."
        ) from None


def _check_label(xml: str, title: str, preference: Preference) -> None:
    """Whether a config that is not written yet has the label: `$5` makes a label of a field of the task."""
    try:
        names = parse_label_config(xml, preference).space.names
    except UnsupportedConfig:
        names = ()
    if title not in names:
        raise BadRequest(
            f"Label Studio would not read {title!r} as a label.", hint="Choose a name without signs like $."
        )


def _nearly_same(one: str, other: str) -> bool:
    """Whether two names differ by case, blanks, hyphens, underscores or an English plural at most."""
    bare, others = (re.sub(r"[\s_\-]+", "", name.casefold()) for name in (one, other))
    return bare == others or bare in _singulars(others) or others in _singulars(bare)


def _singulars(word: str) -> set[str]:
    patterns = ((r"ies$", "y"), (r"(?<=[sxz])es$|(?<=[cs]h)es$", ""), (r"(?<![su])s$", ""))
    return {re.sub(pattern, singular, word) for pattern, singular in patterns} - {word}


def add_note(xml: str) -> str | None:
    """The same config with a line on top that shows our note on a task; None when it has one."""
    root = parse_xml(xml, keep_comments=True)
    if _notes(root):
        return None
    header = etree.Element("Header", value=f"${NOTE_FIELD}", size="5")
    header.tail = root.text
    root.insert(0, header)
    return etree.tostring(root, encoding="unicode")


def has_note(xml: str) -> bool:
    """Whether a config shows our note on a task."""
    return bool(_notes(parse_xml(xml)))


def remove_note(xml: str) -> str | None:
    """The same config without the line that shows our note on a task; None when it has none."""
    root = parse_xml(xml, keep_comments=True)
    notes = _notes(root)
    for note in notes:
        if (parent := note.getparent()) is not None:
            parent.remove(note)
    return etree.tostring(root, encoding="unicode") if notes else None


def _notes(root: etree._Element) -> list[etree._Element]:
    return [tag for tag in tags(root, "header") if f"${NOTE_FIELD}" in attribute(tag, "value")]


def _choose(questions: Sequence[Question], preference: Preference) -> Question:
    possible = {question.name: question for question in questions if not question.obstacle}
    if preference.questions:
        return _choose_named(questions, possible, preference.questions)
    if preference.settled in possible:
        return possible[preference.settled]
    if not possible:
        reasons = [question.obstacle for question in questions] or ["no tag of it asks a question"]
        raise UnsupportedConfig(
            f"The labeling config has nothing that can be learned yet: {'; '.join(reasons)}.", hint=SUPPORTED
        )
    return min(possible.values(), key=lambda one: _rank(one, preference.answered))


def _rank(question: Question, answered: frozenset[str]) -> tuple[bool, ...]:
    """What decides between questions, lowest first: for one choice the whole loop is there.

    A lone tick, which says something where it is left empty, is mostly a remark beside the question.
    """
    is_tick, is_other = question.empty is not None, question.kind != SINGLE_CHOICE
    return (
        question.is_conditional,
        is_tick,
        question.name not in answered,
        is_other,
        not question.is_required,
    )


def _answered(questions: Sequence[Question], preference: Preference) -> tuple[Question, ...]:
    """The questions that are answered: the main one, then all others in the order of the config.

    One under a condition is left to people where the other answers do not tell whether it is shown. The main
    one is answered all the same, as if it were always shown.
    """
    chosen = _choose(questions, preference)
    wanted = _wanted(questions, preference)
    told = find_tellable(wanted, questions)
    if chosen not in told:
        always = replace(chosen, conditions=())
        wanted = [always if one is chosen else one for one in wanted]
        told, chosen = find_tellable(wanted, questions), always
    return (chosen, *(one for one in told if one is not chosen))


def _wanted(questions: Sequence[Question], preference: Preference) -> list[Question]:
    """The questions that can be answered, in the order of the config; those that an admin names, if any."""
    possible = [one for one in questions if not one.obstacle]
    return [one for one in possible if not preference.questions or one.name in preference.questions]


def _choose_named(
    questions: Sequence[Question], possible: dict[str, Question], names: tuple[str, ...]
) -> Question:
    for name in names:
        if name in possible:
            return possible[name]
    there = {question.name: question.obstacle for question in questions}
    reasons = [there.get(name) or f'the config has no question "{name}"' for name in names]
    raise UnsupportedConfig(
        f"QUESTIONS names what cannot be answered: {'; '.join(reasons)}.",
        hint=f"Those that can: {', '.join(possible) or 'none'}. {SUPPORTED}",
    )
