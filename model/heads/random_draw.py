"""Could labels as well be a random draw from the pool, and how much of it do their classes then leave out?

Nobody says how labels were picked. A file sorted by class, or one class labelled first, must not pass for a
random draw: then what no label shows would be taken for what does not occur.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.heads.single_label import as_float32
from model.records import Floats, Labels

DRAWS = 200
PLAIN = 0.2  # p-value from which on nothing speaks against a random draw
_SEED = 0  # the same labels, the same verdict


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Labelled rows and the pool: vectors (n, d), (m, d), and what names say of them, (n, c), (m, c)."""

    labels: Labels
    labelled: Floats
    pool: Floats
    named_labelled: Floats
    named_pool: Floats


def trust_in_random_draw(sample: Sample) -> float:
    """From 0 (surely picked by class, or nobody can tell) to 1: how far labels may count as a random draw.

    Two tests, the smaller p-value doubled (Bonferroni): is the mean vector as near the pool's as those of
    random draws, and do the names, of each label, say as much for classes that no other label has as they
    say of the pool. Then as far as the missing mass is known: k classes with a single label give k / (k + 1).
    """
    singles = int(_is_single(sample.labels).sum())
    if len(sample.labels) < 2 or not singles:
        return 0.0
    p_value = 2.0 * min(_p_of_mean(sample.labelled, sample.pool), _p_of_names(sample))
    return min(p_value / PLAIN, 1.0) * singles / (singles + 1)


def missing_mass(labels: Labels, expected: float, *, strength: float) -> float:
    """The share of the pool that is of classes without a label, if the labels are a random draw.

    The share of labels that are the only one of their class (Good, 1953), with an expected share that counts
    as `strength` labels. At most what is expected.
    """
    singles = float(_is_single(labels).sum())
    return min((strength * expected + singles) / (strength + len(labels)), expected)


def _is_single(labels: Labels) -> NDArray[np.bool_]:
    """Which rows (n,) are the only one of their class."""
    single: NDArray[np.bool_] = labels.targets.sum(axis=0)[labels.classes] == 1.0
    return single


def _p_of_mean(labelled: Floats, pool: Floats) -> float:
    """The share of random draws whose mean is at least as far from the mean of the pool as the labels'."""
    vectors = as_float32(pool)
    centre = vectors.mean(axis=0)
    count = min(len(labelled), len(vectors))
    rng = np.random.default_rng(_SEED)
    draws = (vectors[rng.choice(len(vectors), count, replace=False)].mean(axis=0) for _ in range(DRAWS))
    distances = np.array([np.linalg.norm(mean - centre) for mean in draws])
    mine = np.linalg.norm(as_float32(labelled).mean(axis=0) - centre)
    return float((distances >= mine).mean())


def _p_of_names(sample: Sample) -> float:
    """How likely the names would say so little of the labels for classes that no other label has.

    In a random draw each label is to the others as any item of the pool is to them. One-sided, normal.
    """
    classes, single = sample.labels.classes, _is_single(sample.labels)
    unseen = ~sample.labels.targets.any(axis=0)
    of_pool = sample.named_pool.mean(axis=0)
    own = sample.named_labelled[np.arange(len(classes)), classes]
    expected = of_pool[unseen].sum() + of_pool[classes] * single
    less = expected - (sample.named_labelled[:, unseen].sum(axis=1) + own * single)
    error = float(less.std(ddof=1)) / math.sqrt(len(less))
    if error == 0.0:
        return 1.0 if less.mean() <= 0.0 else 0.0
    return 0.5 * math.erfc(float(less.mean()) / error / math.sqrt(2.0))
