"""What each item with a set of labels is worth, from -1, sure to harm, to +1, sure to be sound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.records import Embeddings, Floats
from model.synthetic.evidence import Background, ItemFeatures, describe_items
from model.synthetic.fault_detector import FEWEST, Detection, learn_and_detect
from model.synthetic.label_sets.evidence import SetEvidence, gather_set_evidence, with_none
from model.synthetic.label_sets.fault_examples import make_set_faults
from model.synthetic.pictures import Pictures
from model.synthetic.valuation import FIRST_WEIGHT, LOOKS, Valuation, to_valuation


def value_sets(
    embeddings: Embeddings,
    targets: Floats,
    *,
    real: int,
    groups: NDArray[np.intp],
    background: Background,
    texts: Sequence[str] | None,
    pictures: Pictures | None = None,
    rng: np.random.Generator,
) -> Valuation:
    """Values of the items after the first `real`, which are trusted; targets (n, c) are multi-hot.

    `groups` (s,) numbers the generators. In the valuation `belief` (s, c) are chances out of fold, `support`
    (s,) is the mean share of neighbours that have an intended label.
    """
    features = describe_items(
        embeddings.vectors, real=real, background=background, texts=texts, pictures=pictures, rng=rng
    )
    evidence, found = _look_twice(
        embeddings, targets, features, real=real, groups=groups, texts=texts, rng=rng
    )
    sets = with_none(targets[real:])
    opinions = evidence.opinions
    chances = 0.5 * (1.0 + np.tanh(0.5 * opinions.logits[real:, :-1]))
    return to_valuation(
        found,
        belief=chances.astype(np.float32),
        support=((sets * opinions.votes[real:]).sum(axis=1) / sets.sum(axis=1)).astype(np.float32),
        nearest_real=features.density[real:, 0],
        oddness=features.oddness(np.arange(real, len(embeddings))),
    )


def _look_twice(
    embeddings: Embeddings,
    targets: Floats,
    features: ItemFeatures,
    *,
    real: int,
    groups: NDArray[np.intp],
    texts: Sequence[str] | None,
    rng: np.random.Generator,
) -> tuple[SetEvidence, Detection | None]:
    """The evidence when each synthetic item weighs as much as it looked sound at first, and what it shows."""
    sample_weights = np.ones(len(targets), dtype=np.float32)
    sample_weights[real:] = FIRST_WEIGHT
    found = None
    for most_repeats, replicates in LOOKS:
        evidence = gather_set_evidence(
            embeddings,
            targets,
            features,
            real=real,
            sample_weights=sample_weights,
            rng=rng,
            most_repeats=most_repeats,
        )
        if real < FEWEST:
            break
        examples = make_set_faults(evidence, targets, real=real, texts=texts, rng=rng)
        mine = evidence.of(np.arange(real, len(targets)), with_none(targets[real:]))
        found = learn_and_detect(examples, mine, groups=groups, rng=rng, replicates=replicates)
        sample_weights[real:] = 1.0 - found.harm
    return evidence, found
