"""Trains the heads of the questions that are learned through their rows of the table of task types."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.context import Context
from backend.label_studio.controls.question import Question
from backend.label_studio.label_config import LabelConfig
from backend.task_types import questions_beside, task_type
from backend.workflows.intake.question_labels import QuestionLabels
from backend.workflows.intake.snapshot import Snapshot
from backend.workflows.project.workspace import Workspace
from backend.workflows.training.names import learned_name_vectors, name_vectors
from model.encoders import Encoder
from model.heads.measures import measure_answers
from model.heads.trained import Metrics
from model.records import Labels, LabelSpace
from model.task_type import Head, Trained


@dataclass(frozen=True, slots=True, eq=False)
class LearnedQuestion:
    """A head for one question, and the answers (k, c) that it learned from; `audit` (k,) are audit rows."""

    question: Question
    labels: Labels
    trained: Trained
    audit: NDArray[np.bool_]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which answers heads that never saw them gave in every part, (k,); of numbers, nearly enough."""
        off = np.abs(self.trained.out_of_fold.answers - self.labels.targets).max(axis=1, initial=0.0)
        found: NDArray[np.bool_] = off <= (self.trained.metrics.get("tolerance") or 0.0)
        return found

    @property
    def metrics(self) -> Metrics:
        """Its numbers out of fold, under the names that manifests and loops hold."""
        return measure_answers(self.right, self.labels, self.audit) | self.trained.metrics


def learn_questions(workspace: Workspace, snapshot: Snapshot) -> tuple[LearnedQuestion, ...]:
    """A head for each question that has answers, or that can be guessed by the names of its labels."""
    found = (_learn(workspace, snapshot, asked) for asked in snapshot.questions)
    return tuple(one for one in found if one is not None)


def audit_rows(snapshot: Snapshot, labels: Labels) -> NDArray[np.bool_]:
    """Which answers (k,) are about tasks of the audit sample."""
    return np.isin(labels.ids, snapshot.embeddings.ids[snapshot.audit])


def _learn(workspace: Workspace, snapshot: Snapshot, asked: QuestionLabels) -> LearnedQuestion | None:
    learner, labels = task_type(asked.question).learner, asked.labels
    names = learned_name_vectors(workspace, snapshot, asked.question, labels)
    audit = audit_rows(snapshot, labels)
    if not len(labels):
        started = learner.cold_start(names, labels.space)
        return None if started is None else LearnedQuestion(asked.question, labels, started, audit)
    tasks = snapshot.embeddings.take(np.isin(snapshot.embeddings.ids, labels.ids))
    items = snapshot.items.of(asked.question, tasks)
    rng = np.random.default_rng(workspace.seed)
    trained = learner.train(items, labels, names=names, audit=audit, rng=rng)
    return LearnedQuestion(asked.question, labels, trained, audit)


def guess_by_names(context: Context, encoder: Encoder, config: LabelConfig) -> list[tuple[Question, Head]]:
    """A head by the names of the labels for each question beside a first single choice that can have one."""
    found = []
    for question in questions_beside(config):
        names = name_vectors(context, encoder, question.labels)
        space = LabelSpace(tuple(label.name for label in question.labels))
        started = task_type(question).learner.cold_start(names, space)
        if started is not None:
            found.append((question, started.head))
    return found
