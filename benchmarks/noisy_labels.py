"""Labels of which a share is wrong: how well they are found, by us and by cleanlab."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks.signal_runs import TextSet
from model.records import REPRESENTATIONS, Embeddings, Labels, LabelSpace
from model.representations.choice import View, choose_representation
from model.representations.features import represent, represent_names
from model.signals.label_errors import find_suspects
from model.simulation.oracle import noisy_oracle
from model.training import train

NOISE = 0.1
# Runs in the environment of cleanlab, which need not have anything of ours.
CLEANLAB = """
import sys
import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
with np.load(sys.argv[1]) as rows:
    labels, beliefs = rows["labels"], rows["beliefs"]
found = {name: get_label_quality_scores(labels, beliefs, method=name)
         for name in ("self_confidence", "normalized_margin")}
np.savez(sys.argv[2], issues=find_label_issues(labels, beliefs), **found)
"""

Numbers = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]


def measure_noisy(texts: TextSet, *, size: int, seed: int, cleanlab: Path | None) -> dict[str, Any]:
    """AUROC, precision at the true number of wrong labels, and F1 of what is flagged."""
    rng = np.random.default_rng([seed, size])
    rows = rng.permutation(len(texts.answers))[:size]
    space = LabelSpace(tuple(str(column) for column in range(len(texts.name_vectors))))
    oracle = noisy_oracle(texts.answers[rows], space, noise=NOISE, rng=rng)
    items = Embeddings(np.arange(size), texts.vectors[rows], "frozen")
    labels = oracle.label(items, np.arange(size))
    view = _choose_view(texts, rows, items, labels, seed=seed)
    nothing = np.zeros(size, dtype=np.bool_)
    trained = train(view.labelled, labels, name_vectors=view.names, audit=nothing, rng=rng)
    suspects = find_suspects(
        view.labelled,
        labels,
        out_of_fold=trained.out_of_fold.values,
        inverse_regularisation=trained.metrics["inverse_regularisation"] or 10.0,
        rng=rng,
        name_vectors=view.names,
        prior_weight=trained.metrics["prior_weight"] or 0.0,
    )
    wrong = oracle.answers != texts.answers[rows]
    found = {"ours": _judge(suspects.doubt, suspects.flagged, wrong)}
    if cleanlab is not None:
        found |= _ask_cleanlab(cleanlab, labels.classes, trained.out_of_fold.values, wrong)
    return found | {"wrong": int(wrong.sum()), "flagged": suspects.count}


def _choose_view(
    texts: TextSet, rows: NDArray[np.intp], items: Embeddings, labels: Labels, *, seed: int
) -> View:
    """What the live loop would let the head see: the labels choose, wrong ones among them."""
    words = Embeddings(items.ids, texts.words[rows], "words")
    views = {
        name: View(represent(name, items, words), represent_names(name, texts.name_vectors, texts.name_words))
        for name in REPRESENTATIONS
    }
    return views[choose_representation(views, labels, seed=seed).representation]


def _judge(doubt: Numbers, flagged: Mask, wrong: Mask) -> list[float]:
    first = np.argsort(-doubt, kind="stable")[: wrong.sum()]
    f1 = 2.0 * (flagged & wrong).sum() / max(flagged.sum() + wrong.sum(), 1)
    return [float(roc_auc_score(wrong, doubt)), float(wrong[first].mean()), float(f1)]


def _ask_cleanlab(
    python: Path, labels: NDArray[np.intp], beliefs: Numbers, wrong: Mask
) -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder, "given.npz"), Path(folder, "answer.npz")
        rows = beliefs.astype(np.float64)
        np.savez(given, labels=labels, beliefs=rows / rows.sum(axis=1, keepdims=True))
        subprocess.run([str(python), "-c", CLEANLAB, str(given), str(answer)], check=True)
        with np.load(answer) as scores:
            return {
                name: _judge(-scores[name], scores["issues"], wrong)
                for name in ("self_confidence", "normalized_margin")
            }
