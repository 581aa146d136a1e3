"""Grades and numbers far from what heads that never saw them believe, and single choices beside the first."""

from __future__ import annotations

import numpy as np

from model.records import Embeddings, Floats, Labels
from model.signals.suspect_answers import (
    SuspectAnswers,
    gather_suspects,
    require_beliefs,
    too_early,
)
from model.task_type import Trained

_STEPS_OFF = 2  # grades from the believed one; where there are but two, one
_UNLIKELY = 0.05  # belief in the given grade and those beyond it
_FAR_OUT = 3.0  # interquartile ranges beyond the quartiles (Tukey, 1977)


def find_suspect_grades(
    items: Embeddings,
    labels: Labels,
    trained: Trained,
    *,
    names: Floats | None,
    rng: np.random.Generator,
) -> SuspectAnswers:
    """Grades two or more from the believed one, where hardly any belief lies as far out as they do.

    Doubt is the expected distance from the given grade as a share of the scale.
    """
    require_beliefs(labels, trained)
    early = too_early(labels)
    if early is not None:
        return early
    chances = trained.out_of_fold.values.astype(np.float64)
    rows, count = np.arange(len(labels)), chances.shape[1]
    given, believed = labels.classes, trained.out_of_fold.answers.argmax(axis=1)
    distance = (chances * np.abs(np.arange(count) - given[:, None])).sum(axis=1)
    up = chances[:, ::-1].cumsum(axis=1)[:, ::-1][rows, given]
    down = chances.cumsum(axis=1)[rows, given]
    beyond = np.where(given >= believed, up, down)
    flagged = (np.abs(given - believed) >= min(_STEPS_OFF, count - 1)) & (beyond <= _UNLIKELY)
    return gather_suspects(distance / max(count - 1, 1), flagged, trained.out_of_fold.answers)


def find_suspect_numbers(
    items: Embeddings,
    labels: Labels,
    trained: Trained,
    *,
    names: Floats | None,
    rng: np.random.Generator,
) -> SuspectAnswers:
    """Numbers whose error lies far out: three interquartile ranges of all errors beyond their quartiles.

    Errors are in units of the spread that the head expects of each. Doubt is how much of the error lies
    beyond that fence.
    """
    require_beliefs(labels, trained)
    early = too_early(labels)
    if early is not None:
        return early
    believed = trained.out_of_fold
    errors = labels.targets[:, 0].astype(np.float64) - believed.answers[:, 0]
    errors /= np.maximum(believed.uncertainty.astype(np.float64), 1e-30)
    first, middle, third = np.quantile(errors, (0.25, 0.5, 0.75))
    reach = _FAR_OUT * (third - first)
    fence = np.where(errors > middle, third + reach - middle, middle - first + reach)
    doubt = 1.0 - fence / np.maximum(np.abs(errors - middle), 1e-30)
    flagged = (doubt > 0.0) & (reach > 0.0)  # where half of the errors are alike, no other is far out
    return gather_suspects(doubt, flagged, believed.answers)


def find_suspect_choices(
    items: Embeddings,
    labels: Labels,
    trained: Trained,
    *,
    names: Floats | None,
    rng: np.random.Generator,
) -> SuspectAnswers:
    """Single choices by confident learning, as those of a first question: see model.signals.label_errors."""
    require_beliefs(labels, trained)
    early = too_early(labels)
    if early is not None:
        return early
    settings = trained.metrics
    from model.signals.label_errors import (
        find_suspects,
    )  # takes seconds to import, which those who only predict need not pay

    found = find_suspects(
        items,
        labels,
        out_of_fold=trained.out_of_fold.values,
        inverse_regularisation=settings.get("inverse_regularisation") or 1.0,
        prior_weight=settings.get("prior_weight") or 0.0,
        name_vectors=names,
        rng=rng,
    )
    proposed = np.eye(len(labels.space), dtype=np.float32)[found.suggested]
    return gather_suspects(found.doubt.astype(np.float64), found.flagged, proposed)
