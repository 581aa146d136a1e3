"""Labels in, a head out: fitted, calibrated, and measured out of fold."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from model.calibration import calibrated_losses, calibration_error, fit_temperature, wilson_interval
from model.heads.companions import choose_basis
from model.heads.fitting import Fit, HeadFitter
from model.heads.material import Companions, Material, prepare
from model.heads.selection import Setting
from model.heads.single_label import NAME_SCALE, similarity_head, softmax
from model.heads.surroundings import Surroundings
from model.heads.teaching import can_teach, teach
from model.heads.trained import Metrics, TrainedHead
from model.records import Embeddings, Floats, Labels, LabelSpace, Probabilities

OUT_OF_FOLD = "out-of-fold"


def train(
    embeddings: Embeddings,
    labels: Labels,
    *,
    name_vectors: Floats | None,
    audit: NDArray[np.bool_],
    rng: np.random.Generator,
    surroundings: Surroundings | None = None,
    companions: Companions | None = None,
) -> TrainedHead:
    """Fit a head to labels; works from one label of one class on.

    name_vectors (c, d): unit vectors of the class names, in the order of the space. audit (n,) marks rows
    that were drawn at random and labelled blind: only they measure accuracy, each by a head that never saw
    it. Regularisation, the weight of the names, the temperature, whether the `surroundings` may teach and how
    loudly the `companions` speak are chosen out of fold. Companions are never measured. Raises ValueError
    when there are no labels, rows do not match, a row is not one-hot, or a vector is not finite.
    """
    _require_trainable(embeddings, labels, name_vectors, audit)
    basis = choose_basis(prepare(embeddings, labels, companions, rng), name_vectors=name_vectors)
    fitter, material, setting, logits = basis.fitter, basis.material, basis.setting, basis.logits
    final = _fit_all(fitter, material, setting, basis.without_fold)
    if surroundings is not None and can_teach(surroundings, material):
        plain = Fit(torch.cat([basis.without_fold.learned, final.learned], dim=1), final.logits)
        taught = teach(fitter, plain, setting, material, name_vectors=name_vectors, surroundings=surroundings)
        losses = [calibrated_losses(each, labels.classes).mean() for each in (taught.logits, logits)]
        if is_taught := bool(losses[0] < losses[1]):
            fitter, final, logits = taught.fitter, taught.final, taught.logits
    else:
        is_taught = False
    temperature = fit_temperature(logits, labels.classes)
    head = fitter.head(final, which=0, prior_weight=setting.prior_weight, temperature=temperature)
    out_of_fold = Probabilities(labels.ids, softmax(logits / np.float32(temperature)), OUT_OF_FOLD)
    metrics = _measure(out_of_fold, labels, audit)
    metrics["inverse_regularisation"] = setting.inverse_regularisation
    metrics["prior_weight"] = setting.prior_weight
    metrics["temperature"] = temperature
    metrics["surroundings"] = float(is_taught)
    if companions is not None:
        metrics["companions"] = basis.loudness
    return TrainedHead(head, metrics, out_of_fold)


def cold_start(name_vectors: Floats, space: LabelSpace) -> TrainedHead:
    """The head before any label: it compares texts with the names of the classes, name vectors (c, d)."""
    nothing = Labels(np.zeros(0, dtype=np.int64), np.zeros((0, len(space)), dtype=np.float32), space)
    out_of_fold = Probabilities(nothing.ids, nothing.targets, OUT_OF_FOLD)
    metrics = _measure(out_of_fold, nothing, np.zeros(0, dtype=np.bool_))
    metrics["inverse_regularisation"] = None
    metrics["prior_weight"] = NAME_SCALE
    metrics["temperature"] = 1.0
    metrics["surroundings"] = 0.0
    return TrainedHead(similarity_head(name_vectors, space), metrics, out_of_fold)


def _fit_all(fitter: HeadFitter, material: Material, setting: Setting, without_fold: Fit) -> Fit:
    """The head of all rows, begun at the mean of those that missed a fold."""
    return fitter.fit(
        torch.from_numpy(material.weights).view(-1, 1),
        prior_weights=torch.tensor([setting.prior_weight]),
        inverse_regularisation=setting.inverse_regularisation,
        start=_middle(without_fold),
    )


def _middle(fit: Fit) -> Fit:
    """One head that is the mean of all: a good place to start from."""
    return Fit(fit.learned.mean(dim=1, keepdim=True), fit.logits.mean(dim=1, keepdim=True))


def _measure(out_of_fold: Probabilities, labels: Labels, audit: NDArray[np.bool_]) -> Metrics:
    classes, rows = labels.classes, len(labels)
    correct = out_of_fold.values.argmax(axis=1) == classes
    likelihood = out_of_fold.values[np.arange(rows), classes].astype(np.float64)
    total, right = int(audit.sum()), int(correct[audit].sum())
    low, high = wilson_interval(right, total) if total else (None, None)
    return {
        "labels": float(rows),
        "classes_seen": float(len(np.unique(classes))),
        "out_of_fold_accuracy": float(correct.mean()) if rows else None,
        "out_of_fold_nll": float(-np.log(np.maximum(likelihood, 1e-30)).mean()) if rows else None,
        "ece": calibration_error(out_of_fold.values, classes) if rows else None,
        "audit_labels": float(total),
        "audit_correct": float(right),
        "audit_accuracy": right / total if total else None,
        "audit_low": low,
        "audit_high": high,
    }


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
