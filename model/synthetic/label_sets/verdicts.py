"""The verdict on every synthetic item with a set of labels, with its reason in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from model.records import Floats
from model.synthetic.findings import Findings, combine, describe, write_items
from model.synthetic.items import Judgement, RealItems, SyntheticItems
from model.synthetic.joined import (
    background_of,
    find_repeats,
    groups_of,
    join_embeddings,
    join_shown,
    join_texts,
    require_judgeable,
    shows_pictures,
)
from model.synthetic.label_sets.valuation import value_sets
from model.synthetic.realism import Realism, measure_set_realism
from model.synthetic.reasons import Subject
from model.synthetic.reviews import Review, apply_reviews, review_order
from model.synthetic.valuation import Valuation

NONE_OF_THEM = "none of them"
FEWEST_REAL = 2  # items with a label; with fewer no head out of fold can have learned it


def judge_sets(
    real: RealItems, synthetic: SyntheticItems, *, rng: np.random.Generator, reviews: Sequence[Review] = ()
) -> Judgement:
    """Judge every synthetic item by the real ones that are not in the audit; targets are multi-hot.

    As `model.synthetic.verdicts.judge` does for one label. A set of labels is judged as a whole: it is
    faulty where a label is wrong or too many, or where labels that the item has are missing. What rests on a
    label that fewer than two real items have is not called harmful, unless a person says so. Raises
    ValueError when rows do not match, a vector is not finite, or a target is neither 0 nor 1.
    """
    require_judgeable(real, synthetic)
    if not len(synthetic):
        return Judgement((), Realism(0.5, 1.0, np.zeros(0, dtype=np.float32), ()))
    training = np.flatnonzero(~real.audit)
    training_items, training_labels = real.embeddings.take(training), real.labels.take(training)
    groups, items = groups_of(synthetic), synthetic.embeddings
    valuation = value_sets(
        join_embeddings(training_items, items),
        np.concatenate([training_labels.targets, synthetic.labels.targets]),
        real=len(training),
        groups=groups,
        background=background_of(real),
        texts=join_texts(real, training, synthetic),
        pictures=join_shown(real, training, synthetic),
        rng=rng,
    )
    rare = (synthetic.labels.targets > 0) & ((training_labels.targets > 0).sum(axis=0) < FEWEST_REAL)
    valuation = _leave_open(valuation, rare.any(axis=1))
    classes = _number_sets(np.concatenate([real.labels.targets, synthetic.labels.targets]))
    mine = classes[len(real.labels) :]
    valuation = apply_reviews(valuation, items, mine, groups, reviews)
    twins = find_repeats(real, synthetic, classes, valuation, rng)
    findings = combine(valuation, twins, classes, known=np.asarray(~rare.any(axis=1)))
    realism = measure_set_realism(training_items, training_labels, items, synthetic.labels, rng)
    judged = write_items(
        items.ids,
        findings,
        _describe(real, synthetic, findings, rare),
        realism=realism.items,
        order=review_order(findings.valuation, items, mine, groups),
    )
    return Judgement(judged, realism)


def _leave_open(valuation: Valuation, rare: NDArray[np.bool_]) -> Valuation:
    """Values whose interval holds 0 where a label (s,) is too rare to tell: only a person calls it wrong."""
    return replace(valuation, high=np.where(rare, np.maximum(valuation.high, 0.0), valuation.high))


def _number_sets(targets: Floats) -> NDArray[np.intp]:
    """Equal numbers for equal sets, (n,)."""
    _, numbers = np.unique(targets > 0, axis=0, return_inverse=True)
    return numbers.reshape(len(targets)).astype(np.intp)


def _describe(
    real: RealItems, synthetic: SyntheticItems, findings: Findings, rare: NDArray[np.bool_]
) -> list[Subject]:
    targets, names = synthetic.labels.targets, synthetic.labels.space.names
    belief, support = findings.valuation.belief, findings.valuation.support
    ids = np.concatenate([real.embeddings.ids, synthetic.embeddings.ids])
    labels = [_words(given, names) for given in (*real.labels.targets, *targets)]
    return [
        replace(
            subject,
            doubt=_doubt(targets[row], belief[row], float(support[row]), names),
            rare=", ".join(name for name, is_rare in zip(names, rare[row], strict=True) if is_rare),
        )
        for row, subject in enumerate(describe(findings, ids, labels, shows_pictures(real, synthetic)))
    ]


def _doubt(targets: Floats, belief: Floats, support: float, names: Sequence[str]) -> str:
    """What the model holds against a set: the label that it believes least, and what it misses most."""
    said = []
    has = targets > 0
    if has.any():
        least = int(np.where(has, belief, np.inf).argmin())
        said.append(f"the model believes {names[least]} with {belief[least]:.0%}")
    if not has.all():
        missed = int(np.where(has, -np.inf, belief).argmax())
        if belief[missed] > 0.5 or not said:
            said.append(f"{names[missed]}, which is not among them, with {belief[missed]:.0%}")
    return (
        f"Wrong labels? Intended {_words(targets, names)}; {' and '.join(said)}; "
        f"{support:.0%} of its neighbours have an intended label."
    )


def _words(targets: Floats, names: Sequence[str]) -> str:
    given = [name for name, value in zip(names, targets, strict=True) if value > 0]
    return ", ".join(given) or NONE_OF_THEM
