"""Lets items without a label teach a head what their neighbours believe of them."""

from __future__ import annotations

import numpy as np
import torch

from model.heads.fitting import Fit, HeadFitter
from model.heads.material import Material
from model.heads.selection import FEWEST_TO_CHOOSE, Members, Setting, held_out_logits
from model.heads.single_label import softmax
from model.heads.surroundings import Surroundings
from model.records import Embeddings, Floats, Labels

TEACHING_WEIGHT = 0.3  # of an item of the surroundings, beside 1 of a labelled one


def can_teach(surroundings: Surroundings, material: Material) -> bool:
    """Whether there are items without a label, and labels enough to see if they help."""
    enough = material.measured >= FEWEST_TO_CHOOSE
    return enough and not np.isin(surroundings.sample.ids, material.labels.ids).all()


def teach(
    members: Members, material: Material, *, name_vectors: Floats | None, surroundings: Surroundings
) -> Members:
    """Fit the heads again, each beside what it believes of its surroundings.

    Pseudo-labels smoothed over neighbours (after Lee, 2013, and Zhou et al., 2004). No head learns from the
    answers of its own fold, so what it says of them is still out of fold.
    """
    sample = surroundings.sample
    ids = np.concatenate([material.labels.ids, sample.ids])
    vectors = np.concatenate([material.embeddings.vectors, sample.vectors])
    unknown = np.zeros((len(sample), len(material.labels.space)), dtype=np.float32)
    named = Labels(ids, np.concatenate([material.labels.targets, unknown]), material.labels.space)
    wider = HeadFitter(
        Embeddings(ids, vectors, material.embeddings.encoder), named, name_vectors=name_vectors
    )
    fits = [
        _teach_one(wider, members.fitter, fit, setting, material, surroundings)
        for setting, fit in zip(members.settings, members.fits, strict=True)
    ]
    every_fold = np.arange(material.number_of_folds)
    logits = [held_out_logits(fit, material, every_fold) for fit in fits]
    return Members(wider, members.settings, fits, logits)


def _teach_one(
    wider: HeadFitter,
    fitter: HeadFitter,
    plain: Fit,
    setting: Setting,
    material: Material,
    surroundings: Surroundings,
) -> Fit:
    beliefs = _beliefs(fitter, plain, setting, surroundings)  # (f, s, c)
    heads, sample = len(beliefs), surroundings.sample
    answers = torch.from_numpy(material.labels.targets).unsqueeze(1).expand(-1, heads, -1)
    unknown = torch.from_numpy(~np.isin(sample.ids, material.labels.ids)).float() * TEACHING_WEIGHT
    return wider.fit(
        torch.cat([material.weights_without(np.arange(heads)), unknown.view(-1, 1).expand(-1, heads)]),
        prior_weights=torch.full((heads,), setting.prior_weight),
        inverse_regularisation=setting.inverse_regularisation,
        start=wider.translate(plain, fitter),
        targets=torch.cat([answers, torch.from_numpy(np.stack(beliefs, axis=1))]),
        tolerance=0.1,
        max_iterations=30,
    )


def _beliefs(fitter: HeadFitter, plain: Fit, setting: Setting, surroundings: Surroundings) -> list[Floats]:
    """What each head believes of the surroundings, smoothed."""
    heads = [
        fitter.head(plain, which=which, prior_weight=setting.prior_weight, temperature=1.0)
        for which in range(plain.learned.shape[1])
    ]
    return [surroundings.smooth(softmax(head.logits(surroundings.around.vectors))) for head in heads]
