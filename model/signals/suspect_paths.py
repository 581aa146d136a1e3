"""Paths of a taxonomy that look wrong: nodes that paths go through and should not, or miss and should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from model.records import Embeddings, Floats, Labels
from model.signals.suspect_answers import SuspectAnswers
from model.signals.suspect_ticks import find_suspect_ticks
from model.task_type import Trained
from model.tasks.paths import tree_of


def find_suspect_paths(
    items: Embeddings,
    labels: Labels,
    trained: Trained,
    *,
    names: Floats | None,
    rng: np.random.Generator,
) -> SuspectAnswers:
    """Answers with a node too many or too few, each node that a path goes through taken as ticked."""
    tree = tree_of(labels.space)
    closed = Labels(labels.ids, tree.close(labels.targets), labels.space)
    found = find_suspect_ticks(items, closed, trained, names=names, rng=rng)
    return replace(found, proposed=tree.ends(tree.close(found.proposed)))
