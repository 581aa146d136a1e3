"""The account of all answers: which tasks teach the model, why the others do not, and what cures that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backend.json_types import Json
from backend.label_studio.shown_noun import TEXT, Noun
from backend.label_studio.tabs import TITLES
from backend.workflows.project.workspace import Workspace

# In words, after a number of tasks.
_IN_WORDS = {
    "empty": "empty",
    "unknown label": "with an unknown label",
    "in dispute": "in dispute",
    "another question": "with answers to other questions alone",
    "skipped": "skipped",
    "no text": "without a {noun}",
    "unread picture": "with a picture that cannot be read",
}
# A label that is not learned: what it is about has no vector. Only projects of pictures have it.
UNREAD = "unread picture"
REASONS = tuple(reason for reason in _IN_WORDS if reason != UNREAD)
# An answer was given, and could become a label: worth a tab.
CURABLE = ("empty", "unknown label", "in dispute", "another question")
# People skip what fits no label: that needs no cure.
_WANTED = "skipped"

_CURES = {
    "empty": "Empty answers: a click on a choice that is ticked already takes the tick away. Open each in "
    "the tab, choose and update; `connect PROJECT --require` lets nobody submit an empty one.",
    "unknown label": "Unknown labels: name the old label in the labeling config again, as a choice of its "
    "own or as the alias of the new one.",
    "in dispute": "Disputes: one of those who disagree changes the answer, or one more person gives a third.",
    "another question": "Other questions: the answers leave out the main question; it learns nothing from "
    "them.",
    "no text": "Tasks without a {noun}: fill in the field that the labeling config shows.",
    "unread picture": "Pictures that cannot be read: `doctor PROJECT` says which, and why. They are tried "
    "again by and by, and their answers are kept.",
}


@dataclass(frozen=True, slots=True)
class Account:
    """Tasks of people, not synthetic ones: `learned` teach a label, `reasons` count the others by why not.

    `noun` is what the tasks show.
    """

    learned: int
    reasons: Mapping[str, int]
    noun: Noun = TEXT

    @property
    def answered(self) -> int:
        """All that somebody answered or skipped."""
        return self.learned + sum(self.reasons.values())

    @property
    def unread(self) -> int:
        """Those with a label, whose picture cannot be read."""
        return self.reasons.get(UNREAD, 0)

    @property
    def is_well(self) -> bool:
        """Whether every answer but the skips became a label."""
        return not any(count for reason, count in self.reasons.items() if reason != _WANTED)

    @property
    def words(self) -> str:
        """One sentence, without its full stop."""
        if not self.answered:
            return "nothing is answered yet"
        whole = f"{self.learned:,} of {self.answered:,} answered tasks can be learned from"
        if self.reasons.get("another question"):  # which teach the other questions
            whole = f"the main question can learn from {self.learned:,} of {self.answered:,} answered tasks"
        parts = [
            f"{count:,} {self._say(_IN_WORDS[reason])}" for reason, count in self.reasons.items() if count
        ]
        return f"{whole}: {', '.join(parts)}" if parts else whole

    @property
    def cure(self) -> str:
        """What to do about each reason that there is; empty when all is well."""
        if self.is_well:
            return ""
        there = [reason for reason, count in self.reasons.items() if count and reason in _CURES]
        cures = [self._say(_CURES[reason]) for reason in there]
        tab = f"See the tab “{TITLES['no-label']}” in the Data Manager. "
        return (tab if any(self.reasons.get(reason) for reason in CURABLE) else "") + " ".join(cures)

    def _say(self, pattern: str) -> str:
        return pattern.format(noun=self.noun.one)

    def to_json(self) -> Json:
        """All of it."""
        return {
            "answered": self.answered,
            "learned": self.learned,
            "reasons": dict(self.reasons),
            "words": self.words,
            "cure": self.cure,
        }


def read_account(workspace: Workspace) -> Account:
    """The account of a project as its tasks were last read."""
    found = workspace.tasks.count_outcomes()
    reasons = {reason: found.get(reason, 0) for reason in REASONS}
    unread = workspace.pictures.count_unread_answers()
    if unread:
        reasons[UNREAD] = unread
    return Account(found.get("label", 0) - unread, reasons, workspace.noun)
