"""Labels in, a head out: fitted, calibrated, and measured out of fold."""

from __future__ import annotations

from typing import TypeGuard

import numpy as np
from numpy.typing import NDArray

from model.calibration import calibrated_losses, fit_temperature
from model.heads.ensemble import ensemble_coefficients, ensemble_logits
from model.heads.measures import OUT_OF_FOLD, measure
from model.heads.neighbour_graph import NeighbourGraph
from model.heads.sample_weight import choose_sample_weight
from model.heads.selection import fit_members
from model.heads.self_training import can_self_train, self_train
from model.heads.single_label import LinearHead, softmax
from model.heads.trained import HeadSettings, TrainedHead
from model.heads.training_set import AuxiliaryData, TrainingSet, build_training_set
from model.heads.unseen_classes import (
    cautious_temperature,
    fit_beside_unseen,
    highest_mean_confidence,
    unseen_classes,
)
from model.records import Embeddings, Floats, Labels, Probabilities


def train(
    embeddings: Embeddings,
    labels: Labels,
    *,
    name_vectors: Floats | None,
    audit: NDArray[np.bool_],
    rng: np.random.Generator,
    neighbour_graph: NeighbourGraph | None = None,
    auxiliary: AuxiliaryData | None = None,
) -> TrainedHead:
    """Fit a head to labels; works from one label of one class on.

    name_vectors (c, d): unit vectors of the class names, in the order of the space. audit (n,) marks rows
    that were drawn at random and labelled blind: only they measure accuracy, each by a head that never saw
    it. Heads of several regularisations and weights of the names form an ensemble, weighed by their loss out
    of fold. The temperature, whether the head learns from pseudo-labels of the `neighbour_graph` too, and the
    sample weight of `auxiliary` data, which are never measured, are chosen out of fold as well. While classes
    of the space have no label, their names and the items of the graph speak for them instead.
    Raises ValueError when there are no labels, rows do not match, a row is not one-hot, or a vector is not
    finite.
    """
    _require_trainable(embeddings, labels, name_vectors, audit)
    training_set = build_training_set(embeddings, labels, auxiliary, rng)
    has_unseen = len(unseen_classes(labels)) > 0
    if has_unseen and name_vectors is not None and _has_unlabelled(neighbour_graph, labels):
        return _train_beside_unseen(training_set, name_vectors, neighbour_graph, audit)
    selected = choose_sample_weight(training_set, name_vectors=name_vectors)
    training_set, logits = selected.training_set, selected.logits
    members = fit_members(selected.fitter, training_set, selected.candidates)
    is_self_trained = False
    if neighbour_graph is not None and can_self_train(neighbour_graph, training_set):
        again = self_train(members, training_set, name_vectors=name_vectors, graph=neighbour_graph)
        new_logits = ensemble_logits(again.logits, labels.classes)
        if is_self_trained := not _is_clearly_worse(new_logits, logits, labels.classes):
            members, logits = again, new_logits
    temperature = fit_temperature(logits, labels.classes)
    if has_unseen:
        highest = highest_mean_confidence(labels, embeddings, name_vectors, blind=int(audit.sum()))
        temperature = cautious_temperature(logits, temperature, highest)
    head = members.head(ensemble_coefficients(members.logits, labels.classes), temperature=temperature)
    settings = HeadSettings(
        inverse_regularisation=members.settings[0].inverse_regularisation,
        prior_weight=members.settings[0].prior_weight,
        ensemble_size=len(members.settings),
        temperature=temperature,
        self_trained=is_self_trained,
        auxiliary_weight=None if auxiliary is None else selected.auxiliary_weight,
    )
    return _measured(head, logits, labels, audit, settings)


def _train_beside_unseen(
    training_set: TrainingSet, name_vectors: Floats, graph: NeighbourGraph, audit: NDArray[np.bool_]
) -> TrainedHead:
    """A head that keeps room for the classes without a label."""
    found = fit_beside_unseen(training_set, name_vectors=name_vectors, graph=graph, blind=int(audit.sum()))
    setting = found.members.settings[0]
    settings = HeadSettings(
        inverse_regularisation=setting.inverse_regularisation,
        prior_weight=setting.prior_weight,
        ensemble_size=1,
        temperature=found.temperature,
        self_trained=True,
        auxiliary_weight=found.auxiliary_weight if len(training_set.labels) > training_set.measured else None,
    )
    head = found.members.head(np.ones(1), temperature=found.temperature)
    return _measured(head, found.logits, training_set.measured_labels, audit, settings)


def _measured(
    head: LinearHead, logits: Floats, labels: Labels, audit: NDArray[np.bool_], settings: HeadSettings
) -> TrainedHead:
    """A head with what its out-of-fold logits (n, c), of temperature 1, say of the labels."""
    values = softmax(logits / np.float32(settings.temperature))
    out_of_fold = Probabilities(labels.ids, values, OUT_OF_FOLD)
    return TrainedHead(head, measure(out_of_fold, labels, audit), out_of_fold, settings)


def _has_unlabelled(graph: NeighbourGraph | None, labels: Labels) -> TypeGuard[NeighbourGraph]:
    return graph is not None and not np.isin(graph.sample.ids, labels.ids).all()


def _is_clearly_worse(again: Floats, plain: Floats, classes: NDArray[np.intp]) -> bool:
    """By more than a standard error of the loss on held-out labels.

    Labels that a strategy asked for are harder than the pool, and on those pseudo-labels help least: so
    they are learned from unless the labels speak against it.
    """
    harm = calibrated_losses(again, classes) - calibrated_losses(plain, classes)
    return bool(harm.mean() > harm.std() / np.sqrt(len(harm)))


def _require_trainable(
    embeddings: Embeddings, labels: Labels, name_vectors: Floats | None, audit: NDArray[np.bool_]
) -> None:
    if not len(labels):
        raise ValueError("train: there are no labels; take cold_start until the first one")
    if not np.array_equal(embeddings.ids, labels.ids):
        raise ValueError("train: embeddings and labels do not have the same ids in the same order")
    if audit.shape != (len(labels),) or audit.dtype != np.bool_:
        raise ValueError(f"train: audit is {audit.dtype} {audit.shape} for {len(labels)} labels")
    one_hot = np.isin(labels.targets, (0.0, 1.0)).all(axis=1) & (labels.targets.sum(axis=1) == 1.0)
    if not one_hot.all():
        raise ValueError(f"train: {int((~one_hot).sum())} rows are not one-hot; drop or repair them")
    if not np.isfinite(embeddings.vectors).all():
        raise ValueError("train: an embedding is not finite; embed these items again")
    expected = (len(labels.space), embeddings.vectors.shape[1])
    if name_vectors is not None and (name_vectors.shape != expected or not np.isfinite(name_vectors).all()):
        raise ValueError(f"train: name vectors are {name_vectors.shape}, not finite or not {expected}")
