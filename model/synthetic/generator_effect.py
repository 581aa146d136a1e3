"""Whether a generator's sound items, taken together, still do the model good: real labels out of fold say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from model.calibration import calibrated_losses
from model.heads.fitting import HeadFitter
from model.heads.training_set import assign_folds
from model.records import Embeddings, Labels
from model.synthetic.cross_fitting import INVERSE_REGULARISATION

FEWEST_REAL = 30  # real labels below which nothing is said
FEWEST_MADE = 20  # items of a generator
MOST_REAL, MOST_MADE = 1500, 2000  # of more a sample tells enough
_Z99 = 2.575829
_MOST_LOST = 13.8  # nats: one label alone decides nothing


@dataclass(frozen=True, slots=True)
class Effect:
    """What a generator's items do to the log loss on real labels, in nats a label; above 0 = they help.

    low and high bound the mean with 99 % certainty.
    """

    gain: float
    low: float
    high: float
    real: int

    @property
    def is_overtaken(self) -> bool:
        """Whether real labels are surely foreseen better without the items."""
        return self.high < 0.0

    @property
    def words(self) -> str:
        """One sentence."""
        return (
            f"Overtaken by real labels: {self.real} of them are foreseen better without what this generator "
            f"makes ({-self.gain:.2f} nats a label, {-self.high:.2f} to {-self.low:.2f})."
        )


def measure_effects(
    real: Embeddings,
    labels: Labels,
    synthetic: Embeddings,
    intended: Labels,
    *,
    groups: NDArray[np.intp],
    chosen: NDArray[np.bool_],
    rng: np.random.Generator,
) -> dict[int, Effect]:
    """The effect of the chosen items (s,) of each group, learned beside the real ones and weighing as much.

    Every real label is foreseen by two heads that have not learned it: with the items and without. Groups of
    fewer than 20 chosen items are left out, and all of them below 30 real labels. Items of classes without a
    real label are left out too: nothing real can speak for them.
    """
    if len(labels) < FEWEST_REAL:
        return {}
    rows = np.sort(rng.permutation(len(labels))[:MOST_REAL])
    known = np.isin(intended.classes, labels.classes[rows])
    effects = {}
    for group in np.unique(groups[chosen]).tolist():
        mine = rng.permutation(np.flatnonzero(chosen & known & (groups == group)))[:MOST_MADE]
        if len(mine) >= FEWEST_MADE:
            gains = _gains(real.take(rows), labels.take(rows), synthetic.take(mine), intended.take(mine), rng)
            half = _Z99 * float(gains.std()) / np.sqrt(len(gains))
            gain = float(gains.mean())
            effects[group] = Effect(gain, gain - half, gain + half, len(gains))
    return effects


def _gains(
    real: Embeddings, labels: Labels, synthetic: Embeddings, intended: Labels, rng: np.random.Generator
) -> NDArray[np.float64]:
    """How much less surprising each real label (n,) is to a head that learned the items as well, in nats."""
    ids = np.arange(len(real) + len(synthetic))
    both = Embeddings(ids, np.concatenate([real.vectors, synthetic.vectors]), real.encoder)
    targets = Labels(ids, np.concatenate([labels.targets, intended.targets]), labels.space)
    folds = assign_folds(labels.classes, rng)
    heads = int(folds.max()) + 1
    learns = np.zeros((len(ids), 2 * heads), dtype=np.float32)
    learns[: len(real)] = np.tile(folds[:, None] != np.arange(heads), 2)
    learns[len(real) :, heads:] = 1.0
    fit = HeadFitter(both, targets, name_vectors=None).fit(
        torch.from_numpy(learns),
        prior_weights=torch.zeros(2 * heads),
        inverse_regularisation=INVERSE_REGULARISATION,
        tolerance=0.1,
        max_iterations=30,
    )
    rows, logits = np.arange(len(real)), fit.logits.numpy()
    without, with_items = logits[rows, folds], logits[rows, heads + folds]
    lost = [np.minimum(calibrated_losses(each, labels.classes), _MOST_LOST) for each in (without, with_items)]
    gains: NDArray[np.float64] = lost[0] - lost[1]
    return gains
