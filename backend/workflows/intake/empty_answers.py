"""Questions that people leave empty: counted, and where that is on purpose, no answer is the answer "none".

Label Studio stores nothing for a question without a tick, whether a person meant that or passed it over. One
task tells nothing; many do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from backend.label_studio.controls.question import Question
from backend.label_studio.label_config import LabelConfig, with_none
from backend.workflows.project.workspace import Workspace

# Fewer are slips: of that many tasks, and of that share of those that show the question.
_FEWEST, _SHARE = 5, 0.1
# What is read so stays so until there is half as much reason: it must not change to and fro with each answer,
# for all tasks are read anew then.
_STAYS = 0.5
SEVERAL_CHOICES = "several choices"


@dataclass(frozen=True, slots=True)
class EmptyAnswers:
    """Of the tasks with answers that were `shown` a question, how many `left` it empty.

    `is_none`: that is read as "none of its labels".
    """

    question: str
    left: int
    shown: int
    is_none: bool
    is_tick: bool

    @property
    def words(self) -> str:
        """One sentence, without its full stop."""
        counted = f"{self.left:,} of {self.shown:,} answered tasks leave {self.question} empty"
        if not self.is_none:
            return f"{counted}: they teach nothing about it"
        return f"{counted}: that is read as {'“no”' if self.is_tick else '“none of them”'}"


def read_none(workspace: Workspace, config: LabelConfig) -> LabelConfig:
    """The config as the answers so far say it: which questions are left empty to say "none of them"."""
    if not any(_may_be_none(question) for question in config.questions):
        return config
    return with_none(config, {one.question for one in count_empty(workspace, config) if one.is_none})


def count_empty(workspace: Workspace, config: LabelConfig) -> list[EmptyAnswers]:
    """How often each question is left empty, in the order of the config; not a first single choice."""
    asked = [question for question in config.questions if question.kind == SEVERAL_CHOICES]
    asked += [question for question in config.questions[1:] if question.kind != SEVERAL_CHOICES]
    if not asked:
        return []
    left: Counter[str] = Counter()
    shown: Counter[str] = Counter()
    said_none: set[str] = set()
    for targets, answers in workspace.tasks.read_answered():
        empty = {name for said in answers for name in said.get("left") or []}
        empty -= {name for name, target in targets.items() if target}
        left.update(empty)
        shown.update(empty | set(targets))
        said_none |= {name for name, target in targets.items() if not target}
    return [_empty(question, left, shown, said_none) for question in config.questions if question in asked]


def empty_words(workspace: Workspace, config: LabelConfig) -> dict[str, str]:
    """A sentence for each question that some left empty, or of which no answer is read as one, by name."""
    found = count_empty(workspace, config)
    return {one.question: one.words for one in found if one.left or one.is_none}


def none_names(config: LabelConfig) -> Sequence[str]:
    """The questions of a config of which no answer says "none of them"."""
    return [question.name for question in config.questions if question.empty is not None]


def _empty(question: Question, left: Counter[str], shown: Counter[str], said_none: set[str]) -> EmptyAnswers:
    name, is_tick = question.name, len(question.labels) == 1 and question.kind == SEVERAL_CHOICES
    ease = _STAYS if name in said_none else 1.0
    enough = left[name] >= _FEWEST * ease and left[name] >= _SHARE * ease * shown[name]
    is_none = question.empty is not None or (_may_be_none(question) and enough)
    return EmptyAnswers(name, left[name], shown[name], is_none, is_tick)


def _may_be_none(question: Question) -> bool:
    return question.kind == SEVERAL_CHOICES and not question.is_required
