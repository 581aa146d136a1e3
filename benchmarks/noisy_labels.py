"""Labels of which a share is wrong: who finds them: we, cleanlab, a head of clean labels."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks.signal_runs import POOL, TextSet
from model.heads.fitting import fit_head
from model.heads.neighbour_graph import build_neighbour_graph
from model.heads.selection import LOOSE
from model.heads.single_label import softmax
from model.records import REPRESENTATIONS, Embeddings, Floats, Labels, LabelSpace
from model.representations.choice import View, choose_representation
from model.representations.features import represent, represent_names
from model.signals.label_errors import find_suspects
from model.simulation.oracle import noisy_oracle
from model.training import train

NOISE = 0.1
MOST_CLEAN = 8000  # texts that the clean head learns from
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
    """AUROC, precision at the true number of wrong labels, and F1 of what is flagged.

    The labels are those of a pool, as in the live loop. `clean_head` is what a head finds that learned the
    right labels of up to 8,000 other texts: what more and better labels would bring. It flags nothing.
    """
    rng = np.random.default_rng([seed, size])
    order = rng.permutation(len(texts.answers))
    space = LabelSpace(tuple(str(column) for column in range(len(texts.name_vectors))))
    oracle = noisy_oracle(texts.answers[order[:size]], space, noise=NOISE, rng=rng)
    everything = Embeddings(np.arange(len(order)), texts.vectors[order], "frozen")
    labels = oracle.label(everything, np.arange(size))
    features, names = _choose_features(texts, order, everything, labels, seed=seed)
    labelled = features.take(np.arange(size))
    neighbour_graph = build_neighbour_graph(features.take(np.arange(min(POOL, len(order)))), rng)
    trained = train(
        labelled,
        labels,
        name_vectors=names,
        audit=np.zeros(size, dtype=np.bool_),
        rng=rng,
        neighbour_graph=neighbour_graph,
    )
    suspects = find_suspects(
        labelled,
        labels,
        out_of_fold=trained.out_of_fold.values,
        inverse_regularisation=trained.settings.inverse_regularisation or 10.0,
        rng=rng,
        name_vectors=names,
        prior_weight=trained.settings.prior_weight,
        neighbour_graph=neighbour_graph,
    )
    wrong = oracle.answers != texts.answers[order[:size]]
    doubt = _doubt_of_a_clean_head(features, texts.answers[order], labels)
    found = {
        "ours": _judge(suspects.doubt, suspects.flagged, wrong),
        "clean_head": _rank(doubt, wrong),
    }
    if cleanlab is not None:
        found |= _ask_cleanlab(cleanlab, labels.classes, trained.out_of_fold.values, wrong)
    return found | {"wrong": int(wrong.sum()), "flagged": suspects.count}


def _choose_features(
    texts: TextSet, order: NDArray[np.intp], everything: Embeddings, labels: Labels, *, seed: int
) -> tuple[Embeddings, Floats]:
    """What the live loop would let the head see of all items and names: the labels choose, wrong ones too."""
    words = Embeddings(everything.ids, texts.words[order], "words")
    features = {name: represent(name, everything, words) for name in REPRESENTATIONS}
    names = {name: represent_names(name, texts.name_vectors, texts.name_words) for name in REPRESENTATIONS}
    rows = np.arange(len(labels))
    views = {name: View(features[name].take(rows), names[name]) for name in REPRESENTATIONS}
    chosen = choose_representation(views, labels, seed=seed).representation
    return features[chosen], names[chosen]


def _doubt_of_a_clean_head(features: Embeddings, answers: NDArray[np.intp], labels: Labels) -> Numbers:
    """Doubt (n,) in the labels by a head that learned true answers (m,) of other items alone."""
    others = np.arange(len(labels), len(answers))[:MOST_CLEAN]
    targets = np.eye(len(labels.space), dtype=np.float32)[answers[others]]
    head = fit_head(
        features.take(others),
        Labels(features.ids[others], targets, labels.space),
        inverse_regularisation=LOOSE,
    )
    beliefs = softmax(head.logits(features.vectors[: len(labels)]))
    doubt: Numbers = 1.0 - beliefs[np.arange(len(labels)), labels.classes]
    return doubt


def _judge(doubt: Numbers, flagged: Mask, wrong: Mask) -> list[float]:
    f1 = 2.0 * (flagged & wrong).sum() / max(flagged.sum() + wrong.sum(), 1)
    return [*_rank(doubt, wrong), float(f1)]


def _rank(doubt: Numbers, wrong: Mask) -> list[float]:
    first = np.argsort(-doubt, kind="stable")[: wrong.sum()]
    return [float(roc_auc_score(wrong, doubt)), float(wrong[first].mean())]


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
