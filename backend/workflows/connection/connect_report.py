"""What connect found and did."""

from __future__ import annotations

from dataclasses import dataclass, field

from backend.label_studio.controls.question import Question
from backend.label_studio.queue_settings import Disturbance
from backend.workflows.intake.readable import TextGaps
from backend.workflows.loop_report import LoopReport


@dataclass(slots=True)
class ConnectReport:
    """What connect found and did, in sentences for the terminal and as fields for machines.

    `questions` are those that are answered, the main one first. `not_required`: why no answer is required,
    though that was asked for.
    """

    project: int
    title: str = ""
    user: str = ""
    token: str = ""
    dashboard: str = ""
    questions: tuple[Question, ...] = ()
    ignored: tuple[str, ...] = ()
    other_questions: tuple[str, ...] = ()
    obstacles: tuple[str, ...] = ()
    left_empty: tuple[str, ...] = ()
    gaps: TextGaps = field(default_factory=lambda: TextGaps(0, 0, {}))
    unread_pictures: str = ""
    pictures_outlook: str = ""
    not_required: str = ""
    changes: list[str] = field(default_factory=list)
    loop: LoopReport = field(default_factory=LoopReport)
    served: int | None = None
    expected: int | None = None
    reserved: bool = False
    begun_first: bool = False
    is_pulled: bool = False
    could_explain: bool = False
    disturbances: list[Disturbance] = field(default_factory=list)

    @property
    def question(self) -> str:
        """The name of the main question."""
        return self.questions[0].name if self.questions else ""

    @property
    def labels(self) -> int:
        """How many labels the main question has."""
        return len(self.questions[0].labels) if self.questions else 0

    @property
    def also_answered(self) -> tuple[str, ...]:
        """The names of the others."""
        return tuple(question.name for question in self.questions[1:])

    @property
    def in_order(self) -> bool:
        """Whether Label Studio serves what was published (or what it had reserved for us before)."""
        return self.served == self.expected or self.reserved or self.begun_first

    @property
    def verdict(self) -> str:
        """One sentence about the order."""
        if self.begun_first:
            then = "" if self.expected is None else f", from task {self.expected} on"
            return (
                f"Label Studio gives you task {self.served} first, which others have begun: it serves "
                f"such tasks at random before all others; then comes the order published{then}."
            )
        if self.expected is None:
            return self._why_empty()
        if self.served != self.expected and self.reserved:
            return (
                f"Label Studio gives you task {self.served} first, which it reserved for you earlier; "
                f"then comes the order published, from task {self.expected} on."
            )
        if self.in_order:
            return f"The order served is the order published: task {self.served} comes next."
        return (
            f"The order served is NOT the order published: Label Studio serves task {self.served}, "
            f"published is {self.expected}. Run: nextlabel doctor {self.project}"
        )

    def _why_empty(self) -> str:
        if self.gaps.tasks == 0:
            return "There are no tasks yet: the queue starts when some are imported."
        if self.gaps.is_unreadable:
            return f"There is nothing to read: {'; '.join(self.gaps.sentences)}."
        if self.unread_pictures:
            return f"There is nothing to put in order: {self.unread_pictures}."
        return "There is nothing left to label: the queue is empty."
