"""Answers of any number of labels, as the detector takes them: one class for each item."""

from __future__ import annotations

import numpy as np

from model.records import Labels, LabelSpace

NONE = ""  # the class of items of which people said that no label fits; no label has this name


def one_class_each(labels: Labels) -> Labels:
    """Each item by the rarest of its labels (n,), which says most about it; one-hot rows stay as they are.

    An item counts once, however many labels it has: the rate of false alarms is one of items. Items that
    no label fits are a class of their own, `NONE`, behind all others.
    """
    given = labels.targets > 0
    has_none = not given.any(axis=1).all()
    if not has_none and (given.sum(axis=1) == 1).all():
        return labels
    rarity = np.where(given, given.sum(axis=0), len(labels) + 1)
    if has_none:
        rarity = np.concatenate([rarity, np.full((len(labels), 1), len(labels))], axis=1)
    space = LabelSpace((*labels.space.names, NONE)) if has_none else labels.space
    chosen = np.eye(len(space), dtype=np.float32)[rarity.argmin(axis=1)]
    return Labels(labels.ids, chosen, space)
