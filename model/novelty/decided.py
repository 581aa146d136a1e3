"""Whether a group of novel items is one that a person decided about before, whatever it is called now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.novelty.grouping import Group, shares_half
from model.novelty.known_set import class_means
from model.novelty.linking import unit
from model.records import Embeddings, Floats, Labels

_REACH = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class DecidedGroup:
    """A group that was made a class or called none: its name, its items, and their unit vectors (n, d)."""

    name: str
    ids: frozenset[int]
    vectors: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """All groups that were decided, and how near to its class an item of this project lies.

    `reach` is a cosine: a quarter of the way from how near labelled items are to the middle of the nearest
    other class to how near they are to that of their own. It is above 1 where fewer than two classes tell.
    """

    groups: Sequence[DecidedGroup]
    others: Floats
    reach: float

    @classmethod
    def beside(cls, groups: Sequence[DecidedGroup], labelled: Embeddings, labels: Labels) -> Decisions:
        """Decisions beside the classes that have two labels or more."""
        classes, counts = labels.classes, labels.targets.sum(axis=0)
        rows = counts[classes] >= 2
        if len(np.unique(classes[rows])) < 2:
            return cls(groups, labelled.vectors[:0], 2.0)
        vectors, places = labelled.vectors[rows], np.unique(classes[rows], return_inverse=True)[1]
        middles = unit(class_means(vectors, places))
        sums = np.zeros_like(middles)
        np.add.at(sums, places, vectors)
        own = np.einsum("nd,nd->n", vectors, unit(sums[places] - vectors))
        near = vectors @ middles.T
        near[np.arange(len(vectors)), places] = -1.0
        far = float(np.median(near.max(axis=1)))
        return cls(groups, middles, far + _REACH * (float(np.median(own)) - far))

    def hold(self, group: Group, name: str, items: Embeddings) -> bool:
        """Whether a group is one of the decided ones: by its items, by its name if any, or by where it lies.

        By its items: they share half of the smaller group. By where it lies: half of its items are within
        reach of the middle of a decided group, and that middle is nearer than that of any class. `items`
        hold the vectors of the group.
        """
        vectors = items.vectors[np.isin(items.ids, group.ids)]
        return any(
            (name and name.casefold() == one.name.casefold())
            or shares_half(one.ids, group.ids)
            or self._lie_within(vectors, one.vectors)
            for one in self.groups
        )

    def _lie_within(self, vectors: Floats, decided: Floats) -> bool:
        if not len(decided) or not len(self.others):
            return False
        near = float(np.median(vectors @ unit(decided.mean(axis=0)[None])[0]))
        return near >= self.reach and near > float(np.median(vectors @ self.others.T, axis=0).max())
