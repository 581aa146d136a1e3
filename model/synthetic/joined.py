"""Real and synthetic items seen together, and what must hold of both before they are judged."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.records import Embeddings, Labels
from model.synthetic.duplicates import Twins, find_twins
from model.synthetic.evidence import Background
from model.synthetic.items import RealItems, SyntheticItems
from model.synthetic.pictures import Pictures, join_pictures
from model.synthetic.valuation import Valuation


def groups_of(synthetic: SyntheticItems) -> NDArray[np.intp]:
    """The number of each item's generator (s,); one for all where nobody numbered them."""
    if synthetic.groups is None:
        return np.zeros(len(synthetic), dtype=np.intp)
    return synthetic.groups


def join_texts(real: RealItems, rows: NDArray[np.intp], synthetic: SyntheticItems) -> list[str] | None:
    """Texts of these real items, then of the synthetic ones; None when a side has none, or all are empty."""
    if real.texts is None or synthetic.texts is None:
        return None
    texts = [*(real.texts[row] for row in rows), *synthetic.texts]
    return texts if any(text.strip() for text in texts) else None


def join_shown(real: RealItems, rows: NDArray[np.intp], synthetic: SyntheticItems) -> Pictures | None:
    """Pictures of these real items, then of the synthetic ones; None when a side has none."""
    if real.pictures is None or synthetic.pictures is None:
        return None
    return join_pictures(real.pictures.take(rows), synthetic.pictures)


def shows_pictures(real: RealItems, synthetic: SyntheticItems) -> NDArray[np.bool_]:
    """Which synthetic items (s,) were judged by pictures that they show."""
    if real.pictures is None or synthetic.pictures is None:
        return np.zeros(len(synthetic), dtype=np.bool_)
    return synthetic.pictures.counts > 0


def background_of(real: RealItems) -> Background:
    """Audit items and unlabelled ones; texts and pictures of the latter where both have them."""
    audit = np.flatnonzero(real.audit)
    vectors = real.embeddings.vectors[audit]
    texts = None if real.texts is None else [real.texts[row] for row in audit.tolist()]
    statistics = None if real.pictures is None else real.pictures.statistics[audit]
    more = real.unlabelled
    if more is None:
        return Background(vectors, texts, statistics)
    both = None if texts is None or more.texts is None else [*texts, *more.texts]
    if statistics is not None and more.pictures is not None:
        statistics = np.concatenate([statistics, more.pictures.statistics])
    return Background(np.concatenate([vectors, more.embeddings.vectors]), both or texts, statistics)


def join_embeddings(real: Embeddings, synthetic: Embeddings) -> Embeddings:
    """Both in one, numbered anew: an id may stand on both sides."""
    vectors = np.concatenate([real.vectors, synthetic.vectors])
    return Embeddings(np.arange(len(vectors)), vectors, real.encoder)


def join_labels(real: Labels, synthetic: Labels) -> Labels:
    """Both in one, numbered anew."""
    targets = np.concatenate([real.targets, synthetic.targets])
    return Labels(np.arange(len(targets)), targets, real.space)


def find_repeats(
    real: RealItems,
    synthetic: SyntheticItems,
    classes: NDArray[np.intp],
    valuation: Valuation,
    rng: np.random.Generator,
) -> Twins:
    """What every item repeats, the real ones first; those of equal `classes` (r + s,) have one answer.

    Of a set of twins the first stays, unless it is more likely faulty than not and another is not.
    """
    everyone = np.arange(len(real.labels))
    return find_twins(
        np.concatenate([real.embeddings.vectors, synthetic.embeddings.vectors]),
        classes,
        real=len(everyone),
        preference=np.concatenate([np.ones(len(everyone)), valuation.value > 0]).astype(np.float32),
        texts=join_texts(real, everyone, synthetic),
        pictures=join_shown(real, everyone, synthetic),
        unlabelled=real.unlabelled,
        rng=rng,
    )


def require_judgeable(real: RealItems, synthetic: SyntheticItems) -> None:
    """Raises ValueError when rows do not match, a vector is not finite, or a target is neither 0 nor 1."""
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
        if items.pictures is not None and len(items.pictures) != len(items.labels):
            raise ValueError(f"judge: pictures of {len(items.pictures)} of {len(items.labels)} {side} items")
        if not np.isfinite(items.embeddings.vectors).all():
            raise ValueError(f"judge: a {side} embedding is not finite; embed these items again")
        if not np.isin(items.labels.targets, (0.0, 1.0)).all():
            raise ValueError(f"judge: a target of the {side} items is neither 0 nor 1; repair it")
