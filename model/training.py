"""Labels in, a head out: fitted, calibrated, and measured out of fold."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

from model.calibration import calibration_error, fit_temperature, mean_log_loss, wilson_interval
from model.heads.fitting import Fit, HeadFitter
from model.heads.single_label import NAME_SCALE, LinearHead, similarity_head, softmax
from model.heads.surroundings import Surroundings
from model.heads.trained import Metrics, TrainedHead
from model.records import Embeddings, Floats, Labels, LabelSpace, Probabilities

FOLDS = 5
INVERSE_REGULARISATIONS = (100.0, 10.0)  # 1 as well is often chosen by chance when there are few labels
PRIOR_WEIGHTS = (0.0, 5.0, 10.0, NAME_SCALE)
CLOSE_TO_NAMES = 1.0  # a regularisation that only serves few labels whose names say much
FEWEST_TO_CHOOSE = 10  # below this, held-out rows say too little to weigh the names by
TEACHING_WEIGHT = 0.3  # of an item of the surroundings, beside 1 of a labelled one
OUT_OF_FOLD = "out-of-fold"


@dataclass(frozen=True, slots=True)
class _Setting:
    inverse_regularisation: float
    prior_weight: float


@dataclass(frozen=True, slots=True, eq=False)
class _Choice:
    """The best setting and, if every fold was looked at for it, its heads: one per fold."""

    setting: _Setting
    fit: Fit | None


@dataclass(frozen=True, slots=True, eq=False)
class _Taught:
    """A head that learned from its surroundings too, and the logits (n, c) of such heads out of fold."""

    fitter: HeadFitter
    final: Fit
    logits: Floats


def train(
    embeddings: Embeddings,
    labels: Labels,
    *,
    name_vectors: Floats | None,
    audit: NDArray[np.bool_],
    rng: np.random.Generator,
    surroundings: Surroundings | None = None,
) -> TrainedHead:
    """Fit a head to labels; works from one label of one class on.

    name_vectors (c, d): unit vectors of the class names, in the order of the space. audit (n,) marks rows
    that were drawn at random and labelled blind: only they measure accuracy, each by a head that never saw
    it. Regularisation, the weight of the names, the temperature and whether the `surroundings` may teach are
    chosen out of fold. Raises ValueError when there are no labels, rows do not match, a row is not one-hot,
    or a vector is not finite.
    """
    _require_trainable(embeddings, labels, name_vectors, audit)
    fitter = HeadFitter(embeddings, labels, name_vectors=name_vectors)
    folds = assign_folds(labels.classes, rng)
    choice = _choose(fitter, labels, folds, with_names=name_vectors is not None)
    setting, without_fold = choice.setting, choice.fit or _fit_folds(fitter, folds, choice.setting)
    logits = _logits_out_of_fold(without_fold, folds)
    final = fitter.fit(
        torch.ones(len(labels), 1),
        prior_weights=torch.tensor([setting.prior_weight]),
        inverse_regularisation=setting.inverse_regularisation,
        start=_middle(without_fold),
    )
    taught = None
    if surroundings is not None and _can_teach(surroundings, labels):
        plain = Fit(torch.cat([without_fold.learned, final.learned], dim=1), final.logits)
        taught = _teach(fitter, plain, setting, embeddings, labels, folds, name_vectors, surroundings)
        if _best_loss(taught.logits, labels) >= _best_loss(logits, labels):
            taught = None
    if taught is not None:
        fitter, final, logits = taught.fitter, taught.final, taught.logits
    temperature = fit_temperature(logits, labels.classes)
    head = fitter.head(final, which=0, prior_weight=setting.prior_weight, temperature=temperature)
    out_of_fold = Probabilities(labels.ids, softmax(logits / np.float32(temperature)), OUT_OF_FOLD)
    metrics = _measure(out_of_fold, labels, audit)
    metrics["inverse_regularisation"] = setting.inverse_regularisation
    metrics["prior_weight"] = setting.prior_weight
    metrics["temperature"] = temperature
    metrics["surroundings"] = float(taught is not None)
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


def assign_folds(classes: NDArray[np.intp], rng: np.random.Generator) -> NDArray[np.intp]:
    """The fold (n,) of each row, at most 5: every class is spread as evenly as it can be."""
    folds = np.empty(len(classes), dtype=np.intp)
    by_class = np.lexsort((rng.random(len(classes)), classes))  # dealt out like cards, class after class
    folds[by_class] = np.arange(len(classes)) % min(FOLDS, max(len(classes), 1))
    return folds


def _choose(fitter: HeadFitter, labels: Labels, folds: NDArray[np.intp], *, with_names: bool) -> _Choice:
    """The setting with the least log loss on held-out rows, each at its own best temperature.

    The weight of the names is chosen under the loose regularisation, then the regularisation. A handful of
    labels only decides whether to stay close to the names, which they have not been fitted to.
    """
    loose, *tighter = INVERSE_REGULARISATIONS
    priors: tuple[float, ...] = (0.0,)
    if with_names:
        priors = PRIOR_WEIGHTS if len(labels) >= FEWEST_TO_CHOOSE else (NAME_SCALE,)
    if len(labels) == 1:
        return _Choice(_Setting(CLOSE_TO_NAMES, priors[-1]), None)
    held_out = np.arange(_folds_to_look_at(labels, folds))
    first = [_Setting(loose, prior) for prior in priors]
    best, least, fit = _least_loss(fitter, labels, folds, held_out, first, start=None)
    others = [_Setting(strength, best.prior_weight) for strength in tighter]
    if with_names:
        others.append(_Setting(CLOSE_TO_NAMES, NAME_SCALE))
    for setting in others:  # each from where the last one ended
        _, loss, other = _least_loss(fitter, labels, folds, held_out, [setting], start=fit)
        if loss < least:
            best, least, fit = setting, loss, other
    return _Choice(best, fit if len(held_out) > folds.max() else None)


def _least_loss(
    fitter: HeadFitter,
    labels: Labels,
    folds: NDArray[np.intp],
    held_out: NDArray[np.intp],
    settings: list[_Setting],
    *,
    start: Fit | None,
) -> tuple[_Setting, float, Fit]:
    """The best of some settings of one regularisation, its loss, and its heads: one per fold looked at."""
    pairs = list(product(settings, held_out))  # one head each, all fitted together
    row_weights = torch.from_numpy(np.stack([folds != fold for _, fold in pairs], axis=1)).float()
    priors = torch.tensor([setting.prior_weight for setting, _ in pairs], dtype=torch.float32)
    fit = _fit_roughly(fitter, row_weights, priors, settings[0].inverse_regularisation, start=start)
    losses = []
    for number in range(len(settings)):
        logits, rows = _gather(fit, folds, held_out, first=number * len(held_out))
        classes = labels.classes[rows]
        losses.append(mean_log_loss(logits / np.float32(fit_temperature(logits, classes)), classes))
    best = int(np.argmin(losses))
    mine = slice(best * len(held_out), (best + 1) * len(held_out))
    return settings[best], losses[best], Fit(fit.learned[:, mine], fit.logits[:, mine])


def _fit_folds(fitter: HeadFitter, folds: NDArray[np.intp], setting: _Setting) -> Fit:
    """One head per fold, fitted without it."""
    number = np.arange(folds.max() + 1)
    row_weights = torch.from_numpy(folds[:, None] != number).float()
    priors = torch.full((len(number),), setting.prior_weight)
    return _fit_roughly(fitter, row_weights, priors, setting.inverse_regularisation, start=None)


def _logits_out_of_fold(fit: Fit, folds: NDArray[np.intp]) -> Floats:
    """Logits (n, c) of every row by the head that was fitted without its fold."""
    logits, rows = _gather(fit, folds, np.arange(folds.max() + 1), first=0)
    ordered = np.empty_like(logits)
    ordered[rows] = logits
    return ordered


def _fit_roughly(
    fitter: HeadFitter, row_weights: torch.Tensor, priors: torch.Tensor, strength: float, *, start: Fit | None
) -> Fit:
    """Heads good enough to compare: log loss mostly within 0.3 % of the converged one, and quicker."""
    return fitter.fit(
        row_weights,
        prior_weights=priors,
        inverse_regularisation=strength,
        start=start,
        tolerance=0.1,
        max_iterations=30,
    )


def _can_teach(surroundings: Surroundings, labels: Labels) -> bool:
    """Whether there are items without a label, and labels enough to see if they help."""
    return len(labels) >= FEWEST_TO_CHOOSE and not np.isin(surroundings.sample.ids, labels.ids).all()


def _teach(
    fitter: HeadFitter,
    plain: Fit,
    setting: _Setting,
    embeddings: Embeddings,
    labels: Labels,
    folds: NDArray[np.intp],
    name_vectors: Floats | None,
    surroundings: Surroundings,
) -> _Taught:
    """Fit the heads again, one per fold and the last of all, beside what each believes of its surroundings.

    Pseudo-labels smoothed over neighbours (after Lee, 2013, and Zhou et al., 2004). No head learns from the
    answers of its own fold, so what it says of them is still out of fold.
    """
    heads = plain.learned.shape[1]
    sample = surroundings.sample
    beliefs = [
        surroundings.smooth(softmax(_head(fitter, plain, which, setting).logits(surroundings.around.vectors)))
        for which in range(heads)
    ]
    both = Embeddings(
        np.concatenate([labels.ids, sample.ids]),
        np.concatenate([embeddings.vectors, sample.vectors]),
        embeddings.encoder,
    )
    named = Labels(both.ids, np.concatenate([labels.targets, beliefs[-1]]), labels.space)
    wider = HeadFitter(both, named, name_vectors=name_vectors)
    answers = torch.from_numpy(labels.targets).unsqueeze(1).expand(-1, heads, -1)
    targets = torch.cat([answers, torch.from_numpy(np.stack(beliefs, axis=1))])
    of_labels = torch.from_numpy(folds[:, None] != np.arange(heads)).float()
    unknown = torch.from_numpy(~np.isin(sample.ids, labels.ids)).float() * TEACHING_WEIGHT
    fit = wider.fit(
        torch.cat([of_labels, unknown.view(-1, 1).expand(-1, heads)]),
        prior_weights=torch.full((heads,), setting.prior_weight),
        inverse_regularisation=setting.inverse_regularisation,
        start=wider.translate(plain, fitter),
        targets=targets,
        tolerance=0.1,
        max_iterations=30,
    )
    rows = np.arange(len(labels))
    return _Taught(wider, Fit(fit.learned[:, -1:], fit.logits[:, -1:]), fit.logits.numpy()[rows, folds])


def _head(fitter: HeadFitter, fit: Fit, which: int, setting: _Setting) -> LinearHead:
    return fitter.head(fit, which=which, prior_weight=setting.prior_weight, temperature=1.0)


def _best_loss(logits: Floats, labels: Labels) -> float:
    """Log loss of held-out logits at their own best temperature."""
    return mean_log_loss(logits / np.float32(fit_temperature(logits, labels.classes)), labels.classes)


def _middle(fit: Fit) -> Fit:
    """One head that is the mean of all: a good place to start from."""
    return Fit(fit.learned.mean(dim=1, keepdim=True), fit.logits.mean(dim=1, keepdim=True))


def _gather(
    fit: Fit, folds: NDArray[np.intp], held_out: NDArray[np.intp], *, first: int
) -> tuple[Floats, NDArray[np.intp]]:
    """Held-out logits (m, c) and their rows (m,), from heads `first`, `first` + 1, …: one per fold."""
    rows = np.flatnonzero(np.isin(folds, held_out))
    return fit.logits.numpy()[rows, first + folds[rows]], rows


def _folds_to_look_at(labels: Labels, folds: NDArray[np.intp]) -> int:
    """All folds while that is quick; of many labels one fold is sample enough to choose by."""
    cells = labels.targets.size
    return int(folds.max()) + 1 if cells <= 20_000 else 2 if cells <= 60_000 else 1


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
