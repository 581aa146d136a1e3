"""The verdict on every synthetic item: helpful, redundant, harmful or not sure, with its reason in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.records import Embeddings, Floats, Labels
from model.synthetic.duplicates import Twins, find_twins
from model.synthetic.evidence import Background
from model.synthetic.fault_detector import KINDS, OFF_TOPIC
from model.synthetic.generator_effect import measure_effects
from model.synthetic.items import (
    HARMFUL,
    HELPFUL,
    REDUNDANT,
    UNSURE,
    JudgedItem,
    Judgement,
    RealItems,
    SyntheticItems,
    Verdict,
)
from model.synthetic.realism import Realism, measure_realism
from model.synthetic.reasons import Subject, explain
from model.synthetic.reviews import Review, apply_reviews, review_order
from model.synthetic.valuation import Valuation, value_items

WRONGLY_HARMFUL = 0.04  # expected share of sound items among those called harmful
CONTRADICTED = 0.97  # probability of a fault where a real item of the same words has another label


def judge(
    real: RealItems, synthetic: SyntheticItems, *, rng: np.random.Generator, reviews: Sequence[Review] = ()
) -> Judgement:
    """Judge every synthetic item by the real ones that are not in the audit.

    Labels share one space. The audit items say nothing of labels, so that what is kept can be measured on
    them; only a synthetic item that repeats one is redundant. Raises ValueError when rows do not match, a
    vector is not finite, or a row is not one-hot.
    """
    _require_judgeable(real, synthetic)
    if not len(synthetic):
        return Judgement((), Realism(0.5, 1.0, np.zeros(0, dtype=np.float32), ()))
    training, everyone = np.flatnonzero(~real.audit), np.arange(len(real.labels))
    training_labels = real.labels.take(training)
    groups = _groups(synthetic)
    valuation = value_items(
        _join(real.embeddings.take(training), synthetic.embeddings),
        _join_labels(training_labels, synthetic.labels),
        real=len(training),
        groups=groups,
        background=_background(real),
        texts=_texts(real, training, synthetic),
        rng=rng,
    )
    valuation = apply_reviews(valuation, synthetic.embeddings, synthetic.labels, groups, reviews)
    twins = find_twins(
        np.concatenate([real.embeddings.vectors, synthetic.embeddings.vectors]),
        np.concatenate([real.labels.classes, synthetic.labels.classes]),
        real=len(everyone),
        # The first of a set stays, unless it is more likely faulty than not and another is not.
        preference=np.concatenate([np.ones(len(everyone)), valuation.value > 0]).astype(np.float32),
        texts=_texts(real, everyone, synthetic),
        unlabelled=real.unlabelled,
        rng=rng,
    )
    findings = _weigh_generators(_collect(real, synthetic, valuation, twins), real, synthetic, rng)
    training_items = real.embeddings.take(training)
    realism = measure_realism(training_items, training_labels, synthetic.embeddings, synthetic.labels, rng)
    return Judgement(_write_items(real, synthetic, findings, realism), realism)


def _write_items(
    real: RealItems, synthetic: SyntheticItems, findings: _Findings, realism: Realism
) -> tuple[JudgedItem, ...]:
    verdicts = _decide(findings)
    valuation = findings.valuation
    ids = np.concatenate([real.embeddings.ids, synthetic.embeddings.ids])
    order = review_order(valuation, synthetic.embeddings, synthetic.labels, _groups(synthetic))
    subjects = _describe(synthetic.labels, findings, ids)
    return tuple(
        JudgedItem(
            id=int(synthetic.embeddings.ids[row]),
            verdict=verdicts[row],
            value=float(valuation.value[row]),
            low=float(valuation.low[row]),
            high=float(valuation.high[row]),
            realism=float(realism.items[row]),
            duplicate_of=subject.twin,
            reason=explain(verdicts[row], subject),
            review_order=float(order[row]),
        )
        for row, subject in enumerate(subjects)
    )


def _describe(labels: Labels, findings: _Findings, ids: NDArray[np.int64]) -> list[Subject]:
    valuation, names = findings.valuation, labels.space.names
    contradicted = findings.contradicted
    fault = valuation.kinds[:, 1:].argmax(axis=1) + 1
    believed = valuation.belief.argmax(axis=1)
    return [
        Subject(
            label=names[column],
            believed=names[believed[row]],
            belief=float(valuation.belief[row, believed[row]]),
            support=float(valuation.support[row]),
            nearest_real=float(valuation.nearest_real[row]),
            likeliest_fault=KINDS[fault[row]],
            fault=float((1.0 - valuation.value[row]) / 2.0),
            twin=int(ids[findings.twin[row]]) if findings.twin[row] >= 0 else None,
            twin_is_real=bool(findings.twin_is_real[row]),
            twin_is_exact=bool(findings.exact[row]),
            contradicted=bool(contradicted[row]),
            known_class=bool(findings.known_class[row]),
            overtaken=findings.overtaken[row],
            judged=valuation.judged,
        )
        for row, column in enumerate(labels.classes)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Findings:
    """All that is known of the s synthetic items before the verdict; twins are rows of real + synthetic.

    `overtaken` says why an item that is sound does no good any more; empty where it does.
    """

    valuation: Valuation
    twin: NDArray[np.intp]
    exact: NDArray[np.bool_]
    same_class: NDArray[np.bool_]
    twin_is_real: NDArray[np.bool_]
    known_class: NDArray[np.bool_]
    overtaken: tuple[str, ...]

    @property
    def contradicted(self) -> NDArray[np.bool_]:
        """Items that repeat a real item word for word, under another label."""
        return (self.twin >= 0) & self.exact & self.twin_is_real & ~self.same_class


def _collect(real: RealItems, synthetic: SyntheticItems, valuation: Valuation, twins: Twins) -> _Findings:
    first = len(real.labels)
    classes = np.concatenate([real.labels.classes, synthetic.labels.classes])
    twin = twins.of[first:]
    findings = _Findings(
        valuation,
        twin,
        twins.exact[first:],
        classes[twin] == synthetic.labels.classes,
        (twin >= 0) & (twin < first),
        np.isin(synthetic.labels.classes, real.labels.classes[~real.audit]),
        ("",) * len(synthetic),
    )
    return replace(findings, valuation=_contradict(valuation, findings.contradicted))


def _weigh_generators(
    findings: _Findings, real: RealItems, synthetic: SyntheticItems, rng: np.random.Generator
) -> _Findings:
    """The same findings, and which sound items real labels have overtaken."""
    groups, training = _groups(synthetic), np.flatnonzero(~real.audit)
    effects = measure_effects(
        real.embeddings.take(training),
        real.labels.take(training),
        synthetic.embeddings,
        synthetic.labels,
        groups=groups,
        chosen=np.array(_decide(findings)) == HELPFUL,
        rng=rng,
    )
    words = {group: effect.words for group, effect in effects.items() if effect.is_overtaken}
    known = zip(groups.tolist(), findings.known_class.tolist(), strict=True)
    return replace(findings, overtaken=tuple(words.get(group, "") if knows else "" for group, knows in known))


def _contradict(valuation: Valuation, contradicted: NDArray[np.bool_]) -> Valuation:
    """Values no higher than those of an item whose label a person has contradicted."""
    most = np.float32(1.0 - 2.0 * CONTRADICTED)
    value = np.where(contradicted, np.minimum(valuation.value, most), valuation.value)
    return replace(
        valuation,
        value=value,
        low=np.minimum(valuation.low, value),
        high=np.where(contradicted, np.minimum(np.maximum(valuation.high, value), most), valuation.high),
    )


def _decide(findings: _Findings) -> tuple[Verdict, ...]:
    """Harmful before redundant before helpful; what no rule settles is not sure."""
    valuation = findings.valuation
    harmful = _call_harmful(valuation.value) & (valuation.high < 0)
    # Far from all real items is where a new class must be: that alone is no fault.
    fault = valuation.kinds[:, 1:].argmax(axis=1) + 1
    harmful &= findings.known_class | (fault != KINDS.index(OFF_TOPIC))
    redundant = (findings.twin >= 0) & findings.same_class
    redundant |= (valuation.value > 0) & np.array([why != "" for why in findings.overtaken])
    chosen = np.select([harmful, redundant, valuation.low > 0], [HARMFUL, REDUNDANT, HELPFUL], UNSURE)
    return tuple(chosen.tolist())


def _call_harmful(value: Floats) -> NDArray[np.bool_]:
    """The largest set of lowest values among which at most 4 % are expected to be sound.

    A Bayesian false discovery rate (Newton et al., 2004).
    """
    sound = (1.0 + value.astype(np.float64)) / 2.0
    order = np.argsort(sound, kind="stable")
    expected = np.cumsum(sound[order]) / np.arange(1, len(sound) + 1)
    called = np.zeros(len(sound), dtype=np.bool_)
    called[order[: int((expected <= WRONGLY_HARMFUL).sum())]] = True
    return called & (value < 0)


def _groups(synthetic: SyntheticItems) -> NDArray[np.intp]:
    if synthetic.groups is None:
        return np.zeros(len(synthetic), dtype=np.intp)
    return synthetic.groups


def _texts(real: RealItems, rows: NDArray[np.intp], synthetic: SyntheticItems) -> list[str] | None:
    """Texts of these real items, then of the synthetic ones; None when a side has none."""
    if real.texts is None or synthetic.texts is None:
        return None
    return [*(real.texts[row] for row in rows), *synthetic.texts]


def _background(real: RealItems) -> Background:
    """Audit items and unlabelled ones; texts of the latter where both have them."""
    audit = np.flatnonzero(real.audit)
    vectors = real.embeddings.vectors[audit]
    texts = None if real.texts is None else [real.texts[row] for row in audit.tolist()]
    more = real.unlabelled
    if more is None:
        return Background(vectors, texts)
    both = None if texts is None or more.texts is None else [*texts, *more.texts]
    return Background(np.concatenate([vectors, more.embeddings.vectors]), both or texts)


def _join(real: Embeddings, synthetic: Embeddings) -> Embeddings:
    """Both in one, numbered anew: an id may stand on both sides."""
    vectors = np.concatenate([real.vectors, synthetic.vectors])
    return Embeddings(np.arange(len(vectors)), vectors, real.encoder)


def _join_labels(real: Labels, synthetic: Labels) -> Labels:
    targets = np.concatenate([real.targets, synthetic.targets])
    return Labels(np.arange(len(targets)), targets, real.space)


def _require_judgeable(real: RealItems, synthetic: SyntheticItems) -> None:
    if real.labels.space != synthetic.labels.space:
        raise ValueError("judge: real and synthetic labels do not share one label space")
    if real.audit.shape != (len(real.labels),) or real.audit.dtype != np.bool_:
        raise ValueError(
            f"judge: audit is {real.audit.dtype} {real.audit.shape} for {len(real.labels)} items"
        )
    if synthetic.groups is not None and len(synthetic.groups) != len(synthetic):
        raise ValueError(f"judge: {len(synthetic.groups)} groups for {len(synthetic)} synthetic items")
    for side, items in (("real", real), ("synthetic", synthetic)):
        if not np.array_equal(items.embeddings.ids, items.labels.ids):
            raise ValueError(
                f"judge: {side} embeddings and labels do not have the same ids in the same order"
            )
        if items.texts is not None and len(items.texts) != len(items.labels):
            raise ValueError(f"judge: {len(items.texts)} texts for {len(items.labels)} {side} items")
        if not np.isfinite(items.embeddings.vectors).all():
            raise ValueError(f"judge: a {side} embedding is not finite; embed these items again")
        targets = items.labels.targets
        one_hot = np.isin(targets, (0.0, 1.0)).all(axis=1) & (targets.sum(axis=1) == 1.0)
        if not one_hot.all():
            raise ValueError(f"judge: {int((~one_hot).sum())} {side} rows are not one-hot; repair them")
