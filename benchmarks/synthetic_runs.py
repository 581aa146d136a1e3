"""One run of each question about synthetic items, as numbers for JSON."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks.faults import EXACT_TWIN, REDUNDANT
from benchmarks.synthetic_rivals import score_rivals
from benchmarks.synthetic_sets import Draw, Encoder, Material, draw, draw_noisy, draw_simple
from model.heads.fitting import HeadFitter
from model.records import Embeddings, Labels
from model.synthetic import items as verdict
from model.synthetic.items import Judgement, RealItems, SyntheticItems
from model.synthetic.lift import INVERSE_REGULARISATION, fit_heads, measure_lift
from model.synthetic.verdicts import judge

Found = dict[str, Any]
Mask = NDArray[np.bool_]

OURS = "ours"
LIFT_REAL, LIFT_AUDIT, LIFT_MADE = 150, 150, 200
FAULTY = (0.0, 0.1, 0.3, 0.6, 0.9)


def measure_verdicts(
    material: Material, encoder: Encoder, *, faulty: float, seed: int, peers: Path | None
) -> Found:
    """How well faults and twins are found, and what is kept is worth, beside the rivals."""
    drawn = draw(material, encoder, faulty=faulty, seed=seed)
    started = time.process_time()
    judgement = judge(drawn.real, drawn.synthetic, rng=np.random.default_rng(seed))
    cpu_s = time.process_time() - started
    values = np.array([item.value for item in judgement.items])
    scores = {OURS: values} | score_rivals(drawn, np.random.default_rng(seed), peers=peers)
    harmful, count = drawn.harmful, int(drawn.harmful.sum())
    called = judgement.mask(verdict.HARMFUL)
    kept = {"everything": np.ones_like(harmful), "oracle": ~harmful, "nothing": np.zeros_like(harmful)}
    kept |= {OURS: judgement.auxiliary, "ours, all but harmful": ~called}
    kept["ours, called helpful alone"] = judgement.mask(verdict.HELPFUL)
    found: Found = {"auroc": {}, "at_count": {}}
    for name, score in scores.items():
        worst = np.argsort(score, kind="stable")[:count]
        found["auroc"][name] = float(roc_auc_score(~harmful, score))
        found["at_count"][name] = float(harmful[worst].mean())
        kept.setdefault(name, ~np.isin(np.arange(len(harmful)), worst))
    return found | {
        "kinds": {
            kind: float(roc_auc_score(drawn.kinds[~harmful | (drawn.kinds == kind)] != kind,
                                      values[~harmful | (drawn.kinds == kind)]))
            for kind in np.unique(drawn.kinds[harmful]).tolist()
        },
        "called": [int((called & harmful).sum()), int(called.sum()), count],
        "harmful_called_helpful": int((judgement.mask(verdict.HELPFUL) & harmful).sum()),
        "unsure": int(judgement.mask(verdict.UNSURE).sum()),
        "twins": {kind: count_twins(drawn, judgement, kind) for kind in REDUNDANT},
        "accuracy": measure_accuracy(drawn, kept),
        "cpu_s": round(cpu_s, 2),
    }  # fmt: skip


def count_twins(drawn: Draw, judgement: Judgement, kind: str) -> list[int]:
    """Twins of a kind that are called redundant, what is called a twin of that kind, and twins there are.

    Where the twin is kept and what it repeats is called redundant in its place, it is found as well. A twin
    of the other kind is neither right nor wrong.
    """
    redundant = judgement.mask(verdict.REDUNDANT)
    ids = drawn.synthetic.embeddings.ids
    place = {int(item): row for row, item in enumerate(ids)}
    says_same = np.array([item.reason.startswith("The same") for item in judgement.items])
    called, found = redundant & (says_same == (kind == EXACT_TWIN)), 0
    for row in np.flatnonzero(np.isin(drawn.kinds, REDUNDANT)):
        base = place.get(int(drawn.base[row]))
        swapped = base is not None and redundant[base] and judgement.items[base].duplicate_of == ids[row]
        if base is not None and swapped:
            called[base] = False
        called[row] = False
        found += (bool(redundant[row]) or swapped) and drawn.kinds[row] == kind
    return [int(found), int(found + called.sum()), int((drawn.kinds == kind).sum())]


def measure_accuracy(drawn: Draw, kept: dict[str, Mask]) -> dict[str, float]:
    """Accuracy on the test of a head that learned from the real items and what each has kept."""
    taught = np.flatnonzero(~drawn.real.audit)
    vectors = np.concatenate([drawn.real.embeddings.vectors[taught], drawn.synthetic.embeddings.vectors])
    targets = np.concatenate([drawn.real.labels.targets[taught], drawn.synthetic.labels.targets])
    ids = np.arange(len(vectors))
    weights = np.ones((len(ids), len(kept)), dtype=np.float32)
    weights[len(taught) :] = np.stack(list(kept.values()), axis=1)
    fitter = HeadFitter(
        Embeddings(ids, vectors, "frozen"), Labels(ids, targets, drawn.real.labels.space), name_vectors=None
    )
    fit = fitter.fit(
        torch.from_numpy(weights),
        prior_weights=torch.zeros(len(kept)),
        inverse_regularisation=INVERSE_REGULARISATION,
        tolerance=0.1,
    )
    accuracy = {}
    for number, name in enumerate(kept):
        head = fitter.head(fit, which=number, prior_weight=0.0, temperature=1.0)
        accuracy[name] = float((head.logits(drawn.test).argmax(axis=1) == drawn.test_classes).mean())
    return accuracy


def measure_noise(material: Material, *, seed: int) -> Found:
    """F1 of wrong labels among 1,000 items, at the method's own threshold and by two means of the rivals."""
    drawn = draw_noisy(material, seed=seed)
    judgement = judge(drawn.real, drawn.synthetic, rng=np.random.default_rng(seed))
    values = np.array([item.value for item in judgement.items])
    found = {"ours, own threshold": _f1(judgement.mask(verdict.HARMFUL), drawn.harmful)}
    found["ours, two means"] = _f1(two_means(values), drawn.harmful)
    for name, score in score_rivals(drawn, np.random.default_rng(seed)).items():
        found[name] = _f1(two_means(score), drawn.harmful)
    count = int(drawn.harmful.sum())
    at_count = float(drawn.harmful[np.argsort(values)[:count]].mean())
    return {"f1": found, "at_count": at_count}


def two_means(score: NDArray[np.float64]) -> Mask:
    """The lower of two clusters of a score, as OpenDataVal cuts (Jiang et al., 2023)."""
    low, high = float(score.min()), float(score.max())
    for _ in range(100):
        is_low = np.abs(score - low) < np.abs(score - high)
        if is_low.all() or not is_low.any():
            break
        low, high = float(score[is_low].mean()), float(score[~is_low].mean())
    return np.abs(score - low) < np.abs(score - high)


def measure_interval(material: Material, *, seed: int) -> Found:
    """The lift of a generator with some share of faults as the audit shows it, and on the whole test."""
    drawn = draw_simple(
        material, real=LIFT_REAL, audit=LIFT_AUDIT, made=LIFT_MADE, faulty=FAULTY[seed % 5], seed=seed
    )
    everything = np.ones(len(drawn.kinds), dtype=np.bool_)
    return _lift(drawn, drawn.synthetic, everything, seed)


def measure_null(material: Material, *, seed: int, with_verdicts: bool) -> Found:
    """The lift of a generator that only repeats real items, and how many of its items are called helpful."""
    drawn = draw_simple(material, real=LIFT_REAL, audit=LIFT_AUDIT, made=1, faulty=0.0, seed=seed)
    taught = np.flatnonzero(~drawn.real.audit)
    rows = np.random.default_rng(seed).choice(taught, LIFT_MADE)
    ids = 1_000_000 + np.arange(LIFT_MADE)
    real = drawn.real
    copies = SyntheticItems(
        Embeddings(ids, real.embeddings.vectors[rows], "frozen"),
        Labels(ids, real.labels.targets[rows], real.labels.space),
        texts=[real.texts[row] for row in rows] if real.texts is not None else None,
    )
    found = _lift(drawn, copies, np.ones(LIFT_MADE, dtype=np.bool_), seed)
    if with_verdicts:
        judgement = judge(real, copies, rng=np.random.default_rng(seed))
        found["called_helpful"] = float(judgement.mask(verdict.HELPFUL).mean())
    return found


def measure_seconds(material: Material, *, made: int, real: int = 500) -> Found:
    """Seconds of CPU and of the clock to judge so many items with texts."""
    drawn = draw_simple(material, real=real, audit=200, made=made, faulty=0.2, seed=0)
    cpu, clock = time.process_time(), time.perf_counter()
    judge(drawn.real, drawn.synthetic, rng=np.random.default_rng(0))
    return {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - clock}


def _lift(drawn: Draw, synthetic: SyntheticItems, chosen: Mask, seed: int) -> Found:
    real: RealItems = drawn.real
    lift = measure_lift(real, synthetic, chosen, rng=np.random.default_rng(seed))
    heads = fit_heads(real, synthetic, np.flatnonzero(chosen))
    right = [(head.logits(drawn.test).argmax(axis=1) == drawn.test_classes).mean() for head in heads]
    return {"mean": lift.mean, "low": lift.low, "high": lift.high, "true": float(right[1] - right[0])}


def _f1(flagged: Mask, wrong: Mask) -> float:
    return float(2.0 * (flagged & wrong).sum() / max(flagged.sum() + wrong.sum(), 1))
