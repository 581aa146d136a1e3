"""How dense the labelled items are around an item, beside the pool: what only the pool has is novel.

Blanchard, Lee and Scott, 2010, Semi-supervised novelty detection: the best detector is the best classifier of
labelled items against the pool. It is learned by least squares in the span of a Gaussian kernel, as density
ratios are (Kanamori et al., 2009; for outliers Hido et al., 2011). Items that set a threshold stand on the
pool's side meanwhile, so that nothing tells them from it (Marandon et al., 2024, AdaDetect).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from model.novelty.kernel import kernel_features, kernel_root
from model.novelty.known_set import KnownSet, Mask, Queries
from model.records import Floats

SHARPNESS = 1.0  # of the kernel, in units of the spread of the classes: it sees whole classes
OF_POOL = 0.3  # what all of the pool counts beside all of the labelled items
RIDGE = 1.0  # penalty of the weights, beside 1 for each labelled item
SPAN = 1000  # rows that span the classifier, half of each side
_CHUNK = 4096


@dataclass(frozen=True, slots=True, eq=False)
class _Classifier:
    """Weights (m,) of the features, the Cholesky root (m, m) of their penalised covariance, and what one row
    of the pool's side counts."""

    weights: torch.Tensor
    root: torch.Tensor
    of_one: float

    def lengths(self, features: torch.Tensor) -> torch.Tensor:
        """How far items (q, m) lie from all training rows, (q,): times what one counts, their leverage."""
        turned: torch.Tensor = torch.linalg.solve_triangular(self.root, features.T, upper=False)
        return turned.square().sum(dim=0)

    def labelled(self, features: torch.Tensor, lengths: torch.Tensor) -> Floats:
        """The share (q,) of labelled items around items (q, m), none of which is labelled.

        Training rows have a length (q,) above 0 and are scored as if left out: their own target was
        0, so it is enough to take their leverage away.
        """
        shares: Floats = ((features @ self.weights) / (1.0 - self.of_one * lengths)).numpy()
        return shares


class _Span:
    """The functions that some rows of both sides span."""

    def __init__(self, known: KnownSet) -> None:
        self._rows = np.concatenate([_thin(known.vectors[known.landmarks]), _thin(known.unlabelled)])
        self._sharpness = SHARPNESS / known.spread
        self._root = kernel_root(self._rows, self._sharpness)
        self._labelled = self.features(known.vectors[: known.items])
        self._pool = self.features(known.unlabelled)

    def features(self, vectors: Floats) -> torch.Tensor:
        """Features (n, m) whose products are the kernel."""
        return kernel_features(vectors, self._rows, self._sharpness, self._root)

    def fit(self, excluded: Mask) -> list[_Classifier]:
        """A classifier for each variant (v, n) of what is left out; it says 0 when nothing is left."""
        labelled, pool = self._labelled.T @ self._labelled, self._pool.T @ self._pool
        total = self._labelled.sum(dim=0)
        found = []
        for left_out in excluded:
            gone = self._labelled[torch.from_numpy(left_out)]
            kept, unknown = len(self._labelled) - len(gone), len(self._pool) + len(gone)
            of_one, moved = OF_POOL * kept / unknown, gone.T @ gone
            gram = ((labelled - moved) + of_one * (pool + moved)).double()
            gram.diagonal().add_(RIDGE)
            root = torch.linalg.cholesky(gram)
            moment = (total - gone.sum(dim=0)).double()[:, None]
            weights = torch.cholesky_solve(moment, root)[:, 0]
            found.append(_Classifier(weights.float(), root.float(), of_one))
        return found


def density_ratio(known: KnownSet, excluded: Mask, queries: Queries) -> Floats:
    """Less the share of labelled items around each query, in about [-1, 0]; 0 when a side is empty.

    Excluded rows are on the pool's side. A row of that side is scored as if it were left out.
    """
    found = np.zeros((len(excluded), len(queries)), dtype=np.float32)
    if not len(known.unlabelled):
        return found
    excluded = excluded[:, : known.items]
    span = _Span(known)
    whole, *classifiers = span.fit(np.concatenate([np.zeros_like(excluded[:1]), excluded]))
    for start in range(0, len(queries), _CHUNK):
        part = queries.take(slice(start, start + _CHUNK))
        features = span.features(part.vectors)
        around = _lengths(whole, features, part.unlabelled >= 0)  # all variants have nearly the same pool
        for variant, classifier in enumerate(classifiers):
            lengths = around + _lengths(classifier, features, part.left_out(excluded[variant]))
            found[variant, start : start + _CHUNK] = -classifier.labelled(features, lengths)
    return found


def _lengths(classifier: _Classifier, features: torch.Tensor, of: Mask) -> torch.Tensor:
    """The lengths (q,) of the marked items (q, m), 0 for the others."""
    found, rows = torch.zeros(len(features)), torch.from_numpy(np.flatnonzero(of))
    found[rows] = classifier.lengths(features[rows])
    return found


def _thin(rows: Floats) -> Floats:
    """At most half of the span of rows (n, d), evenly."""
    chosen = np.linspace(0, len(rows) - 1, min(len(rows), SPAN // 2)).astype(np.intp)
    return rows[chosen]
