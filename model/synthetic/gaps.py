"""What to make or collect next: classes where the model errs on real items, and real items to imitate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from model.heads.fitting import HeadFitter
from model.neighbours import find_neighbours
from model.records import Embeddings, Floats, Labels
from model.synthetic.cross_fitting import INVERSE_REGULARISATION, cross_fit
from model.synthetic.items import RealItems, SyntheticItems
from model.synthetic.lift import Lift

SHOWN = 10  # gaps listed
EXAMPLES = 3  # real items to imitate
UNCOVERED = 0.05  # share of the real items that are farthest from everything learned from
WORTH_MAKING = 0.01  # accuracy; below this a generator may stop
BATCH = 200  # synthetic items that one step of advice asks for, at most
_FEWEST = 5  # worth making of a class
_DRAWS = 8  # samples from which the steepness of each class is read
_CAUTION = 2.0  # errors and items as if seen before, so that one item proves nothing


@dataclass(frozen=True, slots=True)
class Gap:
    """A class worth `count` more items, its score (higher first) and what the score is made of.

    `error` is the share of its real items that heads out of fold get wrong, `uncovered` the share that
    nothing learned from is near, `steepness` how much of the error went with the second half of its items.
    """

    column: int
    count: int
    score: float
    error: float
    uncovered: float
    steepness: float
    real: int
    synthetic: int
    examples: tuple[int, ...]


def find_gaps(
    real: RealItems,
    synthetic: SyntheticItems,
    kept: NDArray[np.bool_],
    *,
    rng: np.random.Generator,
    pool: Embeddings | None = None,
    pool_classes: NDArray[np.intp] | None = None,
) -> tuple[Gap, ...]:
    """Classes by how much more items of them would help, from real items and the kept synthetic ones (s,).

    score = share of the real items × error × (1 + steepness) × (1 + uncovered). `pool` are real items without
    a label, with the classes (p,) the model believes, in which holes are looked for as well.
    """
    if len(real.labels) < 2:
        return ()
    vectors, labels = _learned_from(real, synthetic, kept)
    count = len(real.labels)
    right = _right_out_of_fold(vectors, labels, count, rng)
    uncovered, seen, nearness = _holes(real, vectors, count, pool, pool_classes, rng)
    steepness = _steepness(vectors, labels, count, rng)
    found = []
    classes = real.labels.classes
    for column in range(len(real.labels.space)):
        mine = classes == column
        error = (float((~right[mine]).sum()) + 0.5) / (float(mine.sum()) + _CAUTION)
        holes = uncovered[seen == column]
        share = (float(mine.sum()) + 1.0) / (count + len(real.labels.space))
        hole = float(holes.mean()) if len(holes) else 0.0
        steep = float(steepness[column])
        found.append((share * error * (1.0 + steep) * (1.0 + hole), column, error, hole, steep))
    return _list_gaps(found, real, synthetic, kept, right, nearness)


def advise_stop(name: str, items: int, lift: Lift) -> str | None:
    """Words to stop making what a generator makes; None while its items may still help by a point or more."""
    if lift.high >= WORTH_MAKING or not items or not lift.audit:
        return None
    did = "made it worse" if lift.high < 0.0 else "changed nothing"
    figures = f"{100 * lift.mean:+.1f} points, {100 * lift.low:+.1f} to {100 * lift.high:+.1f}"
    return f"the last {items} from {name} {did}: {figures}"


def _learned_from(
    real: RealItems, synthetic: SyntheticItems, kept: NDArray[np.bool_]
) -> tuple[Embeddings, Labels]:
    vectors = np.concatenate([real.embeddings.vectors, synthetic.embeddings.vectors[kept]])
    targets = np.concatenate([real.labels.targets, synthetic.labels.targets[kept]])
    ids = np.arange(len(vectors))
    return Embeddings(ids, vectors, real.embeddings.encoder), Labels(ids, targets, real.labels.space)


def _right_out_of_fold(
    vectors: Embeddings, labels: Labels, count: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    sample_weights = np.ones(len(labels), dtype=np.float32)
    said = np.exp(cross_fit(vectors, labels, sample_weights=sample_weights, rng=rng)[:, :count]).mean(axis=0)
    right: NDArray[np.bool_] = said.argmax(axis=1) == labels.classes[:count]
    return right


def _holes(
    real: RealItems,
    vectors: Embeddings,
    count: int,
    pool: Embeddings | None,
    pool_classes: NDArray[np.intp] | None,
    rng: np.random.Generator,
) -> tuple[NDArray[np.bool_], NDArray[np.intp], Floats]:
    """Which real items lie in a hole (m,), the class of each (m,), and each labelled item's nearness (n,)."""
    own = np.arange(count)
    nearness = find_neighbours(vectors.vectors[:count], vectors.vectors, count=1, rng=rng, own=own).cosines[
        :, 0
    ]
    edge = float(np.quantile(nearness, UNCOVERED))
    uncovered, seen = nearness <= edge, real.labels.classes
    if pool is not None and pool_classes is not None and len(pool):
        near = find_neighbours(pool.vectors, vectors.vectors, count=1, rng=rng).cosines[:, 0]
        uncovered = np.concatenate([uncovered, near <= edge])
        seen = np.concatenate([seen, pool_classes])
    return uncovered, seen, nearness


def _steepness(vectors: Embeddings, labels: Labels, count: int, rng: np.random.Generator) -> Floats:
    """Fall of each class's error (c,) when what is learned from doubles, on real items left out; ≥ 0."""
    total, width = len(labels), len(labels.space)
    draw = rng.random((total, _DRAWS))
    weights = np.concatenate([draw < 0.375, draw < 0.75], axis=1)
    fit = HeadFitter(vectors, labels, name_vectors=None).fit(
        torch.from_numpy(weights).float(),
        prior_weights=torch.zeros(2 * _DRAWS),
        inverse_regularisation=INVERSE_REGULARISATION,
        tolerance=0.2,
        max_iterations=30,
    )
    said = fit.logits[:count].argmax(dim=2).numpy()
    classes = labels.classes[:count]
    wrong = said != classes[:, None]
    unseen = draw[:count] >= 0.75
    few = np.zeros(width)
    many = np.zeros(width)
    asked = np.zeros(width)
    np.add.at(few, classes, (wrong[:, :_DRAWS] & unseen).sum(axis=1))
    np.add.at(many, classes, (wrong[:, _DRAWS:] & unseen).sum(axis=1))
    np.add.at(asked, classes, unseen.sum(axis=1))
    return np.clip((few - many) / (asked + _CAUTION), 0.0, 1.0).astype(np.float32)


def _list_gaps(
    found: Sequence[tuple[float, int, float, float, float]],
    real: RealItems,
    synthetic: SyntheticItems,
    kept: NDArray[np.bool_],
    right: NDArray[np.bool_],
    nearness: Floats,
) -> tuple[Gap, ...]:
    best = sorted(found, key=lambda row: (-row[0], row[1]))[:SHOWN]
    total = sum(row[0] for row in best) or 1.0
    made = synthetic.labels.classes[kept]
    gaps = []
    for score, column, error, hole, steep in best:
        gaps.append(
            Gap(
                column=column,
                count=max(_FEWEST, round(BATCH * score / total)),
                score=score,
                error=error,
                uncovered=hole,
                steepness=steep,
                real=int((real.labels.classes == column).sum()),
                synthetic=int((made == column).sum()),
                examples=_examples(real, column, right, nearness),
            )
        )
    return tuple(gaps)


def _examples(real: RealItems, column: int, right: NDArray[np.bool_], nearness: Floats) -> tuple[int, ...]:
    """Real items of the class to imitate: those the model gets wrong first, and of them the loneliest."""
    rows = np.flatnonzero(real.labels.classes == column)
    order = rows[np.lexsort((nearness[rows], right[rows]))][:EXAMPLES]
    return tuple(int(item) for item in real.embeddings.ids[order])
