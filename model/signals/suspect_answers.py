"""Answers that look wrong, whatever was asked: which, how surely, and what they should rather be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.records import Embeddings, Floats, Labels
from model.task_type import Trained

FEWEST = 20  # answers below which none is called suspect

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SuspectAnswers:
    """The k most doubtful of n answers, the most doubtful first.

    `rows` (k,) are their places among the answers, `doubt` (k,) lies in [0, 1], higher = check sooner, and
    `proposed` (k, c) are the answers that they should rather be, in the form of the targets of `Labels`.
    """

    rows: NDArray[np.intp]
    doubt: Floats
    proposed: Floats
    words: str

    @property
    def count(self) -> int:
        """How many answers look wrong."""
        return len(self.rows)

    def taken_back(self, labels: Labels) -> NDArray[np.intp]:
        """How many answers (c,) have each label and should not."""
        return self._changed(labels, sign=-1.0)

    def missing(self, labels: Labels) -> NDArray[np.intp]:
        """How many answers (c,) lack each label and should have it."""
        return self._changed(labels, sign=1.0)

    def _changed(self, labels: Labels, *, sign: float) -> NDArray[np.intp]:
        change = sign * (self.proposed - labels.targets[self.rows])
        found: NDArray[np.intp] = (change > 0).sum(axis=0)
        return found


class FindSuspects(Protocol):
    """Looks for suspect answers of one kind of question."""

    def __call__(
        self,
        items: Embeddings,
        labels: Labels,
        trained: Trained,
        *,
        names: Floats | None,
        rng: np.random.Generator,
    ) -> SuspectAnswers:
        """Suspects among n answers, by what heads that never saw an answer believe of its item.

        names (c, d): unit vectors of what the classes are called. Raises ValueError where rows do not match.
        """
        ...


def gather_suspects(doubt: Numbers, flagged: NDArray[np.bool_], proposed: Floats) -> SuspectAnswers:
    """The flagged (n,) answers by their doubt (n,), with what each of the n should be (n, c)."""
    rows = np.flatnonzero(flagged)
    rows = rows[np.argsort(-doubt[rows], kind="stable")]
    sure = np.clip(doubt[rows], 0.0, 1.0).astype(np.float32)
    return SuspectAnswers(rows, sure, proposed[rows], _say(len(rows), len(doubt)))


def too_early(labels: Labels) -> SuspectAnswers | None:
    """No suspect, with the reason, while there are too few answers; None from 20 on."""
    if len(labels) >= FEWEST:
        return None
    words = f"Too early to suspect an answer: {len(labels)} of the {FEWEST} that it takes."
    return SuspectAnswers(np.zeros(0, np.intp), np.zeros(0, np.float32), labels.targets[:0], words)


def require_beliefs(labels: Labels, trained: Trained) -> None:
    """Raises ValueError unless there is a belief out of fold for each answer, in the same order."""
    if not np.array_equal(trained.out_of_fold.ids, labels.ids):
        raise ValueError("suspect answers: labels and beliefs differ in their ids")


def _say(count: int, total: int) -> str:
    if not count:
        return f"None of the {total} answers looks wrong."
    verb = "looks wrong and is" if count == 1 else "look wrong and are"
    return f"{count} of {total} answers {verb} worth a second look."
