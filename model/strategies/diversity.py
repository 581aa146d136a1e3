"""Strategies that pick items far apart, everywhere or where the head is least sure."""

from __future__ import annotations

import numpy as np

from model.neighbours import nearest_cosine
from model.records import Floats
from model.strategies.inputs import Rows, StrategyInput, named_strategy
from model.strategies.kernel import margin_uncertainty, most_uncertain, pick_sample, score_picks

CANDIDATES_PER_PICK = 5
CORE_CANDIDATES = 20_000
FEW = 512  # of the farthest items, looked at after each pick


@named_strategy("margin-diversity")
def margin_diversity(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """The most uncertain 5 × batch items, thinned to a batch of unlike ones (after Zhdanov, 2019).

    Each pick has the largest uncertainty × distance to the nearest pick, and the first is the most
    uncertain; Zhdanov clusters the candidates instead. After the batch: by margin.
    """
    uncertainty = margin_uncertainty(inputs.require_probabilities())
    candidates = most_uncertain(uncertainty, CANDIDATES_PER_PICK * inputs.batch, rng)
    picks = _pick_apart(inputs.vectors(candidates), uncertainty[candidates], count=inputs.batch)
    return score_picks(candidates[picks], uncertainty)


@named_strategy("core-set")
def core_set(inputs: StrategyInput, rng: np.random.Generator) -> Floats:
    """Each pick is the item farthest from all that is picked or labelled (Sener & Savarese, 2018, Core-Set).

    Needs no probabilities. In a large pool the candidates are 20,000 drawn at random. After the batch: by
    chance.
    """
    candidates = pick_sample(len(inputs), max(CORE_CANDIDATES, inputs.batch), rng)
    picks = pick_farthest(inputs.vectors(candidates), inputs.labelled.vectors, count=inputs.batch)
    return score_picks(candidates[picks], rng.random(len(inputs), dtype=np.float32))


def pick_farthest(vectors: Floats, labelled: Floats, *, count: int) -> Rows:
    """Rows in the order of picking, at most `count`; without labelled items the most central comes first.

    A pick can only bring items nearer. So while one of the farthest items is still farther than any other
    was when all were last looked at, it is the farthest of all, and only those few need another look.
    """
    count, picks = min(count, len(vectors)), list[int]()
    if len(labelled):
        nearest = nearest_cosine(vectors, labelled)  # low is far
    else:
        picks.append(int((vectors @ vectors.mean(axis=0)).argmax()))
        nearest = vectors @ vectors[picks[0]]
        nearest[picks[0]] = np.inf
    while len(picks) < count:
        few = _farthest(nearest, FEW)
        limit = np.delete(nearest, few).min(initial=np.inf)
        new = few[_pick_few(vectors[few], nearest[few], limit=limit, count=count - len(picks))]
        picks.extend(new.tolist())
        np.maximum(nearest, (vectors @ vectors[new].T).max(axis=1), out=nearest)
        nearest[new] = np.inf
    return np.array(picks, dtype=np.intp)


def _farthest(nearest: Floats, wanted: int) -> Rows:
    """Rows of the `wanted` lowest cosines, ascending by row."""
    if len(nearest) <= wanted:
        return np.arange(len(nearest))
    return np.sort(np.argpartition(nearest, wanted)[:wanted])


def _pick_few(vectors: Floats, nearest: Floats, *, limit: float, count: int) -> Rows:
    """Rows in the order of picking, while the farthest is no nearer than `limit`: one at least."""
    nearest, picks = nearest.copy(), list[int]()
    while len(picks) < count:
        pick = int(nearest.argmin())
        if nearest[pick] > limit or np.isinf(nearest[pick]):
            break
        picks.append(pick)
        np.maximum(nearest, vectors @ vectors[pick], out=nearest)
        nearest[pick] = np.inf
    return np.array(picks, dtype=np.intp)


def _pick_apart(vectors: Floats, uncertainty: Floats, *, count: int) -> Rows:
    """Rows in the order of picking, at most `count`."""
    weights = uncertainty + np.float32(1e-6)  # so that distance decides where nothing is unsure
    distance = np.full(len(vectors), 2.0, dtype=np.float32)
    left = np.ones(len(vectors), dtype=np.bool_)
    picks = np.empty(min(count, len(vectors)), dtype=np.intp)
    for turn in range(len(picks)):
        pick = int(np.where(left, weights * distance, -1.0).argmax())
        picks[turn] = pick
        left[pick] = False
        np.minimum(distance, np.sqrt(np.maximum(2.0 - 2.0 * (vectors @ vectors[pick]), 0.0)), out=distance)
    return picks
