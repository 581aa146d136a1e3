"""What heads that did not learn from an item say of each of its labels, several times over."""

from __future__ import annotations

import numpy as np

from model.records import Floats
from model.synthetic.cross_fitting import MOST_REPEATS
from model.tasks.label_fits import fit_labels
from model.tasks.label_folds import assign_label_folds

INVERSE_REGULARISATION = 20.0  # as in the head that learns several choices
_AFFORDABLE = 2e9  # products per step of all heads; more repeats than that would take minutes


def cross_fit_labels(
    vectors: Floats,
    targets: Floats,
    *,
    sample_weights: Floats,
    rng: np.random.Generator,
    most_repeats: int = MOST_REPEATS,
) -> Floats:
    """Logits (r, n, c): in each of r repeats one-vs-rest heads fitted without its fold judge every item.

    vectors (n, d), multi-hot targets (n, c); `sample_weights` (n,) are in [0, 1].
    """
    rows, dimensions = vectors.shape
    labels = targets.shape[1]
    cost = 5.0 * rows * min(rows, dimensions) * labels
    repeats = int(np.clip(_AFFORDABLE / max(cost, 1.0), 1, most_repeats))
    folds = [assign_label_folds(targets, rng) for _ in range(repeats)]
    counts = [int(one.max()) + 1 for one in folds]
    learns = [
        one[:, None] != np.arange(count) for one, count in zip(folds, counts, strict=True)
    ]  # each (n, folds)
    fits = fit_labels(
        vectors,
        targets,
        learns=(np.concatenate(learns, axis=1) * sample_weights[:, None]).astype(np.float32),
        prior=empty_prior(dimensions, labels),
        inverse_regularisation=INVERSE_REGULARISATION,
    )
    starts = np.concatenate([[0], np.cumsum(counts[:-1])]).astype(np.intp)
    return np.stack(
        [fits.logits[np.arange(rows), start + one] for start, one in zip(starts, folds, strict=True)]
    )


def empty_prior(dimensions: int, labels: int) -> Floats:
    """Weights (d + 1, c) before any label, the bias last: as if each item had one label."""
    prior = np.zeros((dimensions + 1, labels), dtype=np.float32)
    prior[-1] = -np.log(max(labels - 1, 1))
    return prior
