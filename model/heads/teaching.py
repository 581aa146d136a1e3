"""Lets items without a label teach a head what their neighbours believe of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from model.heads.fitting import Fit, HeadFitter
from model.heads.material import Material
from model.heads.selection import FEWEST_TO_CHOOSE, Setting
from model.heads.single_label import softmax
from model.heads.surroundings import Surroundings
from model.records import Embeddings, Floats, Labels

TEACHING_WEIGHT = 0.3  # of an item of the surroundings, beside 1 of a labelled one


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """A head that learned from its surroundings too, and the logits (n, c) of such heads out of fold."""

    fitter: HeadFitter
    final: Fit
    logits: Floats


def can_teach(surroundings: Surroundings, material: Material) -> bool:
    """Whether there are items without a label, and labels enough to see if they help."""
    enough = material.measured >= FEWEST_TO_CHOOSE
    return enough and not np.isin(surroundings.sample.ids, material.labels.ids).all()


def teach(
    fitter: HeadFitter,
    plain: Fit,
    setting: Setting,
    material: Material,
    *,
    name_vectors: Floats | None,
    surroundings: Surroundings,
) -> Taught:
    """Fit the heads again, one per fold and the last of all, beside what each believes of its surroundings.

    Pseudo-labels smoothed over neighbours (after Lee, 2013, and Zhou et al., 2004). No head learns from the
    answers of its own fold, so what it says of them is still out of fold.
    """
    beliefs = _beliefs(fitter, plain, setting, surroundings)  # (f, s, c)
    heads, sample = len(beliefs), surroundings.sample
    ids = np.concatenate([material.labels.ids, sample.ids])
    vectors = np.concatenate([material.embeddings.vectors, sample.vectors])
    named = Labels(ids, np.concatenate([material.labels.targets, beliefs[-1]]), material.labels.space)
    wider = HeadFitter(
        Embeddings(ids, vectors, material.embeddings.encoder), named, name_vectors=name_vectors
    )
    answers = torch.from_numpy(material.labels.targets).unsqueeze(1).expand(-1, heads, -1)
    unknown = torch.from_numpy(~np.isin(sample.ids, material.labels.ids)).float() * TEACHING_WEIGHT
    fit = wider.fit(
        torch.cat([material.weights_without(np.arange(heads)), unknown.view(-1, 1).expand(-1, heads)]),
        prior_weights=torch.full((heads,), setting.prior_weight),
        inverse_regularisation=setting.inverse_regularisation,
        start=wider.translate(plain, fitter),
        targets=torch.cat([answers, torch.from_numpy(np.stack(beliefs, axis=1))]),
        tolerance=0.1,
        max_iterations=30,
    )
    rows = np.arange(material.measured)
    held_out = fit.logits.numpy()[rows, material.folds[: material.measured]]
    return Taught(wider, Fit(fit.learned[:, -1:], fit.logits[:, -1:]), held_out)


def _beliefs(fitter: HeadFitter, plain: Fit, setting: Setting, surroundings: Surroundings) -> list[Floats]:
    """What each head believes of the surroundings, smoothed."""
    heads = [
        fitter.head(plain, which=which, prior_weight=setting.prior_weight, temperature=1.0)
        for which in range(plain.learned.shape[1])
    ]
    return [surroundings.smooth(softmax(head.logits(surroundings.around.vectors))) for head in heads]
