"""What each synthetic item is worth: from -1, sure to harm, to +1, sure to be sound, with an interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.records import Embeddings, Floats, Labels
from model.synthetic.evidence import gather_evidence
from model.synthetic.fault_detector import detect_faults

LOW, HIGH = 2.5, 97.5  # percentiles of the replicates
_UNKNOWN = np.array([[0.5, 0.5, 0.0, 0.0]], dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Valuation:
    """For s synthetic items: value, low and high (s,) in [-1, 1], and what they rest on.

    The value is 1 - 2 × the probability of a fault, so 0 is a coin's toss; the interval is at 95 %.
    `kinds` (s, 4) are probabilities of KINDS, `belief` (s, c) of the classes out of fold, `support` (s,) is
    the share of neighbours with the intended label, `nearest_real` (s,) a cosine. `judged` is False when
    there were too few real items to learn from.
    """

    value: Floats
    low: Floats
    high: Floats
    kinds: Floats
    belief: Floats
    support: Floats
    nearest_real: Floats
    judged: bool


def value_items(
    embeddings: Embeddings,
    labels: Labels,
    *,
    real: int,
    groups: NDArray[np.intp],
    texts: Sequence[str] | None,
    rng: np.random.Generator,
) -> Valuation:
    """Values of the items after the first `real`, which are trusted; `groups` (s,) numbers the generators."""
    evidence = gather_evidence(embeddings, labels, real=real, texts=texts, rng=rng)
    found = detect_faults(evidence, labels, real=real, groups=groups, texts=texts, rng=rng)
    columns = labels.classes[real:]
    values = np.zeros((1, len(columns)), dtype=np.float32) if found is None else 1.0 - 2.0 * found.harm
    value = values.mean(axis=0)
    low, high = np.percentile(values, (LOW, HIGH), axis=0) if found else (value - 1.0, value + 1.0)
    return Valuation(
        value=value.astype(np.float32),
        low=np.minimum(low, value).astype(np.float32),
        high=np.maximum(high, value).astype(np.float32),
        kinds=_UNKNOWN.repeat(len(columns), axis=0) if found is None else found.kinds,
        belief=np.exp(evidence.log_mean[real:]),
        support=evidence.votes[np.arange(real, len(labels)), columns],
        nearest_real=evidence.density[real:, 0],
        judged=found is not None,
    )
