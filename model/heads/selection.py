"""Chooses how strongly a head is held back, and how much it believes the class names, out of fold."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

from model.calibration import calibrated_losses
from model.heads.fitting import Fit, HeadFitter
from model.heads.material import Material
from model.heads.single_label import NAME_SCALE
from model.records import Floats

INVERSE_REGULARISATIONS = (100.0, 10.0)  # 1 as well is often chosen by chance when there are few labels
PRIOR_WEIGHTS = (0.0, 5.0, 10.0, NAME_SCALE)
CLOSE_TO_NAMES = 1.0  # a regularisation that only serves few labels whose names say much
FEWEST_TO_CHOOSE = 10  # below this, held-out rows say too little to weigh the names by


@dataclass(frozen=True, slots=True)
class Setting:
    """How strongly the labels are believed, and how much the names of the classes."""

    inverse_regularisation: float
    prior_weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The best setting and, if every fold was looked at for it, its heads: one per fold."""

    setting: Setting
    fit: Fit | None


def choose_setting(fitter: HeadFitter, material: Material, *, with_names: bool) -> Choice:
    """The setting with the least log loss on held-out rows, each at its own best temperature.

    The weight of the names is chosen under the loose regularisation, then the regularisation. A handful of
    labels only decides whether to stay close to the names, which they have not been fitted to.
    """
    labels = material.measured_labels
    loose, *tighter = INVERSE_REGULARISATIONS
    priors: tuple[float, ...] = (0.0,)
    if with_names:
        priors = PRIOR_WEIGHTS if len(labels) >= FEWEST_TO_CHOOSE else (NAME_SCALE,)
    if len(labels) == 1:
        return Choice(Setting(CLOSE_TO_NAMES, priors[-1]), None)
    held_out = np.arange(_folds_to_look_at(material))
    first = [Setting(loose, prior) for prior in priors]
    best, least, fit = _least_loss(fitter, material, held_out, first, start=None)
    others = [Setting(strength, best.prior_weight) for strength in tighter]
    if with_names:
        others.append(Setting(CLOSE_TO_NAMES, NAME_SCALE))
    for setting in others:  # each from where the last one ended
        _, loss, other = _least_loss(fitter, material, held_out, [setting], start=fit)
        if loss < least:
            best, least, fit = setting, loss, other
    return Choice(best, fit if len(held_out) == material.number_of_folds else None)


def _least_loss(
    fitter: HeadFitter,
    material: Material,
    held_out: NDArray[np.intp],
    settings: list[Setting],
    *,
    start: Fit | None,
) -> tuple[Setting, float, Fit]:
    """The best of some settings of one regularisation, its loss, and its heads: one per fold looked at."""
    pairs = list(product(settings, held_out))  # one head each, all fitted together
    row_weights = material.weights_without(np.array([fold for _, fold in pairs]))
    priors = torch.tensor([setting.prior_weight for setting, _ in pairs], dtype=torch.float32)
    fit = _fit_roughly(fitter, row_weights, priors, settings[0].inverse_regularisation, start=start)
    losses = []
    for number in range(len(settings)):
        logits, rows = _gather(fit, material.folds, held_out, first=number * len(held_out))
        losses.append(float(calibrated_losses(logits, material.labels.classes[rows]).mean()))
    best = int(np.argmin(losses))
    mine = slice(best * len(held_out), (best + 1) * len(held_out))
    return settings[best], losses[best], Fit(fit.learned[:, mine], fit.logits[:, mine])


def fit_folds(fitter: HeadFitter, material: Material, setting: Setting) -> Fit:
    """One head per fold, fitted without it."""
    number = np.arange(material.number_of_folds)
    row_weights = material.weights_without(number)
    priors = torch.full((len(number),), setting.prior_weight)
    return _fit_roughly(fitter, row_weights, priors, setting.inverse_regularisation, start=None)


def logits_out_of_fold(fit: Fit, material: Material) -> Floats:
    """Logits (n, c) of every row by the head that was fitted without its fold."""
    logits, rows = _gather(fit, material.folds, np.arange(material.number_of_folds), first=0)
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


def _gather(
    fit: Fit, folds: NDArray[np.intp], held_out: NDArray[np.intp], *, first: int
) -> tuple[Floats, NDArray[np.intp]]:
    """Held-out logits (m, c) and their rows (m,), from heads `first`, `first` + 1, …: one per fold."""
    rows = np.flatnonzero(np.isin(folds, held_out))
    return fit.logits.numpy()[rows, first + folds[rows]], rows


def _folds_to_look_at(material: Material) -> int:
    """All folds while that is quick; of many labels one fold is sample enough to choose by."""
    cells = material.labels.targets.size
    return material.number_of_folds if cells <= 20_000 else 2 if cells <= 60_000 else 1
