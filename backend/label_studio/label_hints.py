"""Hints of labels, by `hint` of a <Choice> or by a setting: read as keywords or as a description."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backend.errors import BadRequest
from backend.label_studio.controls.question import Label, Question
from backend.label_studio.spelling import find_label

# Longer parts are of a sentence, and few texts hold one to the letter.
MOST_WORDS_OF_A_KEYWORD = 3
_SENTENCE_ENDS = (".", "!", "?", "。", "！", "？")
_BETWEEN = re.compile(r"[,;，；、\n]")


@dataclass(frozen=True, slots=True)
class Hint:
    """What a hint says: keywords to look for, or a description in a sentence; of the other there is none."""

    keywords: tuple[str, ...] = ()
    description: str = ""


def read_hint(text: str) -> Hint:
    """Short phrases between commas or semicolons are keywords, each once; all else is a description."""
    text = text.strip()
    parts = [" ".join(part.split()) for part in _BETWEEN.split(text)]
    keywords: dict[str, str] = {}
    for part in filter(None, parts):
        keywords.setdefault(part.casefold(), part)
    if not keywords:
        return Hint()
    is_sentence = text.endswith(_SENTENCE_ENDS)
    if is_sentence or any(len(part.split()) > MOST_WORDS_OF_A_KEYWORD for part in keywords):
        return Hint(description=" ".join(text.split()))
    return Hint(keywords=tuple(keywords.values()))


def with_hints(question: Question, hints: Mapping[str, str]) -> Question:
    """The same question, its labels with the hints of a setting; where that has none, the config's stay."""
    named = _by_name(question.labels, hints)
    if not named:
        return question
    labels = tuple(replace(label, hint=named.get(label.name, label.hint)) for label in question.labels)
    return replace(question, labels=labels)


def require_known(questions: Sequence[Question], hints: Mapping[str, str]) -> None:
    """Raises BadRequest for a hint of a label that no question has."""
    known = {spelling for one in questions for spelling in hints if find_label(spelling, one.labels)}
    missing = [spelling for spelling in hints if spelling not in known]
    if missing:
        there = dict.fromkeys(label.title for one in questions for label in one.labels)
        raise BadRequest(
            f"LABEL_HINTS names a label that the config does not have: {missing[0]!r}.",
            hint=f"It has: {', '.join(list(there)[:20])}{' …' if len(there) > 20 else ''}.",
        )


def _by_name(labels: tuple[Label, ...], hints: Mapping[str, str]) -> dict[str, str]:
    found = ((find_label(spelling, labels), hint) for spelling, hint in hints.items())
    return {name: hint for name, hint in found if name is not None}
