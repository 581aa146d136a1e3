"""Measures how well classes that nobody has labelled are found: some play the novel ones, or one label is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score, roc_auc_score

from backend.context import Context
from backend.errors import BadRequest
from backend.json_types import Json
from backend.settings import Settings
from backend.simulation.encoding import EncodedItems, encode_items
from backend.simulation.novel_queue import queue_up
from backend.simulation.pages import file_name
from backend.simulation.rows import LabelledText
from backend.workflows.project.progress import Progress
from backend.workflows.training.names import readable_name
from model.audit import audit_quota
from model.novelty.detector import Detection, detect
from model.novelty.grouping import Group, group_items
from model.novelty.naming import name_groups, number_group
from model.records import Embeddings, Floats, Labels, LabelSpace

HELD_OUT = 0.3
_ACCEPTED = 0.95  # share of the known items that FPR95 accepts
_PREVALENT = 0.01  # share of what is judged from which on a class must not be overlooked
_FIRST = 0.02  # share of what is judged that is the front of the queue
_CONFIRMED = 2  # tasks of one novel class in a group that make a person sure
_NAMED = 20


@dataclass(frozen=True, slots=True)
class Options:
    """`held_out` classes play the novel ones in each seed, or the rows of `novel_label`; 0 labels: all."""

    held_out: int
    novel_label: str | None
    labels_per_class: int
    alpha: float
    seeds: int


@dataclass(frozen=True, slots=True)
class SeedFigures:
    """What one seed gave.

    `singles`: the AUROC of each score alone, in place of the chosen sum. `found`: novel classes in the
    majority in one of as many first groups. `to_confirm`: tasks of such a group that a person reads, the most
    typical first, until two are of its class (median over the found classes). `in_front`: share of the novel
    classes of at least 1 % of which a task is in the first 2 % of the queue; None without such a class, or
    when a label stands for all that is novel. `read_first`: the same when the typical tasks of one group
    after the other are read instead.
    """

    auroc: float
    singles: dict[str, float]
    fpr95: float
    false_alarm_rate: float
    recall: float
    purity: float | None
    ari: float | None
    found: int
    to_confirm: float | None
    in_front: float | None
    read_first: float | None
    names: tuple[str, ...]
    reason: str | None


def simulate_novelty(
    context: Context, rows: Sequence[LabelledText], options: Options, *, progress: Progress
) -> list[SeedFigures]:
    """One entry a seed. Raises BadRequest when the options ask for more than the file has."""
    labels = sorted({row.label for row in rows})
    _require_possible(labels, options)
    titles = [readable_name(label) for label in labels]
    encoded = encode_items(context, rows, titles, progress)
    file = _File(rows, labels, encoded, context.settings)
    progress.stage("looking for novel classes", total=options.seeds)
    found = []
    for seed in range(options.seeds):
        found.append(file.run(options, seed))
        progress.advance(1)
    return found


def novelty_json(figures: Sequence[SeedFigures]) -> Json:
    """The figures for machines: a value per seed."""
    return {
        "auroc": [one.auroc for one in figures],
        "singles": [one.singles for one in figures],
        "fpr95": [one.fpr95 for one in figures],
        "false_alarm_rate": [one.false_alarm_rate for one in figures],
        "recall": [one.recall for one in figures],
        "groups": {
            "purity": [one.purity for one in figures],
            "ari": [one.ari for one in figures],
            "found": [one.found for one in figures],
            "to_confirm": [one.to_confirm for one in figures],
            "in_front": [one.in_front for one in figures],
            "read_first": [one.read_first for one in figures],
            "names": [list(one.names) for one in figures],
        },
    }


class _File:
    """The lines, encoded; each seed draws novel classes, labels and what is judged."""

    def __init__(
        self,
        rows: Sequence[LabelledText],
        labels: Sequence[str],
        encoded: EncodedItems,
        settings: Settings,
    ) -> None:
        self._texts, self._labels = [row.text or file_name(row.pictures) for row in rows], list(labels)
        columns = {name: column for column, name in enumerate(labels)}
        self._classes = np.array([columns[row.label] for row in rows], dtype=np.intp)
        self._is_test = np.array([bool(row.is_test) for row in rows], dtype=np.bool_)
        self._everything = Embeddings(np.arange(len(rows), dtype=np.int64), encoded.items, encoded.revision)
        self._titles, self._settings = encoded.names, settings

    def run(self, options: Options, seed: int) -> SeedFigures:
        """Labels items of the known classes, judges held-out ones of all, and compares with the truth."""
        rng = np.random.default_rng(seed)
        novel = self._draw_novel(options, rng)
        is_novel = np.isin(self._classes, novel)
        judged = self._draw_judged(rng)
        known = np.setdiff1d(np.arange(len(self._labels)), novel)
        chosen = self._draw_labels(known, ~judged, options.labels_per_class, rng)
        audited = self._draw_audit(judged & ~is_novel, judged, labels=len(chosen), rng=rng)
        learned = np.union1d(chosen, audited)
        names = None if self._titles is None else self._titles[known]
        judged[audited] = False
        space = LabelSpace(tuple(self._labels[column] for column in known))
        given = Labels.from_names(learned, [self._labels[self._classes[row]] for row in learned], space)
        pool = self._everything.take(judged)
        detection = detect(
            self._everything.take(learned),
            given,
            pool,
            audit=np.isin(learned, audited),
            alpha=options.alpha,
            rng=rng,
            name_vectors=names,
            compare=True,
        )
        labelled = self._everything.take(learned)
        groups = group_items(pool.take(detection.flagged), labelled, given, seed=seed)
        front: list[int] = []
        if options.novel_label is None:
            queue = queue_up(
                pool,
                labelled,
                given,
                groups,
                settings=self._settings,
                name_vectors=names,
                audited=audited,
                seed=seed,
            )
            front = queue[: _first(len(pool))]
        return self._measure(detection, groups, is_novel, novel, judged, front)

    def _measure(
        self,
        detection: Detection,
        groups: Sequence[Group],
        is_novel: NDArray[np.bool_],
        novel: NDArray[np.intp],
        judged: NDArray[np.bool_],
        front: list[int],
    ) -> SeedFigures:
        truth = is_novel[detection.ids]
        first = groups[: len(novel)]
        shares = [self._majority(group, is_novel) for group in first]
        return SeedFigures(
            auroc=float(roc_auc_score(truth, detection.scores)),
            singles={name: float(roc_auc_score(truth, scores)) for name, scores in detection.singles.items()},
            fpr95=accepted_novel(detection.scores, truth),
            false_alarm_rate=float(detection.flagged[~truth].mean()),
            recall=float(detection.flagged[truth].mean()),
            purity=float(np.mean([share for _, share in shares])) if shares else None,
            ari=self._agreement(detection, groups, is_novel),
            found=len({column for column, _ in shares if column is not None}),
            to_confirm=self._reading_until_sure(first, [column for column, _ in shares]),
            in_front=self._met(front, self._classes[detection.ids], novel) if front else None,
            read_first=self._met(
                [item for group in groups for item in group.typical][: _first(len(detection.ids))],
                self._classes[detection.ids],
                novel,
            ),
            names=tuple(self._name(first, judged)),
            reason=detection.reason,
        )

    def _majority(self, group: Group, is_novel: NDArray[np.bool_]) -> tuple[int | None, float]:
        """The novel class most items of a group belong to (None: a known one), and its share."""
        members = np.array(group.ids)
        columns = np.where(is_novel[members], self._classes[members], -1)
        values, counts = np.unique(columns, return_counts=True)
        best = int(counts.argmax())
        column = int(values[best])
        return (None if column < 0 else column), float(counts[best] / len(members))

    def _reading_until_sure(self, groups: Sequence[Group], columns: Sequence[int | None]) -> float | None:
        """The median number of tasks read in the first group of each novel class that leads one."""
        read: dict[int, int] = {}
        for group, column in zip(groups, columns, strict=True):
            if column is not None and column not in read:
                hits = np.flatnonzero(self._classes[np.array(group.ids)] == column)
                read[column] = int(hits[_CONFIRMED - 1]) + 1 if len(hits) >= _CONFIRMED else len(group.ids)
        return float(np.median(list(read.values()))) if read else None

    def _met(self, read: Sequence[int], judged: NDArray[np.intp], novel: NDArray[np.intp]) -> float | None:
        """The share of the large novel classes among the classes (n,) judged of which a task is read."""
        large = [column for column in novel.tolist() if (judged == column).mean() >= _PREVALENT]
        if not large:
            return None
        met = set(self._classes[np.array(read, dtype=np.intp)].tolist())
        return len(met & set(large)) / len(large)

    def _agreement(
        self, detection: Detection, groups: Sequence[Group], is_novel: NDArray[np.bool_]
    ) -> float | None:
        """Adjusted Rand index of groups and classes over the flagged novel items; alone is a group, too."""
        place = {item: number for number, group in enumerate(groups) for item in group.ids}
        flagged = [item for item in detection.ids[detection.flagged].tolist() if is_novel[item]]
        if len(flagged) < 2:
            return None
        grouped = [place.get(item, -1 - number) for number, item in enumerate(flagged)]
        return float(adjusted_rand_score(self._classes[flagged], grouped))

    def _name(self, groups: Sequence[Group], judged: NDArray[np.bool_]) -> list[str]:
        grouped = {item for group in groups for item in group.ids}
        others = [self._texts[row] for row in np.flatnonzero(judged).tolist() if row not in grouped]
        names = name_groups([[self._texts[item] for item in group.ids] for group in groups][:_NAMED], others)
        return [name or number_group(place) for place, name in enumerate(names, start=1)]

    def _draw_novel(self, options: Options, rng: np.random.Generator) -> NDArray[np.intp]:
        if options.novel_label is not None:
            return np.array([self._labels.index(options.novel_label)], dtype=np.intp)
        return np.sort(rng.permutation(len(self._labels))[: options.held_out]).astype(np.intp)

    def _draw_judged(self, rng: np.random.Generator) -> NDArray[np.bool_]:
        if self._is_test.any():
            return self._is_test.copy()
        judged = np.zeros(len(self._classes), dtype=np.bool_)
        judged[rng.permutation(len(judged))[: round(HELD_OUT * len(judged))]] = True
        return judged

    def _draw_labels(
        self, known: NDArray[np.intp], free: NDArray[np.bool_], per_class: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        rows: list[int] = []
        for column in known.tolist():
            mine = rng.permutation(np.flatnonzero((self._classes == column) & free))
            rows += mine[: per_class or len(mine)].tolist()
        return np.array(sorted(rows), dtype=np.int64)

    def _draw_audit(
        self, known: NDArray[np.bool_], judged: NDArray[np.bool_], *, labels: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """The rows of the audit that the live loop would ask beside so many labels.

        Drawn at random from all that is judged; of novel ones nobody can say what they are, so they stay.
        """
        asked = rng.permutation(np.flatnonzero(judged))[: audit_quota(labels)]
        return np.sort(asked[known[asked]]).astype(np.int64)


def _first(count: int) -> int:
    """How many of so many tasks are the front of their queue."""
    return round(_FIRST * count)


def accepted_novel(scores: Floats, novel: NDArray[np.bool_]) -> float:
    """FPR95: the share of novel items (n,) that look no more novel than 95 % of the known ones."""
    bar = np.quantile(scores[~novel], _ACCEPTED)
    return float((scores[novel] <= bar).mean())


def _require_possible(labels: Sequence[str], options: Options) -> None:
    if options.novel_label is not None and options.novel_label not in labels:
        raise BadRequest(
            f"No line is labelled {options.novel_label!r}.", hint="Name the split that holds it: --splits."
        )
    left = len(labels) - (1 if options.novel_label else options.held_out)
    if left < 2:
        raise BadRequest(
            f"The file has {len(labels)} labels: too few to hold out {len(labels) - left} and keep two.",
            hint="Hold out fewer with --hold-out-classes.",
        )
