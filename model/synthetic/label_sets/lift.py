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
    asked, truth = real.embeddings.vectors[audit], real.labels.targets[audit]
    right = answer_right(real, synthetic, kept, asked=asked, truth=truth, trainings=TRAININGS, rng=rng)
    return compare(right, items=len(kept))


def answer_right(
    real: RealItems,
    synthetic: SyntheticItems,
    kept: NDArray[np.intp],
    *,
    asked: Floats,
    truth: Floats,
    trainings: int,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Whether heads without and with the kept items answer the asked right, (2, 1 + trainings, a).

    asked (a, d) and truth (a, c) are of items that no head learned from. The first head of each side learned
    from all items, the others from bootstrap samples.
    """
    items, labels, first = learned_from(real, synthetic, kept)
    drawn = rng.poisson(1.0, size=(len(labels), trainings)).astype(np.float32)
    weights = np.concatenate([np.ones((len(labels), 1), dtype=np.float32), drawn], axis=1)
    learns = np.concatenate([weights, weights], axis=1)  # without, then with
    learns[first:, : 1 + trainings] = 0.0
    prior = empty_prior(items.vectors.shape[1], len(labels.space))
    rows = np.concatenate([asked, np.ones((len(asked), 1), np.float32)], axis=1)
    batch = max(1, int(_NUMBERS / labels.targets.size))
    found = []
    for start in range(0, learns.shape[1], batch):
        learned = fit_labels(
            items.vectors,
            labels.targets,
            learns=learns[:, start : start + batch],
            prior=prior,
            inverse_regularisation=INVERSE_REGULARISATION,
        ).weights
        said = np.einsum("ad,dfc->fac", rows, learned, optimize=True) > 0
        found.append((said == (truth > 0)).all(axis=2))
    return np.concatenate(found).reshape(2, 1 + trainings, len(asked))
