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
from model.heads.sample_weight import choose_sample_weight
from model.heads.selection import TIGHT, Members, Setting, fit_members
from model.heads.self_training import fit_beside_pseudo_labels
from model.heads.single_label import NAME_SCALE, LinearHead, similarity_head, softmax
from model.heads.training_set import TrainingSet
from model.records import Embeddings, Floats, Labels, LabelSpace

SETTING = Setting(TIGHT, NAME_SCALE)  # close to the names: labels are about some classes only
PSEUDO_LABEL_WEIGHT = (
    0.15  # beside 1 of a label; half of that of self-training, as names know less than labels
)
PRIOR_STRENGTH = 3.0  # blind answers that halve what the names expect of classes which none of them showed
_HALVINGS = 24

Columns = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Cautious:
    """Heads of one setting (one a fold, and that of all rows) that expect classes without a label.

    `logits` (n, c) are out of fold, of temperature 1. Held-out labels show how sure the head may be of their
    own classes only. So they make it less sure by the share of the pool that these are expected to be, and
    surer only as far as blind answers, which are like the pool, have taken the reserve of the others away.
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
    """Fit a head to labels, and to what names say of unlabelled items where they may be of unseen classes.

    How an item's mass is split between the classes that have labels and those that have none is the names'
    belief, less what `blind` answers took away; in the first group it is shared out as their labels say, in
    the second as the names do. The neighbours' mean of it is a pseudo-label, beside which the labels teach.
    """
    measured = training_set.measured_labels
    unseen = unseen_classes(measured)
    seen = np.setdiff1d(np.arange(len(measured.space)), unseen)
    by_name = _doubt_names(similarity_head(name_vectors, measured.space), training_set)
    prior = _shrink(softmax(by_name.logits(graph.nodes.vectors)), unseen, reserve_factor(blind))
    among_seen, training_set, weight = _heads_among_seen(training_set, seen, name_vectors)
    beliefs = (_share_out(prior, seen, head, graph.nodes) for head in among_seen)
    members = fit_beside_pseudo_labels(
        [SETTING],
        training_set,
        beliefs,
        name_vectors=name_vectors,
        graph=graph,
        weight=PSEUDO_LABEL_WEIGHT,
    )
    logits = members.logits[0]
    wanted = fit_temperature(logits, measured.classes)
    share = float(prior[:, seen].sum(axis=1).mean()) if wanted > 1.0 else 1.0 - reserve_factor(blind)
    return Cautious(members, logits, wanted**share, weight)


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


def _shrink(prior: Floats, columns: Columns, factor: float) -> Floats:
    """Probabilities (m, c) with some columns times a factor, the others filling up."""
    scaled = prior.copy()
    scaled[:, columns] *= np.float32(factor)
    shrunk: Floats = scaled / scaled.sum(axis=1, keepdims=True)
    return shrunk


def _share_out(prior: Floats, seen: Columns, head: LinearHead | None, nodes: Embeddings) -> Floats:
    """The mass of the seen columns, shared out as a head (c' classes) says; None leaves it as it is."""
    if head is None:
        return prior
    shared = prior.copy()
    shared[:, seen] = prior[:, seen].sum(axis=1, keepdims=True) * softmax(head.logits(nodes.vectors))
    return shared


def _heads_among_seen(
    training_set: TrainingSet, seen: Columns, name_vectors: Floats
) -> tuple[Sequence[LinearHead | None], TrainingSet, float]:
    """Heads over the seen classes, one without each fold and one of all rows; and the training set with the
    sample weights of auxiliary data that they chose."""
    heads = training_set.number_of_folds + 1
    if len(seen) < 2:
        return [None] * heads, training_set, 1.0
    part, rows = _only_classes(training_set, seen)
    selected = choose_sample_weight(part, name_vectors=name_vectors[seen])
    members = fit_members(selected.fitter, selected.training_set, selected.candidates)
    classes = part.measured_labels.classes
    coefficients = ensemble_coefficients(members.logits, classes)
    temperature = fit_temperature(selected.logits, classes)
    weights = training_set.sample_weights.copy()
    weights[rows] = selected.training_set.sample_weights
    return (
        [members.head(coefficients, temperature=temperature, which=which) for which in range(heads)],
        replace(training_set, sample_weights=weights),
        selected.auxiliary_weight,
    )


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
