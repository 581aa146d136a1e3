"""Label errors by confident learning: beliefs of heads that never saw a label, joined with its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

from model.calibration import fit_temperature
from model.heads.fitting import HeadFitter
from model.heads.neighbour_graph import NeighbourGraph
from model.heads.single_label import softmax
from model.heads.training_set import assign_folds
from model.neighbours import nearest
from model.records import Embeddings, Floats, Labels
from model.training import train

FEWEST = 20  # labels below which no label is called suspect
NEIGHBOURS = 10
_LIKELY_SHARE = 0.1  # of wrong labels, before any was looked at
_FLOOR = 1e-4  # of a belief: one estimate cannot outweigh all others
_SLIP = 0.02  # share of labels that even a perfect belief would not foresee
_POWERS = tuple(float(power) for power in np.arange(0.0, 1.6, 0.25))
_SURE = 0.7  # belief in another class that makes a label count as wrong

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class SuspectLabels:
    """How doubtful each label is, (n,) in [0, 1], higher = check sooner, and the class it should be (n,).

    `flagged` (n,) marks as many of the most doubtful ones as are estimated to be wrong.
    """

    doubt: Floats
    suggested: NDArray[np.intp]
    flagged: NDArray[np.bool_]
    words: str

    @property
    def count(self) -> int:
        """How many labels are estimated to be wrong."""
        return int(self.flagged.sum())


def find_suspects(
    embeddings: Embeddings,
    labels: Labels,
    *,
    out_of_fold: Floats,
    inverse_regularisation: float,
    rng: np.random.Generator,
    name_vectors: Floats | None = None,
    prior_weight: float = 0.0,
    neighbour_graph: NeighbourGraph | None = None,
) -> SuspectLabels:
    """Doubt in every label of a labelled set.

    out_of_fold (n, c) is what a training believed of each item before it learned from it; the settings are
    those that it preferred, the graph that of its pseudo-labels. Labels that it, the neighbours' labels and
    the neighbours' beliefs contradict weigh less when heads are fitted once more, out of fold again, and are
    left out of a second training (after confident learning; Northcutt et al., 2021). Doubt is one less the
    belief in the label, by the mix of all three and the neighbours that foresees labels best. Raises
    ValueError when rows do not match or a number is not finite.
    """
    _require_rows(embeddings, labels, out_of_fold)
    count, given = len(labels), labels.classes
    if count < FEWEST or len(np.unique(given)) < 2:
        no_doubt = np.zeros(count, dtype=np.float32)
        words = f"Too early to suspect a label: {count} of {FEWEST} labels."
        if count >= FEWEST:
            words = "No label is suspect: there is only one class so far."
        return SuspectLabels(no_doubt, given, no_doubt > 0, words)
    rows = np.arange(count)
    vectors, wanted = embeddings.vectors, min(NEIGHBOURS, count - 1)
    near = nearest(vectors, vectors, count=wanted, own=rows).rows
    first = out_of_fold.astype(np.float64)
    estimates = (first, first[near].mean(axis=1), _vote(labels.targets, near, first))
    belief = np.exp(np.mean([np.log(np.maximum(estimate, _FLOOR)) for estimate in estimates], axis=0))
    clean = _chance_of_right((belief / belief.sum(axis=1, keepdims=True))[rows, given], len(labels.space))
    second = _believe_again(
        embeddings, labels, clean, inverse_regularisation, rng, name_vectors, prior_weight
    )
    third = _believe_without_doubtful(embeddings, labels, clean, rng, name_vectors, neighbour_graph)
    own = np.cbrt(first * second * third)  # three heads err less than one
    mixed = _mix(own, third[near].mean(axis=1), given, clean)
    doubt = 1.0 - mixed[rows, given]
    others = mixed.copy()
    others[rows, given] = -1.0
    flagged = _most_doubtful(doubt, int((others.max(axis=1) > _SURE).sum()))
    return SuspectLabels(doubt.astype(np.float32), others.argmax(axis=1), flagged, _say(flagged))


def _vote(targets: Floats, near: NDArray[np.intp], belief: Numbers) -> Numbers:
    """Share of each class among the neighbours' labels, with half a vote for the own belief."""
    votes: Numbers = (targets[near].sum(axis=1) + 0.5 * belief) / (near.shape[1] + 0.5)
    return votes


def _chance_of_right(belief_in_label: Numbers, classes: int) -> Numbers:
    """Chance that a label is right, if one in ten is another class by chance."""
    right = (1.0 - _LIKELY_SHARE) * belief_in_label
    wrong = _LIKELY_SHARE * (1.0 - belief_in_label) / max(classes - 1, 1)
    return right / (right + wrong)


def _believe_again(
    embeddings: Embeddings,
    labels: Labels,
    clean: Numbers,
    inverse_regularisation: float,
    rng: np.random.Generator,
    name_vectors: Floats | None,
    prior_weight: float,
) -> Numbers:
    """Out-of-fold beliefs (n, c) of heads for which a doubtful label counts less."""
    folds = assign_folds(labels.classes, rng)
    heads = int(folds.max()) + 1
    learns = (folds[:, None] != np.arange(heads)) * clean[:, None]
    fitter = HeadFitter(embeddings, labels, name_vectors=name_vectors)
    fit = fitter.fit(
        torch.from_numpy(learns).float(),
        prior_weights=torch.full((heads,), prior_weight),
        inverse_regularisation=inverse_regularisation,
        tolerance=0.1,
        max_iterations=30,
    )
    logits = fit.logits.numpy()[np.arange(len(labels)), folds]
    likely = clean > 0.5
    temperature = fit_temperature(logits[likely], labels.classes[likely])
    calibrated: Floats = (logits / temperature).astype(np.float32)
    return softmax(calibrated).astype(np.float64)


def _believe_without_doubtful(
    embeddings: Embeddings,
    labels: Labels,
    clean: Numbers,
    rng: np.random.Generator,
    name_vectors: Floats | None,
    neighbour_graph: NeighbourGraph | None,
) -> Numbers:
    """Beliefs (n, c) of a training on the likely labels alone, which is out of fold for these as well."""
    likely = np.flatnonzero(clean > 0.5)
    if not len(likely):
        likely = np.arange(len(labels))
    trained = train(
        embeddings.take(likely),
        labels.take(likely),
        name_vectors=name_vectors,
        audit=np.zeros(len(likely), dtype=np.bool_),
        rng=rng,
        neighbour_graph=neighbour_graph,
    )
    beliefs = trained.head.probabilities(embeddings, "likely-labels").values.astype(np.float64)
    beliefs[likely] = trained.out_of_fold.values
    return beliefs


def _mix(own: Numbers, around: Numbers, given: NDArray[np.intp], clean: Numbers) -> Numbers:
    """Own and neighbours' beliefs, each to the power that makes the likely labels most likely."""
    even = _SLIP / own.shape[1]
    logs = [np.log((1.0 - _SLIP) * estimate + even) for estimate in (own, around)]
    best, least = own, np.inf
    for powers in product(_POWERS, _POWERS):
        mixed = softmax((powers[0] * logs[0] + powers[1] * logs[1]).astype(np.float32)).astype(np.float64)
        loss = -float(clean @ np.log(mixed[np.arange(len(given)), given]))
        if loss < least:
            best, least = mixed, loss
    return best


def _most_doubtful(doubt: Numbers, count: int) -> NDArray[np.bool_]:
    flagged = np.zeros(len(doubt), dtype=np.bool_)
    flagged[np.argsort(-doubt, kind="stable")[:count]] = True
    return flagged


def _say(flagged: NDArray[np.bool_]) -> str:
    count, total = int(flagged.sum()), len(flagged)
    if not count:
        return f"None of the {total} labels looks wrong."
    return f"About {count} of {total} labels look wrong and are worth a second look."


def _require_rows(embeddings: Embeddings, labels: Labels, out_of_fold: Floats) -> None:
    if not np.array_equal(embeddings.ids, labels.ids):
        raise ValueError("find_suspects: embeddings and labels differ in their ids")
    if out_of_fold.shape != labels.targets.shape:
        raise ValueError(f"find_suspects: beliefs {out_of_fold.shape} for labels {labels.targets.shape}")
    if not (np.isfinite(out_of_fold).all() and np.isfinite(embeddings.vectors).all()):
        raise ValueError("find_suspects: a number is not finite")
