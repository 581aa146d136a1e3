"""Looks for classes that a project does not have: flags, groups with names, and numbers that stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.workflows.findings.group_names import propose_names
from backend.workflows.intake.earlier_findings import ADDED, OPEN, REJECTED, count_shown, was_asked
from backend.workflows.intake.snapshot import Snapshot
from backend.workflows.project.figures import NoveltyFigures
from backend.workflows.project.workspace import Workspace
from backend.workflows.serving.serving import Serving
from backend.workflows.training.learn import Learned
from backend.workflows.training.names import name_vectors
from model.audit import audit_hash
from model.heads.single_label import similarity_head
from model.heads.unseen_classes import unseen_classes
from model.novelty.decided import DecidedGroup, Decisions
from model.novelty.detector import Detection, detect
from model.novelty.grouping import Group, group_items, match_groups
from model.novelty.naming import number_group
from model.novelty.one_class_each import one_class_each
from model.records import Embeddings, Ids, Labels

MOST_GROUPS = 20
# Tasks in which classes are looked for after each loop: it takes five processor seconds.
MOST_LOOKED_AT = 20_000
Named = tuple[Group, str]


def find_novel(workspace: Workspace, learned: Learned, serving: Serving) -> NoveltyFigures:
    """Renews the open groups of a project; returns what is to be said about them."""
    alpha = workspace.settings.novelty_alpha
    if not len(learned.seen.labels) or learned.seen.labelled.all():
        return NoveltyFigures(words="Not enough labels to judge what is new.", flags=0, alpha=alpha)
    classed = one_class_each(learned.seen.labels)
    detection = _detect(workspace, learned, serving, classed)
    if detection.reason is not None:
        words = f"{detection.reason[:1].upper()}{detection.reason[1:]}."
        return NoveltyFigures(words=words, flags=0, alpha=alpha)
    flagged = detection.ids[detection.flagged]
    groups = group_items(
        learned.seen.embeddings.take(np.isin(learned.seen.embeddings.ids, flagged)),
        learned.seen.labelled_embeddings,
        classed,
        seed=workspace.seed % 2**32,
    )
    new, explained = _split(groups, _guesses(workspace, learned, serving, flagged))
    named, decided = _undecided(workspace, learned, classed, new)
    flags = len(flagged) - sum(explained.values()) - decided
    expected = min(detection.expected_false, float(flags))
    is_telling = round(expected) < flags
    _renew_groups(workspace, learned, named[:MOST_GROUPS], version=serving.version, is_telling=is_telling)
    if not is_telling:
        flags, expected = 0, 0.0
    return NoveltyFigures(
        words=" ".join(
            [
                _flag_words(flags, expected, sampled=_sampled(learned, detection)),
                *map(_unanswered_words, explained.items()),
            ]
        ),
        flags=flags,
        grouped=count_shown(workspace, learned.seen),
        expected_false=expected,
        unanswered=dict(explained),
        alpha=alpha,
        scores=detection.weights,
        calibration=detection.calibration,
        source=detection.source,
    )


def _guesses(workspace: Workspace, learned: Learned, serving: Serving, task_ids: Ids) -> dict[int, str]:
    """The label without an answer that the head, or else the names alone, take each task for, if any."""
    seen = learned.seen
    unseen, labels = unseen_classes(seen.labels), seen.labels.space.names
    items = seen.features.take(np.isin(seen.features.ids, task_ids))
    found: dict[int, str] = {}
    for favourites in _favourites(workspace, learned, serving, items):
        guessed = np.isin(favourites, unseen)
        found |= zip(
            items.ids[guessed].tolist(), (labels[column] for column in favourites[guessed]), strict=True
        )
    return found


def _favourites(
    workspace: Workspace, learned: Learned, serving: Serving, items: Embeddings
) -> list[NDArray[np.intp]]:
    """The likeliest label (m,) of each item by the names, where they are known, and then by the head."""
    space = learned.seen.labels.space
    if learned.choice is None:
        names = name_vectors(workspace.context, workspace.encoder.get(), serving.config.labels)
        heads = [] if learned.first is None else [learned.first.trained.head]
        by_head = [head.believe(items, serving.version).values.argmax(axis=1) for head in heads]
        by_name = [] if names is None else [similarity_head(names, space)]
        return [*(head.logits(items.vectors).argmax(axis=1) for head in by_name), *by_head]
    head, named = learned.trained.head, learned.name_vectors
    both = [head] if named is None else [similarity_head(named, head.space), head]
    return [each.logits(items.vectors).argmax(axis=1) for each in both]


def _split(groups: Sequence[Group], guesses: Mapping[int, str]) -> tuple[list[Group], Counter[str]]:
    """Groups that may be new classes; and of the others, half of whose tasks a label without an answer
    explains, how many tasks they hold, by that label."""
    new, explained = [], Counter[str]()
    for group in groups:
        labels = Counter(guesses[task_id] for task_id in group.ids if task_id in guesses)
        if 2 * labels.total() < len(group.ids):
            new.append(group)
        else:
            explained[labels.most_common(1)[0][0]] += len(group.ids)
    return new, explained


def _undecided(
    workspace: Workspace, learned: Learned, classed: Labels, groups: Sequence[Group]
) -> tuple[list[Named], int]:
    """The groups that nobody decided about before, with names; and how many tasks the others hold."""
    seen = learned.seen
    decisions = Decisions.beside(_decided(workspace, learned), seen.labelled_embeddings, classed)
    named = list(zip(groups, propose_names(workspace, learned, groups), strict=True))
    left = [one for one in named if not decisions.hold(*one, seen.embeddings)]
    return left, sum(len(group.ids) for group in groups) - sum(len(group.ids) for group, _name in left)


def _decided(workspace: Workspace, learned: Learned) -> list[DecidedGroup]:
    """What people made a class, by tasks with its label or without an answer, and what they called none."""
    seen, labels = learned.seen, learned.seen.labels
    answered, found = set(labels.ids.tolist()), []
    for group in [*workspace.groups.in_state(ADDED), *workspace.groups.in_state(REJECTED)]:
        ids = set(group.members)
        if group.state == ADDED:
            ids = (ids - answered) | _tasks_with(labels, group.name)
        vectors = seen.embeddings.vectors[np.isin(seen.embeddings.ids, list(ids))]
        found.append(DecidedGroup(group.name, frozenset(ids), vectors))
    return found


def _tasks_with(labels: Labels, name: str) -> set[int]:
    """The tasks that were answered with a label, which need not be there any more."""
    if name not in labels.space.names:
        return set()
    found: list[int] = labels.ids[labels.targets[:, labels.space.index(name)] > 0].tolist()
    return set(found)


def _sampled(learned: Learned, detection: Detection) -> int:
    """How many tasks were looked at, where those are not all without a label; else 0."""
    looked_at = len(detection.ids)
    return looked_at if looked_at < int((~learned.seen.labelled).sum()) else 0


def _flag_words(flags: int, expected_false: float, *, sampled: int) -> str:
    looked_at = f" of {sampled:,} that were looked at" if sampled else ""
    if not flags:
        return f"No task{looked_at} stands out from the classes there are."
    return f"{flags} tasks{looked_at} fit no class well, about {expected_false:.0f} of them by mistake."


def _unanswered_words(found: tuple[str, int]) -> str:
    label, count = found
    return f"{count} tasks may be your label “{label}”, which has no answers yet."


def _detect(workspace: Workspace, learned: Learned, serving: Serving, classed: Labels) -> Detection:
    """Everything without a label is looked at, what people skipped as well; of a large pool a sample."""
    seen = learned.seen
    return detect(
        seen.labelled_embeddings,
        classed,
        seen.embeddings.take(_looked_at(seen, workspace.seed)),
        audit=seen.audit[seen.labelled],
        alpha=workspace.settings.novelty_alpha,
        rng=np.random.default_rng(workspace.seed),
        name_vectors=name_vectors(workspace.context, workspace.encoder.get(), serving.config.labels),
        rejected=_rejected(workspace, seen.embeddings),
    )


def _looked_at(seen: Snapshot, seed: int) -> NDArray[np.intp]:
    """Rows without a label, those with the lowest hash where they are many: the same ones at every loop.

    By the hash that draws the map: the audit's own would leave the sample to audit tasks.
    """
    rows = np.flatnonzero(~seen.labelled)
    if len(rows) > MOST_LOOKED_AT:
        hashes = audit_hash(seen.embeddings.ids[rows], seed + 1)
        rows = np.sort(rows[np.argpartition(hashes, MOST_LOOKED_AT)[:MOST_LOOKED_AT]])
    return rows


def _rejected(workspace: Workspace, embeddings: Embeddings) -> np.ndarray[Any, Any] | None:
    """Vectors of the tasks of groups that a person called no class."""
    members = workspace.groups.read_members(state=REJECTED)
    ids = [task_id for group in members for task_id in group]
    return embeddings.vectors[np.isin(embeddings.ids, ids)] if ids else None


def _renew_groups(
    workspace: Workspace, learned: Learned, groups: Sequence[Named], *, version: str, is_telling: bool
) -> None:
    """Writes the groups down: one that continues an earlier one keeps its number and name."""
    rows = {row.number: row for row in workspace.groups.read_all()}
    before = {number: row.members for number, row in rows.items() if row.state == OPEN}
    open_tasks = set(learned.seen.embeddings.ids[learned.seen.pool].tolist())
    asked = {number for number in before if was_asked(rows[number], open_tasks)}
    numbers = match_groups(before, [group for group, _name in groups])
    free = max(rows, default=0) + 1
    kept = []
    for place, ((group, name), number) in enumerate(zip(groups, numbers, strict=True), start=1):
        if number is None:
            number, free = free, free + 1
        row = rows.get(number) or workspace.groups.new(
            number, name=name or number_group(number), version=version
        )
        row.members, row.typical, row.version = list(group.ids), list(group.typical), version
        row.figures = {
            "rank": place,
            "cohesion": group.cohesion,
            "asked": number in asked,
            "telling": is_telling,
        }
        kept.append(row)
    gone = set(before) - {number for number in numbers if number is not None}
    workspace.groups.renew(kept, gone=[rows[number] for number in gone])
