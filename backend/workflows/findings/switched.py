"""What a changed labeling config did to the answers that the version before had learned from."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from backend.errors import NextlabelError
from backend.label_studio.controls.question import Question
from backend.label_studio.label_config import LabelConfig, parse_label_config
from backend.label_studio.spelling import find_label
from backend.task_types import is_single_choice, task_type
from backend.workflows.intake.earlier_questions import answered_then
from backend.workflows.intake.question_labels import QuestionLabels
from backend.workflows.intake.snapshot import Snapshot
from backend.workflows.project.figures import QuestionSwitch
from backend.workflows.project.workspace import Workspace
from model.records import Ids, Labels

logger = logging.getLogger(__name__)


def find_switches(workspace: Workspace, config: LabelConfig, snapshot: Snapshot) -> list[QuestionSwitch]:
    """The questions that are asked otherwise than when the version in use was made; mostly none.

    Call it before another version is in use. Answers are compared by task: what was given or taken back
    meanwhile is no doing of the config.
    """
    version = workspace.state.active_version
    then = None if version is None else answered_then(workspace, version)
    if then is None:
        return []
    before = {asked.question.name: asked for asked in then}
    now = {asked.question.name: asked for asked in _answered_now(config, snapshot)}
    there = snapshot.embeddings.ids[~(snapshot.pool | snapshot.skipped)]
    names = [*now, *(name for name in before if name not in now)]
    found = [_compare(name, before.get(name), now.get(name), there) for name in names]
    switches = [switch for switch in found if switch is not None]
    if switches:
        switches = _tell_ours(workspace, switches, before, now)
        logger.info(
            "config switched project=%s questions=%s kept=%s lost=%s",
            workspace.label_studio_id,
            len(switches),
            sum(switch.kept for switch in switches),
            sum(switch.lost for switch in switches),
        )
    return switches


def _tell_ours(
    workspace: Workspace,
    switches: Sequence[QuestionSwitch],
    before: Mapping[str, QuestionLabels],
    now: Mapping[str, QuestionLabels],
) -> list[QuestionSwitch]:
    """Says which questions changes made here, or taken back, lead to from what was asked before."""
    changes = [
        (_questions(workspace, row.config_before), _questions(workspace, row.config_after))
        for row in workspace.relabellings.finished()
    ]

    def is_ours(name: str) -> bool:
        return name in before and name in now and _leads(before[name].question, now[name].question, changes)

    return [switch.model_copy(update={"is_ours": is_ours(switch.name)}) for switch in switches]


def _questions(workspace: Workspace, xml: str) -> dict[str, Question]:
    """The questions of a config by name; none where it cannot be read any more."""
    try:
        return {one.name: one for one in parse_label_config(xml, workspace.preference).questions}
    except NextlabelError:
        return {}


def _leads(
    start: Question, end: Question, changes: Sequence[tuple[Mapping[str, Question], Mapping[str, Question]]]
) -> bool:
    """Whether changes, in either direction, lead from a question as it was asked to how it is asked now."""
    reached, waiting = [_asks(start)], [_asks(start)]
    pairs = [
        (_asks(one[start.name]), _asks(other[start.name]))
        for one, other in changes
        if start.name in one and start.name in other
    ]
    steps = [*pairs, *((other, one) for one, other in pairs)]
    while waiting:
        here = waiting.pop()
        for there in [after for before, after in steps if before == here and after not in reached]:
            reached.append(there)
            waiting.append(there)
    return _asks(end) in reached


def _answered_now(config: LabelConfig, snapshot: Snapshot) -> Sequence[QuestionLabels]:
    first = (QuestionLabels(config.questions[0], snapshot.labels),) if is_single_choice(config) else ()
    return (*first, *snapshot.questions)


def _compare(
    name: str, before: QuestionLabels | None, now: QuestionLabels | None, there: Ids
) -> QuestionSwitch | None:
    """What became of one question; `there` are the tasks that still have an answer of some kind."""
    if before is None:
        return None if now is None else _came_or_went(name, kind=now.question.kind)
    if now is None:
        left = int(np.isin(before.labels.ids, there).sum())
        return _came_or_went(name, kind_before=before.question.kind, lost=left)
    if _asks(before.question) == _asks(now.question):
        return None
    gone = _gone(before.question, now.question)
    is_kept = np.isin(before.labels.ids, now.labels.ids)
    # an answer that somebody merged into another label has as many as before
    is_less = _ticks(now.labels, before.labels.ids) < _ticks(before.labels, before.labels.ids)
    is_partly = is_kept & is_less & before.labels.targets[:, gone].any(axis=1)
    return QuestionSwitch(
        name=name,
        kind_before=before.question.kind,
        kind=now.question.kind,
        is_shown_otherwise=before.question.conditions != now.question.conditions,
        labels_gone=int(gone.sum()),
        labels_new=_count_new(before.question, now.question),
        kept=int(is_kept.sum()),
        partly=int(is_partly.sum()),
        lost=int((~is_kept & np.isin(before.labels.ids, there)).sum()),
    )


def _came_or_went(name: str, *, kind_before: str = "", kind: str = "", lost: int = 0) -> QuestionSwitch:
    return QuestionSwitch(
        name=name,
        kind_before=kind_before,
        kind=kind,
        is_shown_otherwise=False,
        labels_gone=0,
        labels_new=0,
        kept=0,
        partly=0,
        lost=lost,
    )


def _ticks(labels: Labels, ids: Ids) -> NDArray[np.float64]:
    """How much each answer ticks, of tasks `ids` (n,); 0 where there is none."""
    found = dict(zip(labels.ids.tolist(), labels.targets.sum(axis=1).tolist(), strict=True))
    return np.array([found.get(task_id, 0.0) for task_id in ids.tolist()])


def _asks(question: Question) -> tuple[object, ...]:
    return question.kind, [label.name for label in question.labels], question.conditions


def _gone(before: Question, now: Question) -> NDArray[np.bool_]:
    """Which labels of a question (c,) mean nothing in another; the number itself is no label."""
    names = [label.name for label in before.labels]
    if _is_number(before) or _is_number(now):
        return np.zeros(len(names), dtype=bool)
    return np.array([find_label(name, now.labels) is None for name in names], dtype=bool)


def _count_new(before: Question, now: Question) -> int:
    """How many labels are there that no label of before means."""
    if _is_number(before) or _is_number(now):
        return 0
    known = {find_label(label.name, now.labels) for label in before.labels}
    return sum(label.name not in known for label in now.labels)


def _is_number(question: Question) -> bool:
    return task_type(question).is_number
