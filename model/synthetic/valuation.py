"""What each synthetic item is worth: from -1, sure to harm, to +1, sure to be sound, with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.records import Embeddings, Floats, Labels
from model.synthetic.cross_fitting import MOST_REPEATS
from model.synthetic.evidence import Background, Evidence, ItemFeatures, describe_items, gather_evidence
from model.synthetic.fault_detector import REPLICATES, Detection, detect_faults
from model.synthetic.pictures import Pictures

FIRST_WEIGHT = 0.1  # sample weight of a synthetic item before anything is known of it; a real one has 1
# Repeats of cross-fitting and replicates; what the first look finds faulty says little in the second.
LOOKS = ((1, 5), (MOST_REPEATS, REPLICATES))
LOW, HIGH = 2.5, 97.5  # percentiles of the replicates
_UNKNOWN = np.array([[0.5, 0.5, 0.0, 0.0]], dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Valuation:
    """For s synthetic items: value, low and high (s,) in [-1, 1], and what they rest on.

    The value is 1 - 2 × the probability of a fault, so 0 is a coin's toss; the interval is at 95 %.
    `kinds` (s, 4) are probabilities of KINDS, `belief` (s, c) of the classes out of fold, `support` (s,) is
    the share of neighbours with the intended label, `nearest_real` (s,) a cosine. `judged` is False when
    there were too few real items to learn from. `oddness` (s,) says what is odd about pictures, in words that
    follow "it is"; empty where nothing is.
    """

    value: Floats
    low: Floats
    high: Floats
    kinds: Floats
    belief: Floats
    support: Floats
    nearest_real: Floats
    judged: bool
    oddness: tuple[str, ...] = ()


def value_items(
    embeddings: Embeddings,
    labels: Labels,
    *,
    real: int,
    groups: NDArray[np.intp],
    background: Background,
    texts: Sequence[str] | None,
    pictures: Pictures | None = None,
    rng: np.random.Generator,
) -> Valuation:
    """Values of the items after the first `real`, which are trusted; `groups` (s,) numbers the generators."""
    features = describe_items(
        embeddings.vectors, real=real, background=background, texts=texts, pictures=pictures, rng=rng
    )
    evidence, found = _look_twice(
        embeddings, labels, features, real=real, groups=groups, texts=texts, rng=rng
    )
    columns = labels.classes[real:]
    return to_valuation(
        found,
        belief=np.exp(evidence.opinions.log_mean[real:]),
        support=evidence.opinions.votes[np.arange(real, len(labels)), columns],
        nearest_real=features.density[real:, 0],
        oddness=features.oddness(np.arange(real, len(embeddings))),
    )


def to_valuation(
    found: Detection | None,
    *,
    belief: Floats,
    support: Floats,
    nearest_real: Floats,
    oddness: tuple[str, ...],
) -> Valuation:
    """Values of s items by what was detected; 0 with the widest interval where nothing could be."""
    value = 1.0 - 2.0 * found.harm if found else np.zeros(len(support), dtype=np.float32)
    low, high = value - 1.0, value + 1.0
    if found:
        low, high = np.percentile(1.0 - 2.0 * found.replicates, (LOW, HIGH), axis=0)
    return Valuation(
        value=value.astype(np.float32),
        low=np.minimum(low, value).astype(np.float32),
        high=np.maximum(high, value).astype(np.float32),
        kinds=_UNKNOWN.repeat(len(support), axis=0) if found is None else found.kinds,
        belief=belief,
        support=support,
        nearest_real=nearest_real,
        judged=found is not None,
        oddness=oddness,
    )


def _look_twice(
    embeddings: Embeddings,
    labels: Labels,
    features: ItemFeatures,
    *,
    real: int,
    groups: NDArray[np.intp],
    texts: Sequence[str] | None,
    rng: np.random.Generator,
) -> tuple[Evidence, Detection | None]:
    """The evidence when each synthetic item weighs as much as it looked sound at first, and what it shows."""
    sample_weights = np.ones(len(labels), dtype=np.float32)
    sample_weights[real:] = FIRST_WEIGHT
    for most_repeats, replicates in LOOKS:
        evidence = gather_evidence(
            embeddings,
            labels,
            features,
            real=real,
            sample_weights=sample_weights,
            rng=rng,
            most_repeats=most_repeats,
        )
        found = detect_faults(
            evidence, labels, real=real, groups=groups, texts=texts, rng=rng, replicates=replicates
        )
        if found is None:
            break
        sample_weights[real:] = 1.0 - found.harm
    return evidence, found
