"""The verdict on every synthetic item: helpful, redundant, harmful or not sure, with its reason in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from model.synthetic.fault_detector import KINDS, OFF_TOPIC
from model.synthetic.findings import Findings, combine, decide, describe, write_items
from model.synthetic.generator_effect import Effect, measure_effects
from model.synthetic.items import HARMFUL, HELPFUL, Judgement, RealItems, SyntheticItems
from model.synthetic.joined import (
    background_of,
    find_repeats,
    groups_of,
    join_embeddings,
    join_labels,
    join_shown,
    join_texts,
    require_judgeable,
    shows_pictures,
)
from model.synthetic.realism import Realism, measure_realism
from model.synthetic.reasons import Subject
from model.synthetic.reviews import Review, apply_reviews, review_order
from model.synthetic.valuation import value_items

MOST_OFF_TOPIC = 0.5  # share of a generator's items beyond which being far from real ones is its manner


def judge(
    real: RealItems, synthetic: SyntheticItems, *, rng: np.random.Generator, reviews: Sequence[Review] = ()
) -> Judgement:
    """Judge every synthetic item by the real ones that are not in the audit.

    Labels share one space. The audit items say nothing of labels, so that what is kept can be measured on
    them; only a synthetic item that repeats one is redundant. Raises ValueError when rows do not match, a
    vector is not finite, or a row is not one-hot.
    """
    require_judgeable(real, synthetic)
    _require_one_label(real, synthetic)
    if not len(synthetic):
        return Judgement((), Realism(0.5, 1.0, np.zeros(0, dtype=np.float32), ()))
    training = np.flatnonzero(~real.audit)
    training_labels = real.labels.take(training)
    groups = groups_of(synthetic)
    valuation = value_items(
        join_embeddings(real.embeddings.take(training), synthetic.embeddings),
        join_labels(training_labels, synthetic.labels),
        real=len(training),
        groups=groups,
        background=background_of(real),
        texts=join_texts(real, training, synthetic),
        pictures=join_shown(real, training, synthetic),
        rng=rng,
    )
    valuation = apply_reviews(valuation, synthetic.embeddings, synthetic.labels.classes, groups, reviews)
    classes = np.concatenate([real.labels.classes, synthetic.labels.classes])
    twins = find_repeats(real, synthetic, classes, valuation, rng)
    known = np.isin(synthetic.labels.classes, training_labels.classes)
    findings = _weigh_generators(combine(valuation, twins, classes, known=known), real, synthetic, rng)
    findings = _allow_manners(findings, real, synthetic, rng)
    training_items = real.embeddings.take(training)
    realism = measure_realism(training_items, training_labels, synthetic.embeddings, synthetic.labels, rng)
    items = write_items(
        synthetic.embeddings.ids,
        findings,
        _describe(real, synthetic, findings),
        realism=realism.items,
        order=review_order(findings.valuation, synthetic.embeddings, synthetic.labels.classes, groups),
    )
    return Judgement(items, realism)


def _describe(real: RealItems, synthetic: SyntheticItems, findings: Findings) -> list[Subject]:
    names, belief = synthetic.labels.space.names, findings.valuation.belief
    ids = np.concatenate([real.embeddings.ids, synthetic.embeddings.ids])
    labels = [names[column] for items in (real, synthetic) for column in items.labels.classes.tolist()]
    believed = belief.argmax(axis=1).tolist()
    return [
        replace(subject, believed=names[column], belief=float(belief[row, column]))
        for row, (subject, column) in enumerate(
            zip(describe(findings, ids, labels, shows_pictures(real, synthetic)), believed, strict=True)
        )
    ]


def _weigh_generators(
    findings: Findings, real: RealItems, synthetic: SyntheticItems, rng: np.random.Generator
) -> Findings:
    """The same findings, and which sound items real labels have overtaken."""
    effects = _measure(real, synthetic, np.array(decide(findings)) == HELPFUL, rng)
    words = {group: effect.words for group, effect in effects.items() if effect.is_overtaken}
    known = zip(groups_of(synthetic).tolist(), findings.known_class.tolist(), strict=True)
    return replace(findings, overtaken=tuple(words.get(group, "") if knows else "" for group, knows in known))


def _allow_manners(
    findings: Findings, real: RealItems, synthetic: SyntheticItems, rng: np.random.Generator
) -> Findings:
    """Where most of a generator's items would be harmful for being far from real ones, its effect decides.

    Then the generator as a whole has another manner (digits of fonts beside handwritten ones), which may
    teach all the same: its items are called off-topic only where real labels show that they harm.
    """
    far = findings.likeliest_fault == KINDS.index(OFF_TOPIC)
    far &= np.array(decide(findings)) == HARMFUL
    groups = groups_of(synthetic)
    is_most = np.bincount(groups, weights=far) > MOST_OFF_TOPIC * np.bincount(groups)
    in_doubt = is_most[groups]
    if not in_doubt.any():
        return findings
    effects = _measure(real, synthetic, in_doubt, rng)
    harm = [group for group, effect in effects.items() if effect.is_overtaken]
    return replace(findings, of_its_manner=in_doubt & far & ~np.isin(groups, harm))


def _measure(
    real: RealItems, synthetic: SyntheticItems, chosen: NDArray[np.bool_], rng: np.random.Generator
) -> dict[int, Effect]:
    """What the chosen items (s,) of each generator do to a head of the real ones, the audit left out."""
    training = np.flatnonzero(~real.audit)
    return measure_effects(
        real.embeddings.take(training),
        real.labels.take(training),
        synthetic.embeddings,
        synthetic.labels,
        groups=groups_of(synthetic),
        chosen=chosen,
        rng=rng,
    )


def _require_one_label(real: RealItems, synthetic: SyntheticItems) -> None:
    for side, items in (("real", real), ("synthetic", synthetic)):
        several = items.labels.targets.sum(axis=1) != 1.0
        if several.any():
            raise ValueError(f"judge: {int(several.sum())} {side} rows are not one-hot; repair them")
