"""Heads while classes have no label yet: labels say nothing of these, so the class names go on speaking.

Multinomial logistic regression takes a class without labels for one that does not occur. Here items without a
label carry what was believed of those classes before (label regularisation; after Mann and McCallum, 2010).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.calibration import HIGHEST_TEMPERATURE, fit_temperature
from model.heads.ensemble import ensemble_coefficients
from model.heads.neighbour_graph import NeighbourGraph
from model.heads.random_draw import Sample, missing_mass, trust_in_random_draw
from model.heads.sample_weight import Selected, choose_sample_weight
from model.heads.selection import TIGHT, Members, Setting, fit_members
from model.heads.self_training import PSEUDO_LABEL_WEIGHT, fit_beside_pseudo_labels
from model.heads.single_label import NAME_SCALE, LinearHead, similarity_head, softmax
from model.heads.training_set import TrainingSet
from model.records import Embeddings, Floats, Labels, LabelSpace

SETTING = Setting(TIGHT, NAME_SCALE)  # close to the names: labels are about some classes only
BY_NAME = 0.5  # of the weight of a pseudo-label, where names decide it: they know less than labels
PRIOR_STRENGTH = 3.0  # blind answers that halve what the names expect of classes which none of them showed
_HALVINGS = 24
_FURTHEST = 20.0  # logarithm of the largest factor by which a reserve is scaled

Columns = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Cautious:
    """Heads of one setting (one a fold, and that of all rows) that expect classes without a label.

    `logits` (n, c) are out of fold, of temperature 1. Held-out labels show how sure the head may be of their
    own classes only. So they make it less sure by the share of the pool that these are expected to be, and
    surer only as far as answers that are like the pool have taken the reserve of the others away.
    """

    members: Members
    logits: Floats
    temperature: float
    auxiliary_weight: float


def unseen_classes(labels: Labels) -> Columns:
    """Columns of the classes that no row is labelled with."""
    return np.flatnonzero(~labels.targets.any(axis=0))


def reserve_factor(blind: int) -> float:
    """What so many blind answers, none of an unseen class, leave of the mass that was expected there.

    The mean of a beta distribution whose prior counts as three answers: 1 without answers, then ever less.
    """
    return PRIOR_STRENGTH / (PRIOR_STRENGTH + blind)


def fit_beside_unseen(
    training_set: TrainingSet, *, name_vectors: Floats, graph: NeighbourGraph, blind: int
) -> Cautious:
    """Fit a head to labels, and to what is believed of unlabelled items where they may be of unseen classes.

    The neighbours' mean of a belief is a pseudo-label, beside which the labels teach. As far as the labels
    may be a random draw, heads over all classes say what to believe, with a Good-Turing estimate of the
    reserve; as far as they may not, the names do, less what `blind` answers took away.
    """
    measured = training_set.measured_labels
    unseen = unseen_classes(measured)
    named = _doubt_names(similarity_head(name_vectors, measured.space), training_set)
    expected = softmax(named.logits(graph.nodes.vectors))
    labelled = training_set.embeddings.vectors[: training_set.measured]
    trust = trust_in_random_draw(
        Sample(measured, labelled, graph.nodes.vectors, softmax(named.logits(labelled)), expected)
    )
    beliefs = _by_name(training_set, expected, name_vectors=name_vectors, nodes=graph.nodes, blind=blind)
    if trust > 0.0:
        reserve = missing_mass(measured, _mass(expected, unseen), strength=PRIOR_STRENGTH)
        drawn = _as_drawn(training_set, reserve, name_vectors=name_vectors, nodes=graph.nodes)
        beliefs = _mixed(drawn, beliefs, trust)
    members = fit_beside_pseudo_labels(
        [SETTING],
        beliefs.training_set,
        beliefs.of_nodes,
        name_vectors=name_vectors,
        graph=graph,
        weight=PSEUDO_LABEL_WEIGHT * (trust + BY_NAME * (1.0 - trust)),
    )
    logits = members.logits[0]
    wanted = fit_temperature(logits, measured.classes)
    left = _mass(beliefs.of_nodes[-1], unseen)
    share = 1.0 - left if wanted > 1.0 else max(1.0 - left / max(_mass(expected, unseen), 1e-9), 0.0)
    return Cautious(members, logits, wanted**share, beliefs.auxiliary_weight)


def highest_mean_confidence(
    labels: Labels, embeddings: Embeddings, name_vectors: Floats | None, *, blind: int
) -> float:
    """How sure a head may be on average of labelled items (n, d), while some classes have no label.

    One less the mass expected of these: the names' belief, or without names their share of the classes.
    """
    unseen = unseen_classes(labels)
    expected = len(unseen) / len(labels.space)
    if name_vectors is not None:
        names = similarity_head(name_vectors, labels.space)
        expected = float(softmax(names.logits(embeddings.vectors))[:, unseen].sum(axis=1).mean())
    return 1.0 - expected * reserve_factor(blind)


def cautious_temperature(logits: Floats, temperature: float, highest_mean: float) -> float:
    """The least temperature from `temperature` up at which the mean confidence is at most `highest_mean`.

    At most 20. For logits (n, c) of heads that know neither names nor unlabelled items, so that nothing but
    the confidence can make room for classes that have no label.
    """
    if _mean_confidence(logits, temperature) <= highest_mean:
        return temperature
    low, high = math.log(temperature), max(math.log(HIGHEST_TEMPERATURE), math.log(temperature))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if _mean_confidence(logits, math.exp(middle)) > highest_mean:
            low = middle
        else:
            high = middle
    return math.exp(high)


def _mean_confidence(logits: Floats, temperature: float) -> float:
    return float(softmax(logits / np.float32(temperature)).max(axis=1).mean())


def _doubt_names(by_name: LinearHead, training_set: TrainingSet) -> LinearHead:
    """The names' head, less sure where the labels, none of which it has seen, ask for it."""
    labelled = training_set.embeddings.vectors[: training_set.measured]
    temperature = fit_temperature(by_name.logits(labelled), training_set.measured_labels.classes)
    return replace(by_name, temperature=max(temperature, 1.0))


@dataclass(frozen=True, slots=True, eq=False)
class _Beliefs:
    """What heads believe of the nodes of a graph, (m, c): one without each fold, and last one of all rows.

    With the training set whose sample weights of auxiliary data they chose, and that weight.
    """

    of_nodes: Sequence[Floats]
    training_set: TrainingSet
    auxiliary_weight: float


def _mixed(drawn: _Beliefs, by_name: _Beliefs, trust: float) -> _Beliefs:
    """So much of the one, the rest of the other; the auxiliary data as weighed by the first."""
    pairs = zip(drawn.of_nodes, by_name.of_nodes, strict=True)
    mixed = [(trust * one + (1.0 - trust) * other).astype(np.float32) for one, other in pairs]
    return replace(drawn, of_nodes=mixed)


def _as_drawn(
    training_set: TrainingSet, reserve: float, *, name_vectors: Floats, nodes: Embeddings
) -> _Beliefs:
    """Beliefs if the labels are a random draw: of heads over all classes, with that much for the unseen."""
    unseen = unseen_classes(training_set.measured_labels)
    selected = choose_sample_weight(training_set, name_vectors=name_vectors)
    believed = [softmax(head.logits(nodes.vectors)) for head in _heads(selected)]
    scaled = [_with_mass(each, unseen, reserve) for each in believed]
    return _Beliefs(scaled, selected.training_set, selected.auxiliary_weight)


def _by_name(
    training_set: TrainingSet, expected: Floats, *, name_vectors: Floats, nodes: Embeddings, blind: int
) -> _Beliefs:
    """Beliefs if nobody knows how the labels were picked.

    How an item's mass is split between the classes that have labels and those that have none is the names'
    belief, less what `blind` answers took away; in the first group it is shared out as their labels say, in
    the second as the names do.
    """
    unseen = unseen_classes(training_set.measured_labels)
    seen = np.setdiff1d(np.arange(expected.shape[1]), unseen)
    prior = _scaled(expected, unseen, reserve_factor(blind))
    if len(seen) < 2:
        return _Beliefs([prior] * (training_set.number_of_folds + 1), training_set, 1.0)
    part, rows = _only_classes(training_set, seen)
    selected = choose_sample_weight(part, name_vectors=name_vectors[seen])
    weights = training_set.sample_weights.copy()
    weights[rows] = selected.training_set.sample_weights
    shared = [_share_out(prior, seen, head, nodes) for head in _heads(selected)]
    return _Beliefs(shared, replace(training_set, sample_weights=weights), selected.auxiliary_weight)


def _heads(selected: Selected) -> list[LinearHead]:
    """Calibrated ensembles: one without each fold, and last one of all rows."""
    training_set = selected.training_set
    members = fit_members(selected.fitter, training_set, selected.candidates)
    classes = training_set.measured_labels.classes
    coefficients = ensemble_coefficients(members.logits, classes)
    temperature = fit_temperature(selected.logits, classes)
    return [
        members.head(coefficients, temperature=temperature, which=which)
        for which in range(training_set.number_of_folds + 1)
    ]


def _mass(probabilities: Floats, columns: Columns) -> float:
    """The mean mass of some columns of probabilities (m, c), from 0 to 1."""
    return float(probabilities[:, columns].sum(axis=1).mean())


def _with_mass(probabilities: Floats, columns: Columns, mass: float) -> Floats:
    """Probabilities (m, c) whose `columns` are scaled by the factor that gives them this mean mass."""
    low, high = -_FURTHEST, _FURTHEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if _mass(_scaled(probabilities, columns, math.exp(middle)), columns) < mass:
            low = middle
        else:
            high = middle
    return _scaled(probabilities, columns, math.exp(high))


def _scaled(probabilities: Floats, columns: Columns, factor: float) -> Floats:
    """Probabilities (m, c) with some columns times a factor, the others filling up."""
    scaled = probabilities.copy()
    scaled[:, columns] *= np.float32(factor)
    normalised: Floats = scaled / scaled.sum(axis=1, keepdims=True)
    return normalised


def _share_out(prior: Floats, seen: Columns, head: LinearHead, nodes: Embeddings) -> Floats:
    """The mass of the seen columns, shared out as a head (c' classes) says."""
    shared = prior.copy()
    shared[:, seen] = prior[:, seen].sum(axis=1, keepdims=True) * softmax(head.logits(nodes.vectors))
    return shared


def _only_classes(training_set: TrainingSet, seen: Columns) -> tuple[TrainingSet, Columns]:
    """The rows of some classes, all labelled rows among them, in the space of these; and which rows."""
    labels = training_set.labels
    rows = np.flatnonzero(labels.targets[:, seen].any(axis=1))
    space = LabelSpace(tuple(labels.space.names[column] for column in seen))
    targets = np.ascontiguousarray(labels.targets[np.ix_(rows, seen)])
    part = TrainingSet(
        training_set.embeddings.take(rows),
        Labels(labels.ids[rows], targets, space),
        training_set.folds[rows],
        training_set.sample_weights[rows],
        training_set.measured,
    )
    return part, rows
