"""Paths that look wrong: every node that an answer goes through is a box, ticked or not."""

from __future__ import annotations

import numpy as np

from model.records import Embeddings, Floats, Labels
from model.signals.suspect_answers import SuspectAnswers, gather_suspects, require_beliefs, too_early
from model.signals.suspect_ticks import chance_of_error
from model.task_type import Trained
from model.tasks.paths import Tree, tree_of


def find_suspect_paths(
    items: Embeddings,
    labels: Labels,
    trained: Trained,
    *,
    names: Floats | None,
    rng: np.random.Generator,
) -> SuspectAnswers:
    """Answers that go through a node by mistake, or stop above one, by the beliefs out of fold alone.

    Errors are estimated as of several choices. What is proposed has no child without its parent.
    """
    require_beliefs(labels, trained)
    early = too_early(labels)
    if early is not None:
        return early
    tree = tree_of(labels.space)
    given = tree.close(labels.targets) > 0
    wrong = chance_of_error(trained.out_of_fold.values.astype(np.float64), given)
    proposed = _ends(np.where(wrong > 0.5, ~given, given).astype(np.float32), tree)
    differs = (proposed != tree.ends(given.astype(np.float32))).any(axis=1)
    return gather_suspects(wrong.max(axis=1), differs, proposed)


def _ends(nodes: Floats, tree: Tree) -> Floats:
    """Where the paths end that are whole down from their root (n, c)."""
    broken: Floats = (nodes == 0).astype(np.float32) @ tree.through.T
    return tree.ends((broken == 0).astype(np.float32))
