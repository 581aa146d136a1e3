"""Answers to "which is better?" that look wrong, by confident learning that knows no sides."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.records import Embeddings, Floats, Labels
from model.signals.suspect_answers import SuspectAnswers, gather_suspects, require_beliefs, too_early
from model.task_type import Trained

# Of the way from one half to the usual chance: where all pairs are alike, half of them lie above their mean.
_USUAL = 0.8


def find_suspect_sides(
    items: Embeddings,
    labels: Labels,
    trained: Trained,
    *,
    names: Floats | None,
    rng: np.random.Generator,
) -> SuspectAnswers:
    """Pairs in which the other side is believed nearly as strongly as named sides usually are.

    Confident learning (Northcutt et al., 2021) with one threshold for both sides, as neither differs from the
    other: by the mean chance of the named side, never below one half. Doubt is the chance of the other side.
    A tie is never suspect.
    """
    require_beliefs(labels, trained)
    early = too_early(labels)
    if early is not None:
        return early
    given, chances = labels.targets > 0, trained.out_of_fold.values.astype(np.float64)
    named: NDArray[np.bool_] = labels.targets.max(axis=1) > 0
    if not named.any():
        return gather_suspects(np.zeros(len(labels)), named, labels.targets)
    threshold = 0.5 + _USUAL * max(float(chances[given].mean()) - 0.5, 0.0)
    doubt = np.where(named, np.where(given, 0.0, chances).sum(axis=1), 0.0)
    proposed = np.where(named[:, None], ~given, given).astype(np.float32)
    return gather_suspects(doubt, named & (doubt > threshold), proposed)
