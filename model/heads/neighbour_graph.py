"""A k-nearest-neighbour graph over a sample of the pool, and the pseudo-labels that it smooths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.neighbours import nearest
from model.records import Embeddings, Floats

SAMPLE = 3000  # items that get pseudo-labels
NODES = 10_000  # items among which their neighbours are looked for
NEIGHBOURS = 10


@dataclass(frozen=True, slots=True, eq=False)
class NeighbourGraph:
    """`nodes` (m, d) hold vectors, `rows` (s,) the sampled ones, `neighbours` (s, k) the nodes near each."""

    nodes: Embeddings
    rows: NDArray[np.intp]
    neighbours: NDArray[np.intp]

    @property
    def sample(self) -> Embeddings:
        """The items that get pseudo-labels, (s, d)."""
        return self.nodes.take(self.rows)

    def pseudo_labels(self, probabilities: Floats) -> Floats:
        """Soft pseudo-labels (s, c) of the sample: the mean over neighbours, sharpened and balanced.

        `probabilities` (m, c) follow the nodes. Neighbours mostly share a class, so their mean errs less than
        one item's own belief. The square over the size of the class makes up its mind without letting large
        classes swallow small ones (the target distribution of DEC; Xie et al., 2016).
        """
        mean = probabilities[self.neighbours].mean(axis=1)
        sharpened = mean**2 / np.maximum(mean.mean(axis=0), 1e-6)
        labels: Floats = (sharpened / sharpened.sum(axis=1, keepdims=True)).astype(np.float32)
        return labels


def build_neighbour_graph(everything: Embeddings, rng: np.random.Generator) -> NeighbourGraph:
    """The graph of a project: drawn from all items, labelled or not, so that it can be kept."""
    by_id = np.argsort(everything.ids)
    nodes = everything.take(by_id[np.sort(rng.permutation(len(by_id))[:NODES])])
    rows = np.sort(rng.permutation(len(nodes))[:SAMPLE])
    neighbours = nearest(nodes.vectors[rows], nodes.vectors, count=NEIGHBOURS).rows
    return NeighbourGraph(nodes, rows, neighbours)
