"""Wrong ticks and forgotten ones: confident learning for answers of several choices, per label.

A tick that a head which never saw it denies, and a label that it believes in and that is missing, are not
equally telling: people forget a label far more easily than they tick one at random. So the shares of both
errors are estimated from the beliefs (Northcutt et al., 2021, with the noise pooled over labels, since rare
ones have too few ticks of their own; per box as in Thyagarajan et al., 2022), and a box is suspect where an
error is likelier than not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.records import Embeddings, Floats, Labels
from model.signals.suspect_answers import (
    Numbers,
    SuspectAnswers,
    gather_suspects,
    require_beliefs,
    too_early,
)
from model.task_type import Trained

_ROUNDS, _STEPS = 3, 30
# Errors as they are before any was looked at, and in how many boxes that was seen: ticks and empty boxes.
_FORGOTTEN, _TICKED_BY_MISTAKE = 0.05, 0.005
_WEIGHT_OF_TICKS, _WEIGHT_OF_EMPTY = 20.0, 200.0
_MOST = 0.4  # of either error; beyond it nothing could be told
_LEAST_BELIEF = 1e-5


@dataclass(frozen=True, slots=True)
class _Errors:
    """Shares: of the labels that are there and were not ticked, of those not there that were."""

    forgotten: float = _FORGOTTEN
    mistaken: float = _TICKED_BY_MISTAKE


def find_suspect_ticks(
    items: Embeddings,
    labels: Labels,
    trained: Trained,
    *,
    names: Floats | None,
    rng: np.random.Generator,
) -> SuspectAnswers:
    """Answers in which a label is ticked or left out by mistake, by the beliefs out of fold alone."""
    require_beliefs(labels, trained)
    early = too_early(labels)
    if early is not None:
        return early
    given = labels.targets > 0
    wrong = chance_of_error(trained.out_of_fold.values.astype(np.float64), given)
    proposed = np.where(wrong > 0.5, ~given, given).astype(np.float32)
    doubt = wrong.max(axis=1)
    return gather_suspects(doubt, doubt > 0.5, proposed)


def chance_of_error(beliefs: Numbers, given: NDArray[np.bool_]) -> Numbers:
    """Chance (n, c) that each box is wrong, ticked or not, from chances (n, c) of heads that never saw it.

    The heads learned from wrong answers too: what they believe is put right by the errors estimated so far.
    """
    likely, errors = beliefs, _Errors()
    present = beliefs
    for _ in range(_ROUNDS):
        errors = _Errors()
        for _ in range(_STEPS):
            present = _chance_of_presence(likely, given, errors)
            errors = _count_errors(present, given)
        reach = 1.0 - errors.mistaken - errors.forgotten
        likely = np.clip((beliefs - errors.mistaken) / reach, _LEAST_BELIEF, 1.0 - _LEAST_BELIEF)
    wrong: Numbers = np.where(given, 1.0 - present, present)
    return wrong


def _chance_of_presence(likely: Numbers, given: NDArray[np.bool_], errors: _Errors) -> Numbers:
    """Chance (n, c) that a label is there, by what was believed before and by what the answer says."""
    there = likely * np.where(given, 1.0 - errors.forgotten, errors.forgotten)
    not_there = (1.0 - likely) * np.where(given, errors.mistaken, 1.0 - errors.mistaken)
    present: Numbers = there / (there + not_there)
    return present


def _count_errors(present: Numbers, given: NDArray[np.bool_]) -> _Errors:
    forgotten, there = float(present[~given].sum()), float(present.sum())
    mistaken, not_there = float((1.0 - present[given]).sum()), float((1.0 - present).sum())
    return _Errors(
        min((forgotten + _WEIGHT_OF_TICKS * _FORGOTTEN) / (there + _WEIGHT_OF_TICKS), _MOST),
        min((mistaken + _WEIGHT_OF_EMPTY * _TICKED_BY_MISTAKE) / (not_there + _WEIGHT_OF_EMPTY), _MOST),
    )
