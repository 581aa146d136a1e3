"""What others say of each synthetic item: published values, written down from their formulas.

All see the real items (without the audit) and the synthetic ones as one set of labelled items; KNN-Shapley
measures them on the audit. Higher means more likely sound. Out-of-fold probabilities and bagged heads come
from the same linear head that the judgement uses.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import rankdata

from benchmarks.synthetic_sets import Draw
from model.heads.fitting import HeadFitter
from model.records import Embeddings, Floats, Labels
from model.synthetic.cross_fitting import INVERSE_REGULARISATION, cross_fit

BAGS = 20
EPOCHS = 40
NEIGHBOURS = 10
RANK_MEAN = "rank mean of all but confident learning"
# Runs in the environment of pyDVL and cleanlab, which need not have anything of ours.
PEERS = """
import sys
import numpy as np
from cleanlab.rank import get_label_quality_scores
from pydvl.valuation import KNNShapleyValuation
from pydvl.valuation.dataset import Dataset
from sklearn.neighbors import KNeighborsClassifier
with np.load(sys.argv[1]) as rows:
    x, y, p = rows["x"].astype(np.float64), rows["y"], rows["p"]
    ax, ay = rows["ax"].astype(np.float64), rows["ay"]
model = KNeighborsClassifier(n_neighbors=10)
valuation = KNNShapleyValuation(model, Dataset(ax, ay), progress=False).fit(Dataset(x, y))
shapley = valuation.result.sort(key="index").values
np.savez(sys.argv[2], shapley=shapley,
         self_confidence=get_label_quality_scores(y, p, method="self_confidence"),
         normalized_margin=get_label_quality_scores(y, p, method="normalized_margin"))
"""

Scores = dict[str, NDArray[np.float64]]


def score_rivals(drawn: Draw, rng: np.random.Generator, *, peers: Path | None = None) -> Scores:
    """The scores (s,) of each rival; `peers` is a Python with pyDVL and cleanlab, to ask them too."""
    real = drawn.real
    taught, audit = np.flatnonzero(~real.audit), np.flatnonzero(real.audit)
    vectors = np.concatenate([real.embeddings.vectors[taught], drawn.synthetic.embeddings.vectors])
    targets = np.concatenate([real.labels.targets[taught], drawn.synthetic.labels.targets])
    ids = np.arange(len(vectors))
    items, labels = Embeddings(ids, vectors, "frozen"), Labels(ids, targets, real.labels.space)
    classes, here = labels.classes, ids
    ones = np.ones(len(ids), dtype=np.float32)
    beliefs = np.exp(cross_fit(items, labels, sample_weights=ones, rng=rng, most_repeats=1)[0])
    shown, known = real.embeddings.vectors[audit], real.labels.classes[audit]
    found = {
        "self-confidence": beliefs[here, classes],
        "confident learning": _margin(beliefs, classes),
        "KNN-Shapley": knn_shapley(vectors, classes, shown, known),
        "AUM": margin_under_training(items, labels),
        "Data-OOB": out_of_bag(items, labels, rng),
    }
    ranked = ("self-confidence", "KNN-Shapley", "AUM", "Data-OOB")
    found[RANK_MEAN] = np.mean([rankdata(found[name][len(taught) :]) for name in ranked], axis=0)
    if peers is not None:
        found |= _ask(peers, x=vectors, y=classes, p=beliefs, ax=shown, ay=known)
    return {name: np.asarray(values[-len(drawn.kinds) :], dtype=np.float64) for name, values in found.items()}


def _margin(beliefs: Floats, classes: NDArray[np.intp]) -> Floats:
    """Belief in the label less that in the best other class (Northcutt et al., 2021)."""
    here = np.arange(len(classes))
    others = beliefs.copy()
    others[here, classes] = -1.0
    margin: Floats = beliefs[here, classes] - others.max(axis=1)
    return margin


def knn_shapley(
    vectors: Floats, classes: NDArray[np.intp], shown: Floats, known: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Exact Shapley values (n,) of a nearest-neighbour classifier, measured on others (Jia et al., 2019)."""
    total, k = len(vectors), NEIGHBOURS
    values = np.zeros(total)
    place = np.arange(1, total)
    share = np.minimum(k, place) / (k * place)
    for vector, column in zip(shown, known, strict=True):
        order = np.argsort(-(vectors @ vector), kind="stable")
        agrees = (classes[order] == column).astype(np.float64)
        worth = np.empty(total)
        worth[-1] = agrees[-1] / total
        worth[:-1] = worth[-1] + np.cumsum(((agrees[:-1] - agrees[1:]) * share)[::-1])[::-1]
        values[order] += worth
    return values / len(shown)


def margin_under_training(items: Embeddings, labels: Labels) -> NDArray[np.float64]:
    """Mean logit margin (n,) over full-batch steps of Adam on a linear head (Pleiss et al., 2020)."""
    vectors, targets = torch.from_numpy(items.vectors), torch.from_numpy(labels.targets)
    is_own = targets.bool()
    weights = torch.zeros(vectors.shape[1], targets.shape[1], requires_grad=True)
    optimiser = torch.optim.Adam([weights], lr=0.1)
    margins = torch.zeros(len(vectors))
    for _ in range(EPOCHS):
        logits = vectors @ weights
        loss = -(targets * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        with torch.no_grad():
            others = logits.masked_fill(is_own, float("-inf")).max(dim=1).values
            margins += logits[is_own] - others
    return (margins / EPOCHS).numpy().astype(np.float64)


def out_of_bag(items: Embeddings, labels: Labels, rng: np.random.Generator) -> NDArray[np.float64]:
    """How often bagged heads that missed an item agree with its label (n,) (Kwon and Zou, 2023)."""
    drawn = rng.poisson(1.0, size=(len(labels), BAGS)).astype(np.float32)
    fitter = HeadFitter(items, labels, name_vectors=None)
    fit = fitter.fit(
        torch.from_numpy(drawn),
        prior_weights=torch.zeros(BAGS),
        inverse_regularisation=INVERSE_REGULARISATION,
        tolerance=0.3,
        max_iterations=25,
    )
    right = (fit.logits.argmax(dim=2).numpy() == labels.classes[:, None]) & (drawn == 0)
    agreement: NDArray[np.float64] = right.sum(axis=1) / np.maximum((drawn == 0).sum(axis=1), 1)
    return agreement


def _ask(python: Path, **rows: NDArray[np.generic]) -> Scores:
    with tempfile.TemporaryDirectory() as folder:
        given, answer = Path(folder, "given.npz"), Path(folder, "answer.npz")
        beliefs = rows["p"].astype(np.float64)
        rows["p"] = beliefs / beliefs.sum(axis=1, keepdims=True)
        np.savez(given, **rows)
        subprocess.run([str(python), "-c", PEERS, str(given), str(answer)], check=True)
        with np.load(answer) as scores:
            return {
                "pyDVL's KNN-Shapley": scores["shapley"],
                "cleanlab's self-confidence": scores["self_confidence"],
                "cleanlab's normalized margin": scores["normalized_margin"],
            }
