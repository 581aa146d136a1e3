"""Hyper-parameters of an ensemble of heads: regularisation, and how far the class names are believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

from model.heads.ensemble import NEGLIGIBLE, ensemble_head, summed_losses
from model.heads.fitting import Fit, HeadFitter
from model.heads.single_label import NAME_SCALE, LinearHead
from model.heads.training_set import TrainingSet
from model.records import Floats

LOOSE, TIGHT = 100.0, 10.0  # inverse regularisations
PRIOR_WEIGHTS = (0.0, 5.0, 10.0, NAME_SCALE)
CLOSE_TO_NAMES = 1.0  # inverse regularisation with a single label, which must not be taken for all
FEWEST_TO_CHOOSE = 10  # below this, held-out rows say too little of what else may be learned from
FEWEST_TO_DOUBT_NAMES = 15  # below this, too little to believe the names less


@dataclass(frozen=True, slots=True)
class Setting:
    """How strongly the labels are believed, and how much the names of the classes."""

    inverse_regularisation: float
    prior_weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A setting, its heads that each miss a fold, and what these say of held-out rows: logits (n, c)."""

    setting: Setting
    without_fold: Fit
    logits: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """An ensemble of heads of several settings. Each fit has one per fold, without it, and last that of all.

    `logits` are what the heads without a fold say of its rows, (n, c) for each setting.
    """

    fitter: HeadFitter
    settings: list[Setting]
    fits: list[Fit]
    logits: list[Floats]

    def head(self, coefficients: NDArray[np.float64], *, temperature: float, which: int = -1) -> LinearHead:
        """The ensemble of the heads of all rows, or of those without fold `which`; coefficients (k,)."""
        heads = [
            self.fitter.head(fit, which=which, prior_weight=setting.prior_weight, temperature=1.0)
            for setting, fit in zip(self.settings, self.fits, strict=True)
        ]
        return ensemble_head(heads, coefficients, temperature=temperature)


def fit_members(fitter: HeadFitter, training_set: TrainingSet, candidates: Sequence[Candidate]) -> Members:
    """The candidates, each with the head of all rows, begun at the mean of those that missed a fold."""
    fits = []
    for each in candidates:
        some = each.without_fold
        final = fitter.fit(
            torch.from_numpy(training_set.sample_weights).view(-1, 1),
            prior_weights=torch.tensor([each.setting.prior_weight]),
            inverse_regularisation=each.setting.inverse_regularisation,
            start=Fit(some.learned.mean(dim=1, keepdim=True), some.logits.mean(dim=1, keepdim=True)),
        )
        learned = torch.cat([some.learned, final.learned], dim=1)
        fits.append(Fit(learned, torch.cat([some.logits, final.logits], dim=1)))
    return Members(fitter, [each.setting for each in candidates], fits, [each.logits for each in candidates])


def choose_candidates(fitter: HeadFitter, training_set: TrainingSet, *, with_names: bool) -> list[Candidate]:
    """The settings whose log loss on held-out rows is near the least, best first: the ensemble.

    A handful of labels only decides how closely they are followed. Of many labels, some folds are sample
    enough, and the best setting stands alone.
    """
    classes = training_set.measured_labels.classes
    if len(classes) == 1:
        only = Setting(CLOSE_TO_NAMES, NAME_SCALE if with_names else 0.0)
        return [_look_at_all(fitter, training_set, only)]
    looked_at = np.arange(_folds_to_look_at(training_set))
    candidates = _look_at(fitter, training_set, looked_at, _settings(len(classes), with_names=with_names))
    rows = np.flatnonzero(np.isin(training_set.folds, looked_at))
    losses = summed_losses([each.logits for each in candidates], classes[rows])
    best_first = np.argsort(losses, kind="stable")
    if len(looked_at) < training_set.number_of_folds:
        return [_look_at_all(fitter, training_set, candidates[best_first[0]].setting)]
    return [candidates[place] for place in best_first if losses[place] - losses.min() <= NEGLIGIBLE]


def _settings(labels: int, *, with_names: bool) -> dict[float, tuple[float, ...]]:
    """Prior weights to look at, by inverse regularisation: only the tighter one may doubt the names."""
    if not with_names:
        return {LOOSE: (0.0,), TIGHT: (0.0,)}
    if labels < FEWEST_TO_DOUBT_NAMES:
        return {LOOSE: (NAME_SCALE,), TIGHT: (NAME_SCALE,)}
    return {LOOSE: (NAME_SCALE,), TIGHT: PRIOR_WEIGHTS}


def _look_at(
    fitter: HeadFitter,
    training_set: TrainingSet,
    held_out: NDArray[np.intp],
    settings: Mapping[float, tuple[float, ...]],
) -> list[Candidate]:
    """Every setting with some folds held out; settings of one regularisation are fitted together."""
    candidates = []
    for strength, priors in settings.items():
        pairs = list(product(priors, held_out))  # one head each
        sample_weights = training_set.sample_weights_without(np.array([fold for _, fold in pairs]))
        prior_weights = torch.tensor([prior for prior, _ in pairs], dtype=torch.float32)
        fit = _fit_roughly(fitter, sample_weights, prior_weights, strength)
        for number, prior in enumerate(priors):
            mine = slice(number * len(held_out), (number + 1) * len(held_out))
            part = Fit(fit.learned[:, mine], fit.logits[:, mine])
            candidates.append(
                Candidate(Setting(strength, prior), part, held_out_logits(part, training_set, held_out))
            )
    return candidates


def _look_at_all(fitter: HeadFitter, training_set: TrainingSet, setting: Setting) -> Candidate:
    """One setting with every fold held out."""
    held_out = np.arange(training_set.number_of_folds)
    settings = {setting.inverse_regularisation: (setting.prior_weight,)}
    return _look_at(fitter, training_set, held_out, settings)[0]


def _fit_roughly(
    fitter: HeadFitter, sample_weights: torch.Tensor, priors: torch.Tensor, strength: float
) -> Fit:
    """Heads good enough to compare: log loss mostly within 0.3 % of the converged one, and quicker."""
    return fitter.fit(
        sample_weights,
        prior_weights=priors,
        inverse_regularisation=strength,
        tolerance=0.1,
        max_iterations=30,
    )


def held_out_logits(fit: Fit, training_set: TrainingSet, held_out: NDArray[np.intp]) -> Floats:
    """Held-out logits (m, c) of the rows in some folds, in their order, from heads one per fold."""
    rows = np.flatnonzero(np.isin(training_set.folds, held_out))
    gathered: Floats = fit.logits.numpy()[rows, training_set.folds[rows]]
    return gathered


def _folds_to_look_at(training_set: TrainingSet) -> int:
    """All folds while that is quick; of many labels one fold is sample enough to choose by."""
    cells = training_set.labels.targets.size
    return training_set.number_of_folds if cells <= 20_000 else 2 if cells <= 60_000 else 1
