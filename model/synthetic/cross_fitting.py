"""What heads that did not learn from an item say of it: log probabilities out of fold, several times over."""

from __future__ import annotations

import numpy as np
import torch

from model.heads.fitting import HeadFitter
from model.heads.training_set import assign_folds
from model.records import Embeddings, Floats, Labels

INVERSE_REGULARISATION = 10.0
MOST_REPEATS = 4
_AFFORDABLE = 2e10  # products per step of all heads; more repeats than that would take minutes


def cross_fit(
    embeddings: Embeddings,
    labels: Labels,
    *,
    sample_weights: Floats,
    rng: np.random.Generator,
    most_repeats: int = MOST_REPEATS,
) -> Floats:
    """Log probabilities (r, n, c): in each of r repeats a head fitted without its fold judges every item.

    `sample_weights` (n,) are in [0, 1].
    All heads are fitted in one batch. Like out-of-bag agreement (Kwon and Zou, 2023, Data-OOB), but each head
    sees four fifths of the items, so fewer heads say as much.
    """
    rows, dimensions = embeddings.vectors.shape
    cost = 5.0 * rows * dimensions * len(labels.space)
    repeats = int(np.clip(_AFFORDABLE / max(cost, 1.0), 1, most_repeats))
    folds = np.stack([assign_folds(labels.classes, rng) for _ in range(repeats)])  # (r, n)
    numbers = [(repeat, fold) for repeat in range(repeats) for fold in range(int(folds[repeat].max()) + 1)]
    learns = np.stack([folds[repeat] != fold for repeat, fold in numbers], axis=1)  # (n, heads)
    fit = HeadFitter(embeddings, labels, name_vectors=None).fit(
        torch.from_numpy(learns * sample_weights[:, None]).float(),
        prior_weights=torch.zeros(len(numbers)),
        inverse_regularisation=INVERSE_REGULARISATION,
        tolerance=0.1,
        max_iterations=30,
    )
    said = np.empty((repeats, rows, len(labels.space)), dtype=np.float32)
    for head, (repeat, fold) in enumerate(numbers):
        mine = folds[repeat] == fold
        said[repeat, mine] = torch.log_softmax(fit.logits[torch.from_numpy(mine), head], dim=1).numpy()
    return said
