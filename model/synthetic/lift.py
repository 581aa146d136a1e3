"""What synthetic items lift: accuracy on real audit labels with them and without, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from model.calibration import Z95
from model.heads.fitting import HeadFitter
from model.heads.single_label import LinearHead
from model.neighbours import nearest_cosine
from model.records import Embeddings, Floats, Labels
from model.synthetic.cross_fitting import INVERSE_REGULARISATION
from model.synthetic.items import RealItems, SyntheticItems

TRAININGS = 20  # bootstrap samples of what is learned from
_COPY = 1.0 - 1e-5  # cosine from which a synthetic item gives an audit item away


@dataclass(frozen=True, slots=True)
class Lift:
    """Accuracy with the items less accuracy without them, and its 95 % interval, each in [-1, 1].

    `items` synthetic ones were added; measured on `audit` real labels.
    """

    mean: float
    low: float
    high: float
    items: int
    audit: int

    @property
    def shown(self) -> bool:
        """Whether the interval leaves out 0: otherwise no effect is shown."""
        return self.low > 0.0 or self.high < 0.0

    @property
    def words(self) -> str:
        """The lift in points, said plainly."""
        if not self.audit:
            return "not measured: there are no audit labels"
        points = f"{100 * self.mean:+.1f} points, {100 * self.low:+.1f} to {100 * self.high:+.1f}"
        return points if self.shown else f"no effect shown ({points})"


def measure_lift(
    real: RealItems, synthetic: SyntheticItems, chosen: NDArray[np.bool_], *, rng: np.random.Generator
) -> Lift:
    """Lift by the chosen synthetic items (s,), on audit items that neither head has seen.

    The interval covers the draw of the audit items (a score interval, which holds for small audits too;
    Tango, 1998) and, by bootstrap heads, that of what is learned from. Items that copy an audit item are left
    out: they would measure themselves.
    """
    audit = np.flatnonzero(real.audit)
    kept = without_copies(real, synthetic, chosen)
    if not len(audit) or len(audit) == len(real.labels) or not len(kept):
        return unmeasured(real, kept)
    answers = _answer(real, synthetic, kept, real.embeddings.vectors[audit], rng)  # (2, 1 + t, a)
    return compare(answers == real.labels.classes[audit], items=len(kept))


def without_copies(real: RealItems, synthetic: SyntheticItems, chosen: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Rows of the chosen synthetic items (s,) that are no audit item over again."""
    audit = real.embeddings.take(real.audit)
    return np.flatnonzero(chosen & ~_copies(audit, synthetic.embeddings))


def unmeasured(real: RealItems, kept: NDArray[np.intp]) -> Lift:
    """What is known of a lift where all real items are of the audit, none is, or nothing was kept: 0 to 0."""
    audit = int(real.audit.sum())
    if not audit or audit == len(real.labels):
        return Lift(0.0, -1.0, 1.0, len(kept), audit)
    return Lift(0.0, 0.0, 0.0, 0, audit)


def compare(correct: NDArray[np.bool_], *, items: int) -> Lift:
    """The lift by which of a audit items heads without and with so many items answer right, (2, 1 + t, a).

    The first head of each side learned from all items, the others from bootstrap samples.
    """
    low, high = paired_interval(correct[0, 0], correct[1, 0])
    change = correct[1].mean(axis=1) - correct[0].mean(axis=1)
    mean, noise = float(change[0]), Z95 * float(change[1:].std())
    return Lift(
        mean,
        max(-1.0, mean - math.hypot(mean - low, noise)),
        min(1.0, mean + math.hypot(high - mean, noise)),
        items,
        correct.shape[-1],
    )


def fit_heads(
    real: RealItems, synthetic: SyntheticItems, kept: NDArray[np.intp]
) -> tuple[LinearHead, LinearHead]:
    """The heads that the lift compares: from real items alone, and with the kept synthetic ones."""
    both, labels, first = learned_from(real, synthetic, kept)
    fitter = HeadFitter(both, labels, name_vectors=None)
    weights = np.ones((len(labels), 2), dtype=np.float32)
    weights[first:, 0] = 0.0
    fit = fitter.fit(
        torch.from_numpy(weights),
        prior_weights=torch.zeros(2),
        inverse_regularisation=INVERSE_REGULARISATION,
        tolerance=0.05,
    )
    without, with_items = (fitter.head(fit, which=n, prior_weight=0.0, temperature=1.0) for n in (0, 1))
    return without, with_items


def paired_interval(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> tuple[float, float]:
    """95 % score interval of the change in a share, when the same items are asked twice (Tango, 1998)."""
    total = len(before)
    won, lost = int((after & ~before).sum()), int((before & ~after).sum())
    return _bound(won, lost, total, upwards=False), _bound(won, lost, total, upwards=True)


def _bound(won: int, lost: int, total: int, *, upwards: bool) -> float:
    """Where the score statistic of the change crosses 1.96, by halving."""
    change = (won - lost) / total
    near, far = change, 1.0 if upwards else -1.0
    for _ in range(50):
        middle = (near + far) / 2.0
        if abs(_score(won, lost, total, middle)) < Z95:
            near = middle
        else:
            far = middle
    return (near + far) / 2.0


def _score(won: int, lost: int, total: int, change: float) -> float:
    """The score statistic of Tango (1998) for a supposed change."""
    gap = won - lost - total * change
    b = -won - lost + (2 * total - won + lost) * change
    c = -lost * change * (1.0 - change)
    share = (math.sqrt(max(b * b - 8.0 * total * c, 0.0)) - b) / (4.0 * total)
    variance = total * (2.0 * share + change * (1.0 - change))
    return gap / math.sqrt(variance) if variance > 0.0 else math.copysign(math.inf, gap) if gap else 0.0


def _answer(
    real: RealItems,
    synthetic: SyntheticItems,
    kept: NDArray[np.intp],
    asked: Floats,
    rng: np.random.Generator,
) -> NDArray[np.intp]:
    """Classes (2, 1 + t, a) given to the asked, without and with: from all items, then bootstrap samples."""
    without, with_items = fit_heads(real, synthetic, kept)
    both, labels, first = learned_from(real, synthetic, kept)
    fitter = HeadFitter(both, labels, name_vectors=None)
    drawn = rng.poisson(1.0, size=(len(labels), TRAININGS)).astype(np.float32)
    weights = np.concatenate([drawn, drawn], axis=1)
    weights[first:, :TRAININGS] = 0.0
    fit = fitter.fit(
        torch.from_numpy(weights),
        prior_weights=torch.zeros(2 * TRAININGS),
        inverse_regularisation=INVERSE_REGULARISATION,
        tolerance=0.2,
        max_iterations=30,
    )
    heads = [fitter.head(fit, which=n, prior_weight=0.0, temperature=1.0) for n in range(2 * TRAININGS)]
    ordered = [without, *heads[:TRAININGS], with_items, *heads[TRAININGS:]]
    said = np.stack([head.logits(asked).argmax(axis=1) for head in ordered])
    return said.reshape(2, 1 + TRAININGS, len(asked))


def learned_from(
    real: RealItems, synthetic: SyntheticItems, kept: NDArray[np.intp]
) -> tuple[Embeddings, Labels, int]:
    """Real items outside the audit, then the kept synthetic ones; and how many the first are."""
    training = np.flatnonzero(~real.audit)
    vectors = np.concatenate([real.embeddings.vectors[training], synthetic.embeddings.vectors[kept]])
    targets = np.concatenate([real.labels.targets[training], synthetic.labels.targets[kept]])
    ids = np.arange(len(vectors))
    space = real.labels.space
    return Embeddings(ids, vectors, real.embeddings.encoder), Labels(ids, targets, space), len(training)


def _copies(audit: Embeddings, synthetic: Embeddings) -> NDArray[np.bool_]:
    """Which synthetic items (s,) are an audit item over again."""
    if not len(audit):
        return np.zeros(len(synthetic), dtype=np.bool_)
    copies: NDArray[np.bool_] = nearest_cosine(synthetic.vectors, audit.vectors) >= _COPY
    return copies
