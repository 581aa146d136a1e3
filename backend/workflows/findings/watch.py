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

from backend.workflows.findings.notes import Note, coarse_ranks
from backend.workflows.findings.outlook import look_ahead
from backend.workflows.project.figures import (
    AcceptanceRow,
    Accuracy,
    AgreementRow,
    Bin,
    Calibration,
    ClassRow,
    Range,
    Signals,
    Suspects,
    TrustedSuggestions,
)
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving.serving import Serving
from backend.workflows.training.learn import Learned
from model.audit import audit_hash
from model.calibration import calibration_error, reliability
from model.records import Floats
from model.signals.agreement import measure_agreement
from model.signals.estimate import Estimate, share
from model.signals.honest_accuracy import FEWEST, HonestAccuracy, asked_blind, measure_accuracy
from model.signals.label_errors import SuspectLabels, find_suspects
from model.signals.trusted import Trusted, certify_threshold

_MOST_SUSPECTS = 100
_MOST_READY = 500
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
        return Watched(Signals(accuracy=Accuracy(words=_too_early(0), n=0, needed=FEWEST)))
    beliefs = serving.head.probabilities(seen.features.take(seen.pool), serving.version).values
    blind = _blind(workspace, learned)
    signals = Signals()
    notes: dict[int, Note] = {}
    with step("measuring accuracy"):
        accuracy = _accuracy(workspace, learned, beliefs, blind)
        signals.accuracy = _accuracy_figures(accuracy)
        signals.macro_f1 = accuracy.macro_f1.value if accuracy.macro_f1 else None
        signals.per_class = _class_rows(learned, accuracy, beliefs)
        signals.calibration = _calibration(learned)
    with step("certifying suggestions"):
        trusted = _trusted(workspace, learned, beliefs, blind)
        signals.trusted = _trusted_figures(trusted)
        notes |= _ready_notes(learned, beliefs, trusted)
    with step("looking for wrong labels"):
        suspects = _suspects(workspace, learned)
        signals.suspects = Suspects(words=suspects.words, count=suspects.count)
        notes |= _suspect_notes(learned, suspects)
    with step("comparing people"):
        signals.acceptance = _acceptance(workspace)
        signals.agreement = _agreement(workspace, learned)
    with step("looking ahead"):
        ahead = look_ahead(workspace, learned=learned, serving=serving, beliefs=beliefs, blind=blind)
        signals.curve, signals.random_curve = ahead.curve, ahead.random_curve
        signals.advantage, signals.forecast, signals.advice = ahead.advantage, ahead.forecast, ahead.advice
    return Watched(signals, notes)


def _blind(workspace: Workspace, learned: Learned) -> NDArray[np.bool_]:
    """Which labelled rows were asked because they belong to the audit sample."""
    seen, settings = learned.seen, workspace.settings
    by_hash = np.argsort(audit_hash(seen.embeddings.ids, workspace.seed))
    audit_rank = np.empty(len(by_hash), dtype=np.intp)
    audit_rank[by_hash] = np.arange(len(by_hash))
    blind = asked_blind(
        audit_rank[seen.labelled],
        _label_positions(seen.labelled_at),
        window=settings.queue_window,
        audit_share=settings.audit_share,
    )
    return blind & seen.audit[seen.labelled]


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


def _accuracy_figures(accuracy: HonestAccuracy) -> Accuracy:
    found, plain = accuracy.prediction_powered, accuracy.plain
    return Accuracy(
        words=accuracy.words,
        estimate=found.value if found else None,
        low=found.low if found else None,
        high=found.high if found else None,
        plain=Range(value=plain.value, low=plain.low, high=plain.high) if plain else None,
        worth=accuracy.worth,
        n=accuracy.audit_labels,
        needed=FEWEST,
    )


def _trusted_figures(trusted: Trusted) -> TrustedSuggestions:
    return TrustedSuggestions(
        words=trusted.words,
        threshold=trusted.threshold,
        coverage=trusted.coverage,
        precision=trusted.precision,
    )


def _class_rows(learned: Learned, accuracy: HonestAccuracy, beliefs: Floats) -> list[ClassRow]:
    space, counts = learned.seen.labels.space, learned.seen.labels.targets.sum(axis=0)
    predicted = np.bincount(beliefs.argmax(axis=1), minlength=len(space)) / max(len(beliefs), 1)
    judged = {one.name: one for one in accuracy.classes}
    rows = []
    for column, name in enumerate(space.names):
        one = judged.get(name)
        recall: Estimate | None = one.recall if one else None
        rows.append(
            ClassRow(
                label=name,
                labels=int(counts[column]),
                audit=one.labels if one else 0,
                recall=recall.value if recall else None,
                low=recall.low if recall else None,
                high=recall.high if recall else None,
                predicted_share=float(predicted[column]) if len(beliefs) else None,
            )
        )
    return rows


def _calibration(learned: Learned) -> Calibration:
    """Confidence beside truth on the audit labels: those that a strategy asked are harder than the pool."""
    audit = learned.seen.audit[learned.seen.labelled]
    beliefs, answers = learned.trained.out_of_fold.values[audit], learned.seen.labels.classes[audit]
    if len(answers) < FEWEST:
        return Calibration()
    bins = reliability(beliefs, answers, bins=min(max(len(answers) // _FEWEST_OF_A_BIN, 2), _MOST_BINS))
    return Calibration(
        ece=calibration_error(beliefs, answers, bins=len(bins)),
        n=len(answers),
        bins=[_bin(mean, round(right * count), count) for mean, right, count in bins],
    )


def _bin(confidence: float, right: int, count: int) -> Bin:
    found = share(right, count)
    return Bin(confidence=confidence, accuracy=found.value, low=found.low, high=found.high, n=count)


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


def _ready_notes(learned: Learned, beliefs: Floats, trusted: Trusted) -> dict[int, Note]:
    """The surest tasks above the certified threshold. Audit tasks are asked blind, so never among them."""
    if trusted.threshold is None:
        return {}
    seen, confidence = learned.seen, _confidence(beliefs)
    sure = (confidence >= trusted.threshold) & ~seen.audit[seen.pool]
    rows = np.flatnonzero(sure)
    rows = rows[np.argsort(-confidence[rows], kind="stable")][:_MOST_READY]
    ids = seen.embeddings.ids[seen.pool][rows].tolist()
    ranks = coarse_ranks(len(ids))
    return {task_id: Note("ready", "", rank) for task_id, rank in zip(ids, ranks, strict=True)}


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


def _too_early(count: int) -> str:
    return f"Too early to say how good the model is: {count} of {FEWEST} audit labels."
