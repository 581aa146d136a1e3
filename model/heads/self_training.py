"""Self-training: heads are fitted again, beside pseudo-labels of items without a label."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch

from model.calibration import fit_temperature
from model.heads.ensemble import ensemble_coefficients, weighted_sum
from model.heads.fitting import Fit, HeadFitter
from model.heads.neighbour_graph import NeighbourGraph
from model.heads.selection import FEWEST_TO_CHOOSE, Members, Setting, held_out_logits
from model.heads.single_label import softmax
from model.heads.training_set import TrainingSet
from model.records import Embeddings, Floats, Labels

PSEUDO_LABEL_WEIGHT = 0.3  # sample weight of a pseudo-label, beside 1 of a label


def can_self_train(graph: NeighbourGraph, training_set: TrainingSet) -> bool:
    """Whether there are items without a label, and labels enough to see if they help."""
    enough = training_set.measured >= FEWEST_TO_CHOOSE
    return enough and not np.isin(graph.sample.ids, training_set.labels.ids).all()


def self_train(
    members: Members, training_set: TrainingSet, *, name_vectors: Floats | None, graph: NeighbourGraph
) -> Members:
    """Fit heads again, each beside pseudo-labels that the ensemble of all gives the sample of a graph.

    Pseudo-labels (Lee, 2013) are smoothed over neighbours (after Zhou et al., 2004). The best setting of each
    regularisation learns from them: the weight of the names hardly matters any more. No head learns from the
    answers of its own fold, which only help to weigh the members, so what it says of them is out of fold.
    """
    chosen = _best_of_each_regularisation(members.settings)
    return fit_beside_pseudo_labels(
        [members.settings[place] for place in chosen],
        training_set,
        _beliefs(members, training_set, graph),
        name_vectors=name_vectors,
        graph=graph,
        start=(members.fitter, [members.fits[place] for place in chosen]),
    )


def fit_beside_pseudo_labels(
    settings: Sequence[Setting],
    training_set: TrainingSet,
    beliefs: Iterable[Floats],
    *,
    name_vectors: Floats | None,
    graph: NeighbourGraph,
    weight: float = PSEUDO_LABEL_WEIGHT,
    start: tuple[HeadFitter, Sequence[Fit]] | None = None,
) -> Members:
    """Heads of some settings, fitted to labels and to pseudo-labels of a graph's sample.

    `beliefs` are of the nodes (m, c): of one head for each fold, which never saw it, and last of one that saw
    all rows. `weight`: sample weight of a pseudo-label. `start`: fits of the same settings, and their fitter.
    """
    fitter = _make_fitter(training_set, graph, name_vectors)
    pseudo_labels = np.stack([graph.pseudo_labels(belief) for belief in beliefs], axis=1)  # (s, f, c)
    sample_weights, targets = _weights_and_targets(pseudo_labels, weight, training_set, graph)
    starts: Sequence[Fit | None] = [None] * len(settings)
    if start is not None:
        starts = [fitter.translate(fit, start[0]) for fit in start[1]]
    fits = [
        fitter.fit(
            sample_weights,
            prior_weights=torch.full((sample_weights.shape[1],), setting.prior_weight),
            inverse_regularisation=setting.inverse_regularisation,
            start=begun,
            targets=targets,
            tolerance=0.1,
            max_iterations=30,
        )
        for setting, begun in zip(settings, starts, strict=True)
    ]
    every_fold = np.arange(training_set.number_of_folds)
    logits = [held_out_logits(fit, training_set, every_fold) for fit in fits]
    return Members(fitter, list(settings), fits, logits)


def _make_fitter(training_set: TrainingSet, graph: NeighbourGraph, name_vectors: Floats | None) -> HeadFitter:
    """A fitter of the training set and, behind it, of the items with pseudo-labels."""
    sample, space = graph.sample, training_set.labels.space
    ids = np.concatenate([training_set.labels.ids, sample.ids])
    vectors = np.concatenate([training_set.embeddings.vectors, sample.vectors])
    unknown = np.zeros((len(sample), len(space)), dtype=np.float32)
    labels = Labels(ids, np.concatenate([training_set.labels.targets, unknown]), space)
    return HeadFitter(
        Embeddings(ids, vectors, training_set.embeddings.encoder), labels, name_vectors=name_vectors
    )


def _weights_and_targets(
    pseudo_labels: Floats, weight: float, training_set: TrainingSet, graph: NeighbourGraph
) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights (n + s, f) and targets (n + s, f, c): labels of the training set, pseudo-labels (s, f, c)."""
    heads = pseudo_labels.shape[1]
    answers = torch.from_numpy(training_set.labels.targets).unsqueeze(1).expand(-1, heads, -1)
    is_unknown = ~np.isin(graph.sample.ids, training_set.labels.ids)
    weights = torch.from_numpy(is_unknown).float() * weight
    every_head = training_set.sample_weights_without(np.arange(heads))
    return (
        torch.cat([every_head, weights.view(-1, 1).expand(-1, heads)]),
        torch.cat([answers, torch.from_numpy(pseudo_labels)]),
    )


def _beliefs(members: Members, training_set: TrainingSet, graph: NeighbourGraph) -> Iterator[Floats]:
    """What the ensemble without each fold, then that of all rows, believes of the nodes: (m, c) each."""
    classes = training_set.measured_labels.classes
    coefficients = ensemble_coefficients(members.logits, classes)
    temperature = fit_temperature(weighted_sum(coefficients, members.logits), classes)
    for head in range(training_set.number_of_folds + 1):
        ensemble = members.head(coefficients, temperature=temperature, which=head)
        yield softmax(ensemble.logits(graph.nodes.vectors))


def _best_of_each_regularisation(settings: Sequence[Setting]) -> list[int]:
    """Places of the settings, which come best first."""
    first: dict[float, int] = {}
    for place, setting in enumerate(settings):
        first.setdefault(setting.inverse_regularisation, place)
    return list(first.values())
