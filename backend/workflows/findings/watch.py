"""What a loop finds out about its own project: accuracy, trust, doubt in labels, agreement of people."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from backend.label_studio.label_config import LabelConfig
from backend.task_types import TASK_TYPES, task_type
from backend.workflows.findings.accuracy import (
    accuracy_figures,
    calibration_figures,
    class_rows,
    nothing_judged,
    rest_figures,
)
from backend.workflows.findings.notes import Note, coarse_ranks
from backend.workflows.findings.outlook import look_ahead
from backend.workflows.findings.questions import measure_questions
from backend.workflows.findings.suspects import find_question_suspects, note_suspects, tell_suspects
from backend.workflows.findings.waits import Blind, Schedule, list_waits, say
from backend.workflows.intake.snapshot import Snapshot
from backend.workflows.project.figures import (
    AcceptanceRow,
    AgreementRow,
    Signals,
    Suspects,
    TrustedSuggestions,
)
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving.lines import choose_words, confidence_line
from backend.workflows.serving.serving import Serving
from backend.workflows.training.learn import Learned
from model.audit import audit_hash
from model.records import Floats, Ids
from model.signals.agreement import measure_agreement
from model.signals.honest_accuracy import HonestAccuracy, asked_blind, measure_accuracy, measure_right
from model.signals.label_errors import SuspectLabels, find_suspects
from model.signals.trusted import Trusted, certify_threshold

_MOST_SUSPECTS = 100
_MOST_READY = 500
_MOST_READY_LINES = 12
_FEWEST_OF_A_BIN, _MOST_BINS = 15, 10

# Opens a part by its name; what goes wrong in it is noted, and ends that part alone.
Step = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Watched:
    """The signals, and the notes that follow from them."""

    signals: Signals
    notes: dict[int, Note] = field(default_factory=dict)


def watch(workspace: Workspace, learned: Learned, serving: Serving, *, step: Step) -> Watched:
    """Everything that can be said about a project after a training. Without labels there is nothing.

    Each part is measured within its own `step`, so that one that fails takes no other with it.
    """
    seen = learned.seen
    if not len(seen.labels):
        return Watched(_before_the_first_label(workspace, learned, serving.config.kind))
    if learned.choice is None:
        return _watch_answers(workspace, learned, serving, step=step)
    beliefs = serving.head.probabilities(seen.pool_features, serving.version).values
    blind = _blind(workspace, learned)
    right = learned.trained.out_of_fold.values.argmax(axis=1) == seen.labels.classes
    schedule = _schedule(workspace, seen)
    signals, trusted = Signals(), None
    notes: dict[int, Note] = {}
    with step("measuring accuracy"):
        accuracy = _accuracy(workspace, learned, beliefs, blind)
        signals.accuracy = accuracy_figures(accuracy, right=right, schedule=schedule)
        held_out = learned.trained.out_of_fold.values.max(axis=1).astype(np.float64)
        sure = _confidence(beliefs)
        signals.rest = rest_figures(
            right, held_out, accuracy, sure=sure, blind=blind, open_tasks=seen.open_tasks
        )
        signals.macro_f1 = accuracy.macro_f1.value if accuracy.macro_f1 else None
        signals.per_class = class_rows(learned, accuracy, beliefs)
        signals.calibration = calibration_figures(learned)
    with step("measuring other questions"):
        signals.questions = measure_questions(workspace, learned, seen.labels.ids[blind], serving.config)
    with step("certifying suggestions"):
        trusted = _trusted(workspace, learned, beliefs, blind)
        signals.trusted = _trusted_figures(trusted)
        notes |= _ready_notes(learned, beliefs, trusted, serving.config)
    with step("looking for wrong labels"):
        suspects = _suspects(workspace, learned)
        signals.suspects = Suspects(words=suspects.words, count=suspects.count)
        notes |= _suspect_notes(learned, suspects)
        notes = _doubt_other_questions(workspace, learned, signals) | notes
    with step("comparing people"):
        signals.acceptance = _acceptance(workspace)
        signals.agreement = _agreement(workspace, learned)
    with step("looking ahead"):
        ahead = look_ahead(workspace, learned=learned, serving=serving, beliefs=beliefs, blind=blind)
        signals.curve, signals.random_curve = ahead.curve, ahead.random_curve
        signals.advantage, signals.forecast, signals.advice = ahead.advantage, ahead.forecast, ahead.advice
    with step("counting what is lacking"):
        judged = _judged(learned, blind, right)
        signals.waits = list_waits(signals, blind=judged, schedule=schedule, trusted=trusted)
        _say_what_waits(signals)
    return Watched(signals, notes)


def _watch_answers(workspace: Workspace, learned: Learned, serving: Serving, *, step: Step) -> Watched:
    """What can be said where the first question is no single choice: its answers are right whole, or not."""
    signals, seen, first = Signals(), learned.seen, learned.first
    notes: dict[int, Note] = {}
    if first is None:
        return Watched(_before_the_first_label(workspace, learned, serving.config.kind))
    schedule = _schedule(workspace, seen)
    with step("measuring accuracy"):
        blind = _blind(workspace, learned)
        pool = seen.items.of(first.question, seen.pool_embeddings)
        sure = first.trained.head.believe(pool, serving.version).confidence
        held_out = first.trained.out_of_fold.confidence.astype(np.float64)
        accuracy = measure_right(
            first.right,
            held_out,
            audit=first.audit,
            blind=blind,
            unlabelled_confidence=sure,
            position=_label_positions(seen.labelled_at),
        )
        signals.accuracy = accuracy_figures(accuracy, right=first.right, schedule=schedule)
        # tasks that lack a part that the question is about are left out
        open_tasks = len(sure) + seen.open_unencoded
        signals.rest = rest_figures(
            first.right, held_out, accuracy, sure=sure, blind=blind, open_tasks=open_tasks
        )
        signals.questions = measure_questions(workspace, learned, seen.labels.ids[blind], serving.config)
        mean = float(held_out[blind].mean()) if blind.any() else 0.0
        judged = Blind(answers=int(blind.sum()), right=int(first.right[blind].sum()), sure=mean)
        waits = list_waits(signals, blind=judged, schedule=schedule, trusted=None)
        # the other findings never come for these kinds
        signals.waits = [wait for wait in waits if wait.of == "accuracy"]
        signals.accuracy.words += f" It is the share of {task_type(first.question).metric}."
    with step("looking for wrong labels"):
        notes = _doubt_other_questions(workspace, learned, signals)
        signals.suspects = next(
            (told.suspects for told in signals.questions if told.name == first.question.name), None
        )
    with step("comparing people"):
        signals.acceptance = _acceptance(workspace)
    return Watched(signals, notes)


def _doubt_other_questions(workspace: Workspace, learned: Learned, signals: Signals) -> dict[int, Note]:
    """Suspect answers of the questions that are learned through their rows, told beside their figures."""
    suspects = find_question_suspects(workspace, learned)
    tell_suspects(signals.questions, suspects)
    return note_suspects(suspects)


def _before_the_first_label(workspace: Workspace, learned: Learned, kind: str) -> Signals:
    """What is lacking, and how many answers that takes."""
    signals = Signals(accuracy=nothing_judged())
    nothing = Blind(answers=0, right=0, sure=0.0)
    schedule, by_names = _schedule(workspace, learned.seen), learned.starts_from_names
    waits = list_waits(signals, blind=nothing, schedule=schedule, trusted=None, by_names=by_names)
    signals.waits = [wait for wait in waits if TASK_TYPES[kind].has_curve or wait.of == "accuracy"]
    return signals


def _say_what_waits(signals: Signals) -> None:
    """In place of words that only say that it is too early."""
    waits = {wait.of: wait for wait in signals.waits}
    if signals.forecast is not None and "forecast" in waits:
        signals.forecast.words = say(waits["forecast"])
    if signals.advantage is not None and "advantage" in waits:
        signals.advantage.words = say(waits["advantage"])


def _schedule(workspace: Workspace, seen: Snapshot) -> Schedule:
    return Schedule(labels=len(seen.labels), pool=seen.open_tasks, share=workspace.settings.audit_share)


def _judged(learned: Learned, blind: NDArray[np.bool_], right: NDArray[np.bool_]) -> Blind:
    sure = _confidence(learned.trained.out_of_fold.values[blind])
    mean = float(sure.mean(dtype=np.float64)) if len(sure) else 0.0
    return Blind(answers=int(blind.sum()), right=int(right[blind].sum()), sure=mean)


def blind_ids(workspace: Workspace, learned: Learned) -> Ids:
    """The labelled tasks that were asked blind."""
    ids = learned.seen.labels.ids
    return ids[_blind(workspace, learned)] if len(ids) else ids


def _blind(workspace: Workspace, learned: Learned) -> NDArray[np.bool_]:
    """Which labelled rows were asked because they belong to the audit sample."""
    seen, settings = learned.seen, workspace.settings
    blind = asked_blind(
        _audit_rank(workspace, seen)[seen.labelled] - _lost_before(workspace, seen),
        _label_positions(seen.labelled_at),
        window=settings.queue_window,
        audit_share=settings.audit_share,
    )
    return blind & seen.audit[seen.labelled]


def _audit_rank(workspace: Workspace, seen: Snapshot) -> NDArray[np.intp]:
    everything = np.concatenate([seen.embeddings.ids, seen.unencoded])
    by_hash = np.argsort(audit_hash(everything, workspace.seed))
    audit_rank = np.empty(len(by_hash), dtype=np.intp)
    audit_rank[by_hash] = np.arange(len(by_hash))
    return audit_rank[: len(seen.embeddings)]


def _lost_before(workspace: Workspace, seen: Snapshot) -> NDArray[np.intp]:
    """For each labelled row, how many before it in the audit order had been lost by then."""
    if not seen.lost:
        return np.zeros(len(seen.labelled_at), dtype=np.intp)
    lost = audit_hash(np.array(list(seen.lost), dtype=np.int64), workspace.seed)
    mine = audit_hash(seen.labels.ids, workspace.seed)
    was_lost = np.array(list(seen.lost.values()))[None, :] < np.array(seen.labelled_at)[:, None]
    counts: NDArray[np.intp] = ((lost[None, :] < mine[:, None]) & was_lost).sum(axis=1)
    return counts


def _accuracy(
    workspace: Workspace, learned: Learned, beliefs: Floats, blind: NDArray[np.bool_]
) -> HonestAccuracy:
    seen = learned.seen
    return measure_accuracy(
        learned.trained.out_of_fold.values,
        seen.labels.classes,
        audit=seen.audit[seen.labelled],
        blind=blind,
        unlabelled_confidence=_confidence(beliefs),
        space=seen.labels.space,
        rng=np.random.default_rng(workspace.seed),
        position=_label_positions(seen.labelled_at),
    )


def _label_positions(labelled_at: Sequence[str]) -> NDArray[np.intp]:
    """How many labels there were before each."""
    order = np.argsort(np.array(labelled_at), kind="stable")
    positions = np.empty(len(order), dtype=np.intp)
    positions[order] = np.arange(len(order))
    return positions


def _trusted(workspace: Workspace, learned: Learned, beliefs: Floats, blind: NDArray[np.bool_]) -> Trusted:
    """By blind labels alone: like the items without a label, they were not chosen by a strategy."""
    out_of_fold = learned.trained.out_of_fold.values
    right = out_of_fold.argmax(axis=1) == learned.seen.labels.classes
    return certify_threshold(
        _confidence(out_of_fold[blind]),
        right[blind],
        unlabelled_confidence=_confidence(beliefs),
        precision=workspace.settings.preannotate_precision,
    )


def _suspects(workspace: Workspace, learned: Learned) -> SuspectLabels:
    seen, settings = learned.seen, learned.trained.settings
    return find_suspects(
        seen.features.take(seen.labelled),
        seen.labels,
        out_of_fold=learned.trained.out_of_fold.values,
        inverse_regularisation=settings.inverse_regularisation or 1.0,
        prior_weight=settings.prior_weight,
        name_vectors=learned.name_vectors,
        rng=np.random.default_rng(workspace.seed),
        neighbour_graph=learned.neighbour_graph,
    )


def _confidence(beliefs: Floats) -> Floats:
    highest: Floats = beliefs.max(axis=1) if len(beliefs) else np.zeros(0, dtype=np.float32)
    return highest


def _trusted_figures(trusted: Trusted) -> TrustedSuggestions:
    return TrustedSuggestions(
        words=trusted.words,
        threshold=trusted.threshold,
        coverage=trusted.coverage,
        precision=trusted.precision,
    )


def _acceptance(workspace: Workspace) -> list[AcceptanceRow]:
    """Kept pre-annotations by the version that served when they were submitted."""
    published = workspace.loops.publication_times()
    moments = [moment for moment, _version in published]
    counts: dict[str, list[int]] = {version: [0, 0] for _moment, version in published}
    for answer in chain.from_iterable(workspace.tasks.read_answers()):
        if answer.get("accepted") is None or not answer["at"]:
            continue
        earlier = bisect_right(moments, _database_time(str(answer["at"])))
        if earlier:
            count = counts[published[earlier - 1][1]]
            count[0] += bool(answer["accepted"])
            count[1] += 1
    return [
        AcceptanceRow(version=version, accepted=accepted, shown=shown)
        for version, (accepted, shown) in counts.items()
        if shown
    ]


def _database_time(moment: str) -> datetime:
    """A moment of Label Studio as the database keeps it: in UTC, without saying so."""
    return datetime.fromisoformat(moment).astimezone(UTC).replace(tzinfo=None)


def _agreement(workspace: Workspace, learned: Learned) -> list[AgreementRow]:
    """Each annotator beside the others on shared tasks; `labels` are all that he gave."""
    columns = {name: column for column, name in enumerate(learned.seen.labels.space.names)}
    given = Counter(
        int(answer["by"])
        for answer in chain.from_iterable(workspace.tasks.read_answers())
        if answer.get("label") in columns
    )
    said = {
        (task_id, int(answer["by"])): columns[str(answer["label"])]
        for task_id, answers in workspace.tasks.read_shared_answers()
        for answer in answers
        if answer.get("label") in columns
    }
    found = measure_agreement(
        np.array([task_id for task_id, _ in said], dtype=np.int64),
        np.array([by for _, by in said], dtype=np.int64),
        np.array(list(said.values()), dtype=np.intp),
    )
    return [
        AgreementRow(annotator=one.annotator, labels=given[one.annotator], kappa=one.kappa, n=one.shared)
        for one in found.annotators
    ]


def _ready_notes(learned: Learned, beliefs: Floats, trusted: Trusted, config: LabelConfig) -> dict[int, Note]:
    """The surest tasks above the certified threshold. Audit tasks are asked blind, so never among them."""
    if trusted.threshold is None:
        return {}
    seen, confidence = learned.seen, _confidence(beliefs)
    sure = (confidence >= trusted.threshold) & ~seen.audit[seen.pool]
    rows = np.flatnonzero(sure)
    rows = rows[np.argsort(-confidence[rows], kind="stable")][:_MOST_READY]
    ids, names = seen.embeddings.ids[seen.pool][rows].tolist(), seen.labels.space.names
    lines = {
        task_id: confidence_line(names[int(beliefs[row].argmax())], float(confidence[row])).of_first(config)
        for task_id, row in zip(ids, rows.tolist(), strict=True)
    }
    words, ranks = choose_words(lines, most=_MOST_READY_LINES), coarse_ranks(len(ids))
    return {task_id: Note("ready", words[task_id], rank) for task_id, rank in zip(ids, ranks, strict=True)}


def _suspect_notes(learned: Learned, suspects: SuspectLabels) -> dict[int, Note]:
    labels, names = learned.seen.labels, learned.seen.labels.space.names
    rows = np.flatnonzero(suspects.flagged)
    rows = rows[np.argsort(-suspects.doubt[rows], kind="stable")][:_MOST_SUSPECTS]
    ranks = coarse_ranks(len(rows))
    return {
        int(labels.ids[row]): Note(
            "suspect",
            f"Labelled {names[labels.classes[row]]}; tasks like it say {names[suspects.suggested[row]]}.",
            rank,
        )
        for row, rank in zip(rows.tolist(), ranks, strict=True)
    }
