"""A sample of the pool and who is near whom in it: what items without a label can teach a head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from model.records import Embeddings, Floats

SAMPLE = 3000  # items that teach
AROUND = 10_000  # items among which their neighbours are looked for
NEIGHBOURS = 10


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """`around` (m, d) holds vectors, `rows` (s,) those that teach, `neighbours` (s, k) rows near each."""

    around: Embeddings
    rows: NDArray[np.intp]
    neighbours: NDArray[np.intp]

    @property
    def sample(self) -> Embeddings:
        """The items that teach, (s, d)."""
        return self.around.take(self.rows)

    def smooth(self, probabilities: Floats) -> Floats:
        """Beliefs (s, c) of the items that teach: the mean over neighbours, surer, and balanced.

        `probabilities` (m, c) follow `around`. Neighbours mostly share a class, so their mean errs less than
        one item's own belief. The square over the size of the class makes up its mind without letting large
        classes swallow small ones (the target distribution of DEC; Xie et al., 2016).
        """
        mean = probabilities[self.neighbours].mean(axis=1)
        surer = mean**2 / np.maximum(mean.mean(axis=0), 1e-6)
        beliefs: Floats = (surer / surer.sum(axis=1, keepdims=True)).astype(np.float32)
        return beliefs


def find_surroundings(everything: Embeddings, rng: np.random.Generator) -> Surroundings:
    """The surroundings of a project: drawn from all items, labelled or not, so that they can be kept."""
    by_id = np.argsort(everything.ids)
    around = everything.take(by_id[np.sort(rng.permutation(len(by_id))[:AROUND])])
    rows = np.sort(rng.permutation(len(around))[:SAMPLE])
    count = min(NEIGHBOURS, len(around))
    closeness = around.vectors[rows] @ around.vectors.T
    # torch's selection of the largest is many times quicker than numpy's
    neighbours = torch.topk(torch.from_numpy(closeness), count, dim=1, sorted=False).indices.numpy()
    return Surroundings(around, rows, neighbours.astype(np.intp))
