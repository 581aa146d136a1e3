"""Judges the synthetic lines of a file by its real ones, and checks what they lift on held-out real lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.context import Context
from backend.json_types import Json
from backend.simulation.encoding import EncodedItems, encode_items
from backend.simulation.seen import pictures_of
from backend.simulation.sourced_rows import SourcedText
from backend.simulation.synthetic_ways import OneLabel, SetOfLabels, Way
from backend.workflows.project.progress import Progress
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.synthetic.gaps import Gap, advise_stop
from model.synthetic.items import HELPFUL, Judgement, RealItems, SyntheticItems
from model.synthetic.lift import Lift
from model.synthetic.pictures import Pictures

HELD_OUT = 0.3  # of the real lines, where none is of the split test
AUDIT_SHARE = 0.1
FEWEST_AUDIT = 30
LARGEST_AUDIT = 0.6  # of the real lines of the split train, however few they are


@dataclass(frozen=True, slots=True)
class MeasuredLift:
    """A lift as the audit shows it, and what it truly is on the held-out real lines (None without any)."""

    lift: Lift
    true: float | None


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticOutcome:
    """What the file's synthetic lines are worth. Groups are named `generator` or `generator / slice`."""

    dataset: str
    rows: tuple[SourcedText, ...]
    judgement: Judgement
    space: LabelSpace
    taught: int
    audit: int
    held_out: int
    lift: MeasuredLift
    helpful_only: MeasuredLift
    groups: dict[str, MeasuredLift]
    gaps: tuple[Gap, ...]
    stop: tuple[str, ...]
    new_classes: tuple[str, ...]
    real_ids: tuple[int | str, ...]


def judge_rows(
    context: Context, rows: Sequence[SourcedText], *, dataset: str, seed: int, progress: Progress
) -> SyntheticOutcome:
    """Verdicts, lifts and gaps; the seed draws the audit and what is resampled."""
    file = _File(rows, encode_items(context, rows, (), progress), pictures_of(context, rows), seed=seed)
    rng = np.random.default_rng(seed)
    progress.stage("judging synthetic items")
    judgement = file.way.judge(file.real, file.synthetic, rng=rng)
    groups = file.groups()
    progress.stage("measuring the lift", total=2 + len(groups))
    everything = np.ones(len(file.synthetic), dtype=np.bool_)
    lift = file.measure(everything, rng)
    progress.advance(1)
    helpful_only = file.measure(judgement.mask(HELPFUL), rng)
    progress.advance(1)
    by_group = {}
    for name, chosen in groups.items():
        by_group[name] = file.measure(chosen, rng)
        progress.advance(1)
    progress.stage("looking for gaps")
    gaps = file.way.gaps(file.real, file.synthetic, judgement.auxiliary, rng=rng)
    stops = [advise_stop(name, found.lift.items, found.lift) for name, found in by_group.items()]
    return SyntheticOutcome(
        dataset=dataset,
        rows=file.synthetic_rows,
        judgement=judgement,
        space=file.real.labels.space,
        taught=int((~file.real.audit).sum()),
        audit=int(file.real.audit.sum()),
        held_out=len(file.truth),
        lift=lift,
        helpful_only=helpful_only,
        groups=by_group,
        gaps=gaps,
        stop=tuple(stop for stop in stops if stop),
        new_classes=file.new_classes(),
        real_ids=file.real_ids,
    )


def outcome_json(outcome: SyntheticOutcome) -> Json:
    """The figures for machines."""
    names = dict(enumerate(outcome.real_ids, start=1))
    names |= dict(enumerate((row.id for row in outcome.rows), start=len(names) + 1))
    realism = outcome.judgement.realism
    return {
        "dataset": outcome.dataset,
        "n_real": outcome.taught,
        "n_audit": outcome.audit,
        "n_test": outcome.held_out,
        "n_synthetic": len(outcome.rows),
        "lift": _lift_json(outcome.lift),
        "lift_helpful_only": _lift_json(outcome.helpful_only),
        "lift_by_generator": {name: _lift_json(found) for name, found in outcome.groups.items()},
        "items": [
            {
                "id": row.id,
                "verdict": item.verdict,
                "value": item.value,
                "low": item.low,
                "high": item.high,
                "realism": item.realism,
                "duplicate_of": None if item.duplicate_of is None else names[item.duplicate_of],
                "reason": _rename(item.reason, item.duplicate_of, names),
                "review_order": item.review_order,
            }
            for row, item in zip(outcome.rows, outcome.judgement.items, strict=True)
        ],
        "gaps": [_gap_json(gap, outcome.space, names) for gap in outcome.gaps],
        "stop": list(outcome.stop),
        "new_classes": list(outcome.new_classes),
        "realism": {
            "accuracy": realism.accuracy,
            "p_value": realism.p_value,
            "classes": {
                outcome.space.names[found.column]: {"density": found.density, "coverage": found.coverage}
                for found in realism.classes
            },
        },
    }


class _File:
    """The lines as the model wants them. Ids: 1 to r for the labelled real ones, then the synthetic ones."""

    def __init__(
        self, rows: Sequence[SourcedText], encoded: EncodedItems, pictures: Pictures | None, *, seed: int
    ) -> None:
        vectors, encoder = encoded.items, encoded.revision
        self._space = LabelSpace(tuple(sorted({label for row in rows for label in row.labels})))
        self.way: Way = SetOfLabels() if any(len(row.labels) != 1 for row in rows) else OneLabel()
        rng = np.random.default_rng(seed)
        is_test = _held_out(rows, rng)
        places = {
            "real": [n for n, row in enumerate(rows) if not row.is_synthetic and not is_test[n]],
            "synthetic": [n for n, row in enumerate(rows) if row.is_synthetic],
            "truth": np.flatnonzero(is_test).tolist(),
        }
        real, made = places["real"], places["synthetic"]
        ids = np.arange(1, len(real) + len(made) + 1)
        first, second = ids[: len(real)], ids[len(real) :]
        self.synthetic_rows = tuple(rows[n] for n in made)
        self.real_ids = tuple(rows[n].id for n in real)
        self.real = RealItems(
            Embeddings(first, vectors[real], encoder),
            Labels(first, self._targets([rows[n] for n in real]), self._space),
            _draw_audit(len(real), rng),
            _texts(rows, real),
            pictures=None if pictures is None else pictures.take(np.array(real)),
        )
        kinds = sorted({(rows[n].generator, rows[n].slice) for n in made})
        self.synthetic = SyntheticItems(
            Embeddings(second, vectors[made], encoder),
            Labels(second, self._targets([rows[n] for n in made]), self._space),
            np.array([kinds.index((rows[n].generator, rows[n].slice)) for n in made], dtype=np.intp),
            _texts(rows, made),
            None if pictures is None else pictures.take(np.array(made)),
        )
        self.truth = vectors[places["truth"]]
        self._truth_targets = self._targets([rows[n] for n in places["truth"]])

    def groups(self) -> dict[str, NDArray[np.bool_]]:
        """Which items came from each generator, and from each slice of it; none where the file names none."""
        found: dict[str, NDArray[np.bool_]] = {}
        for rank in ("generator", "slice"):
            names = [_group_name(row, rank) for row in self.synthetic_rows]
            for name in dict.fromkeys(name for name in names if name):
                found[name] = np.array([other == name for other in names], dtype=np.bool_)
        return found

    def measure(self, chosen: NDArray[np.bool_], rng: np.random.Generator) -> MeasuredLift:
        """The lift by the audit and, if lines are held out, on those."""
        lift = self.way.measure(self.real, self.synthetic, chosen, rng=rng)
        return MeasuredLift(lift, self._true_lift(chosen))

    def new_classes(self) -> tuple[str, ...]:
        """Labels of synthetic items that no real item has."""
        made, known = ((items.labels.targets > 0).any(axis=0) for items in (self.synthetic, self.real))
        return tuple(self._space.names[column] for column in np.flatnonzero(made & ~known))

    def _true_lift(self, chosen: NDArray[np.bool_]) -> float | None:
        if not len(self.truth):
            return None
        if not chosen.any():
            return 0.0
        return self.way.true_lift(
            self.real, self.synthetic, chosen, asked=self.truth, truth=self._truth_targets
        )

    def _targets(self, rows: Sequence[SourcedText]) -> Floats:
        """The labels of some lines in the columns of the space, (k, c)."""
        targets = np.zeros((len(rows), len(self._space)), dtype=np.float32)
        for place, row in enumerate(rows):
            targets[place, [self._space.index(label) for label in row.labels]] = 1.0
        return targets


def _texts(rows: Sequence[SourcedText], places: Sequence[int]) -> list[str] | None:
    """What some lines say; None where pictures are shown, which alike words beside do not make alike."""
    return None if any(any(row.pictures) for row in rows) else [rows[place].text for place in places]


def _group_name(row: SourcedText, rank: str) -> str:
    if rank == "generator":
        return row.generator
    return f"{row.generator or 'any'} / {row.slice}" if row.slice else ""


def _held_out(rows: Sequence[SourcedText], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Real lines of the split test, or 30 % of the real lines where none is."""
    is_test = np.array([row.is_test for row in rows], dtype=np.bool_)
    if is_test.any():
        return is_test
    real = np.flatnonzero([not row.is_synthetic for row in rows])
    is_test[rng.permutation(real)[: int(HELD_OUT * len(real))]] = True
    return is_test


def _draw_audit(count: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """A tenth of the labelled items, at least 30, but never more than 60 %."""
    size = min(max(round(AUDIT_SHARE * count), FEWEST_AUDIT), int(LARGEST_AUDIT * count))
    audit = np.zeros(count, dtype=np.bool_)
    audit[rng.permutation(count)[:size]] = True
    return audit


def _lift_json(found: MeasuredLift) -> Json:
    lift = found.lift
    return {
        "mean": lift.mean,
        "low": lift.low,
        "high": lift.high,
        "true": found.true,
        "items": lift.items,
        "words": lift.words,
    }


def _gap_json(gap: Gap, space: LabelSpace, names: dict[int, int | str]) -> Json:
    return {
        "label": space.names[gap.column],
        "count": gap.count,
        "score": gap.score,
        "error": gap.error,
        "uncovered": gap.uncovered,
        "steepness": gap.steepness,
        "real": gap.real,
        "synthetic": gap.synthetic,
        "examples": [names[item] for item in gap.examples],
    }


def _rename(reason: str, item: int | None, names: dict[int, int | str]) -> str:
    """The reason, naming the twin as the file does."""
    return reason if item is None else reason.replace(f"item {item}", f"item {names[item]}")
