"""What synthetic items with sets of labels lift: real audit answers with exactly the right labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.records import Floats
from model.synthetic.items import RealItems, SyntheticItems
from model.synthetic.label_sets.cross_fitting import INVERSE_REGULARISATION, empty_prior
from model.synthetic.lift import TRAININGS, Lift, compare, learned_from, unmeasured, without_copies
from model.tasks.label_fits import fit_labels

_NUMBERS = 2e7  # logits of one batch of heads


def measure_set_lift(
    real: RealItems, synthetic: SyntheticItems, chosen: NDArray[np.bool_], *, rng: np.random.Generator
) -> Lift:
    """Lift by the chosen synthetic items (s,), on audit items that neither head has seen.

    As `model.synthetic.lift.measure_lift`, but an answer is right when each label stands on its side of
    even odds.
    """
    audit = np.flatnonzero(real.audit)
    kept = without_copies(real, synthetic, chosen)
    if not len(audit) or len(audit) == len(real.labels) or not len(kept):
        return unmeasured(real, kept)
    items, labels, first = learned_from(real, synthetic, kept)
    sides = np.ones((len(labels), 2, 1), dtype=np.float32)
    sides[first:, 0] = 0.0
    drawn = rng.poisson(1.0, size=(len(labels), TRAININGS)).astype(np.float32)
    weights = np.concatenate([np.ones((len(labels), 1), dtype=np.float32), drawn], axis=1)
    learns = (sides * weights[:, None, :]).reshape(len(labels), -1)
    vectors, truth = real.embeddings.vectors[audit], real.labels.targets[audit] > 0
    right = _right(items.vectors, labels.targets, learns, vectors, truth)
    return compare(right.reshape(2, 1 + TRAININGS, len(audit)), items=len(kept))


def _right(
    vectors: Floats, targets: Floats, learns: Floats, asked: Floats, truth: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether heads, one for each column of weights `learns` (n, f), answer the asked right, (f, a)."""
    batch = max(1, int(_NUMBERS / targets.size))
    rows = np.concatenate([asked, np.ones((len(asked), 1), np.float32)], axis=1)
    found = []
    for start in range(0, learns.shape[1], batch):
        weights = fit_labels(
            vectors,
            targets,
            learns=learns[:, start : start + batch],
            prior=empty_prior(vectors.shape[1], targets.shape[1]),
            inverse_regularisation=INVERSE_REGULARISATION,
        ).weights
        said = np.einsum("ad,dfc->fac", rows, weights, optimize=True) > 0
        found.append((said == truth).all(axis=2))
    return np.concatenate(found)
