"""Where to cut a tree of novel items, and which two groups are one class: learned from the known classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster

from model.novelty.known_set import class_means
from model.novelty.linking import lean, link
from model.novelty.metric import learn_metric
from model.records import Embeddings, Floats, Labels

DEFAULT_CUT = 0.5
TURNS = 3  # a third of the classes at a time plays the novel ones
ROUNDS = 2  # in which each class plays once, each time among others
FEWEST_PLAYING = 4  # classes at a time: of fewer, any cut gives each back
MOST_CALIBRATED = 1500
_MOST_PLAYING = 800
_CUTS = np.linspace(0.15, 1.05, 46)
_PRIOR = 1e4  # inverse regularisation of the odds that two groups are one class: next to none

Rows = NDArray[np.intp]
Trial = tuple[Floats, NDArray[np.float64], Rows]  # leaned vectors (n, d), their tree, their classes (n,)


@dataclass(frozen=True, slots=True)
class Cut:
    """The distance at which novel items are cut apart, and how close two groups of one class are.

    The odds that two groups belong together are exp(offset + slope · their mean cosine); None: never asked.
    """

    distance: float = DEFAULT_CUT
    slope: float = 0.0
    offset: float | None = None

    def belong_together(self, means: Floats) -> Floats:
        """How likely two groups are parts of one class, (g, g) in [0, 1], from their mean vectors (g, d)."""
        if self.offset is None:
            return np.zeros((len(means), len(means)), dtype=np.float32)
        odds = self.offset + self.slope * (means @ means.T)
        likely: Floats = (1.0 / (1.0 + np.exp(-np.clip(odds, -30.0, 30.0)))).astype(np.float32)
        return likely


def calibrate_cut(labelled: Embeddings, labels: Labels, *, neighbours: int, seed: int) -> Cut:
    """The cut that gives classes back best which the metric has not seen (mean pairwise F1 over turns).

    A metric draws the classes that taught it together: a cut chosen on these tears novel classes apart. So a
    third of the classes at a time plays the novel ones, and the others teach. With fewer than twelve classes
    all play at once.
    """
    trials = _play_turns(labelled, labels, neighbours=neighbours, rng=np.random.default_rng(seed))
    scores = [
        np.mean([pairwise_f1(fcluster(tree, cut, "distance"), classes) for _, tree, classes in trials])
        for cut in _CUTS
    ]
    distance = float(_CUTS[int(np.argmax(scores))])
    slope, offset = _learn_odds(trials, distance)
    return Cut(distance, slope, offset)


def pairwise_f1(clusters: NDArray[np.int32], classes: NDArray[np.intp]) -> float:
    """F1 of "these two belong together" over all pairs of items, in [0, 1]."""
    table = np.zeros((int(clusters.max()) + 1, int(classes.max()) + 1))
    np.add.at(table, (clusters, classes), 1.0)
    both, by_cluster, by_class = (_pairs(counts) for counts in (table, table.sum(axis=1), table.sum(axis=0)))
    return 2.0 * both / max(by_cluster + by_class, 1.0)


def _play_turns(
    labelled: Embeddings, labels: Labels, *, neighbours: int, rng: np.random.Generator
) -> list[Trial]:
    counts = np.bincount(labels.classes, minlength=len(labels.space))
    playing = np.flatnonzero(counts >= 2)
    if len(playing) < TURNS * FEWEST_PLAYING:
        chosen = rng.permutation(len(labels))[:MOST_CALIBRATED]
        metric = learn_metric(labelled.vectors, labels)
        return [_trial(metric.apply(labelled.vectors[chosen]), labels.classes[chosen], neighbours)]
    trials = []
    for _ in range(ROUNDS):
        playing = rng.permutation(playing)
        for turn in range(TURNS):
            plays = np.isin(labels.classes, playing[turn::TURNS])
            metric = learn_metric(labelled.vectors[~plays], labels.take(np.flatnonzero(~plays)))
            chosen = rng.permutation(np.flatnonzero(plays))[:_MOST_PLAYING]
            trials.append(_trial(metric.apply(labelled.vectors[chosen]), labels.classes[chosen], neighbours))
    return trials


def _trial(vectors: Floats, classes: Rows, neighbours: int) -> Trial:
    leaned = lean(vectors, neighbours)
    return leaned, link(leaned), classes


def _learn_odds(trials: Sequence[Trial], distance: float) -> tuple[float, float | None]:
    """Slope and offset of the odds that two groups are of one class, by the mean cosine of their items."""
    from sklearn.linear_model import LogisticRegression

    closeness, same = [], []
    for vectors, tree, classes in trials:
        means, majority = _large_parts(vectors, fcluster(tree, distance, "distance"), classes)
        above = np.triu_indices(len(means), k=1)
        closeness.append((means @ means.T)[above])
        same.append((majority[:, None] == majority)[above])
    seen = np.concatenate(same)
    if not seen.any() or seen.all():
        return 0.0, None
    fitted = LogisticRegression(C=_PRIOR).fit(np.concatenate(closeness)[:, None], seen)
    return float(fitted.coef_[0, 0]), float(fitted.intercept_[0])


def _large_parts(vectors: Floats, clusters: NDArray[np.int32], classes: Rows) -> tuple[Floats, Rows]:
    """Mean vectors (g, d) of the clusters of three items or more, and the class (g,) most of them have."""
    places = np.unique(clusters, return_inverse=True)[1]
    table = np.zeros((places.max() + 1, classes.max() + 1))
    np.add.at(table, (places, classes), 1.0)
    large = table.sum(axis=1) >= 3
    return class_means(vectors, places)[large], table.argmax(axis=1)[large]


def _pairs(counts: NDArray[np.float64]) -> float:
    return float((counts * (counts - 1.0) / 2.0).sum())
