"""Lets items without a label teach a head what their neighbours believe of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from model.calibration import fit_temperature
from model.heads.ensemble import ensemble_coefficients, weighted_sum
from model.heads.fitting import HeadFitter
from model.heads.selection import FEWEST_TO_CHOOSE, Members, Setting, held_out_logits
from model.heads.single_label import softmax
from model.heads.surroundings import Surroundings
from model.heads.training_set import TrainingSet
from model.records import Embeddings, Floats, Labels

TEACHING_WEIGHT = 0.3  # of an item of the surroundings, beside 1 of a labelled one


def can_teach(surroundings: Surroundings, training_set: TrainingSet) -> bool:
    """Whether there are items without a label, and labels enough to see if they help."""
    enough = training_set.measured >= FEWEST_TO_CHOOSE
    return enough and not np.isin(surroundings.sample.ids, training_set.labels.ids).all()


def teach(
    members: Members, training_set: TrainingSet, *, name_vectors: Floats | None, surroundings: Surroundings
) -> Members:
    """Fit heads again, each beside what the ensemble of all believes of the surroundings.

    Pseudo-labels smoothed over neighbours (after Lee, 2013, and Zhou et al., 2004). The best setting of each
    regularisation learns from them: the weight of the names hardly matters any more. No head learns from the
    answers of its own fold, which only help to weigh the members, so what it says of them is out of fold.
    """
    fitter = _widen(training_set, surroundings, name_vectors)
    sample_weights, targets = _lessons(members, training_set, surroundings)
    pupils = _best_of_each_regularisation(members.settings)
    settings = [members.settings[pupil] for pupil in pupils]
    fits = [
        fitter.fit(
            sample_weights,
            prior_weights=torch.full((sample_weights.shape[1],), setting.prior_weight),
            inverse_regularisation=setting.inverse_regularisation,
            start=fitter.translate(members.fits[pupil], members.fitter),
            targets=targets,
            tolerance=0.1,
            max_iterations=30,
        )
        for pupil, setting in zip(pupils, settings, strict=True)
    ]
    every_fold = np.arange(training_set.number_of_folds)
    return Members(fitter, settings, fits, [held_out_logits(fit, training_set, every_fold) for fit in fits])


def _widen(training_set: TrainingSet, surroundings: Surroundings, name_vectors: Floats | None) -> HeadFitter:
    """A fitter of the labelled rows and, behind them, of the items that teach."""
    sample, space = surroundings.sample, training_set.labels.space
    ids = np.concatenate([training_set.labels.ids, sample.ids])
    vectors = np.concatenate([training_set.embeddings.vectors, sample.vectors])
    unknown = np.zeros((len(sample), len(space)), dtype=np.float32)
    labels = Labels(ids, np.concatenate([training_set.labels.targets, unknown]), space)
    return HeadFitter(
        Embeddings(ids, vectors, training_set.embeddings.encoder), labels, name_vectors=name_vectors
    )


def _lessons(
    members: Members, training_set: TrainingSet, surroundings: Surroundings
) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights (n + s, f) and targets (n + s, f, c): answers of labelled rows, beliefs of the others."""
    beliefs = _beliefs(members, training_set, surroundings)
    heads = beliefs.shape[1]
    answers = torch.from_numpy(training_set.labels.targets).unsqueeze(1).expand(-1, heads, -1)
    is_unknown = ~np.isin(surroundings.sample.ids, training_set.labels.ids)
    weights = torch.from_numpy(is_unknown).float() * TEACHING_WEIGHT
    every_head = training_set.sample_weights_without(np.arange(heads))
    return (
        torch.cat([every_head, weights.view(-1, 1).expand(-1, heads)]),
        torch.cat([answers, torch.from_numpy(beliefs)]),
    )


def _beliefs(members: Members, training_set: TrainingSet, surroundings: Surroundings) -> Floats:
    """What the ensemble believes of the surroundings (s, f, c): without each fold, then with all."""
    classes = training_set.measured_labels.classes
    coefficients = ensemble_coefficients(members.logits, classes)
    temperature = fit_temperature(weighted_sum(coefficients, members.logits), classes)
    ensembles = [
        members.head(coefficients, temperature=temperature, which=head)
        for head in range(training_set.number_of_folds + 1)
    ]
    around = surroundings.around.vectors
    return np.stack([surroundings.smooth(softmax(ensemble.logits(around))) for ensemble in ensembles], axis=1)


def _best_of_each_regularisation(settings: Sequence[Setting]) -> list[int]:
    """Places of the settings, which come best first."""
    first: dict[float, int] = {}
    for place, setting in enumerate(settings):
        first.setdefault(setting.inverse_regularisation, place)
    return list(first.values())
