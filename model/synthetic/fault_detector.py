"""Learns what faults look like from faults it makes itself, on real items whose labels are known to be right.

A real item with a label that is not its own shows what a wrong label looks like; one whose class, and whose
nearest real items, are taken away, what an off-topic item looks like; one with its text scrambled, or its
picture spoiled, what a garbled one looks like. A multinomial logistic regression learns them apart from
sound items; how common each is among the synthetic items is then found by generator, as label shift.
Nothing is tuned to the synthetic items' own faults, so the probability is one that can be acted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from model.heads.fitting import HeadFitter
from model.heads.single_label import softmax
from model.neighbours import Rows
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.synthetic.evidence import Evidence, ItemFeatures
from model.synthetic.label_shift import estimate_shares, posterior
from model.synthetic.text_statistics import scramble

SOUND, WRONG_LABEL, OFF_TOPIC, GARBLED = KINDS = ("sound", "wrong label", "off-topic", "garbled")
REPLICATES = 20  # bootstrap samples of the real items, from which the interval comes
WRONG_LABELS = 3  # made of each real item
MOST_REAL = 1500  # real items that faults are made of
NEAREST_GONE = (0.003, 0.1)  # share of the real items, the nearest, that an off-topic item has not got
_STRENGTH = 0.3  # inverse regularisation
_ENOUGH = 400.0  # real items beyond which more do not make the detector bolder: synthetic ones differ anyway
FEWEST = 8  # real items; with fewer nothing can be learned
_USUAL = (0.85, 0.05, 0.05, 0.05)  # shares of KINDS before a synthetic item is seen
_USUAL_ITEMS = 50.0  # as if so many items had been seen
_PRIOR_ITEMS = 20.0  # as if a generator had brought so many more items, as faulty as the others'
_BOLDNESS = 1.25  # undoes what holding the detector back costs in confidence
_LEAST = 1e-4


class AnyEvidence(Protocol):
    """Evidence about items that carry any kind of answer."""

    @property
    def features(self) -> ItemFeatures:
        """What does not depend on answers."""
        ...

    def of(self, rows: Rows, answers: NDArray[Any], /) -> Floats:
        """Evidence (m, f) about items carrying an answer each, with the wording in the last columns."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """For s synthetic items probabilities (s, 4) of KINDS; and of any fault in b replicates (b, s)."""

    kinds: Floats
    replicates: Floats

    @property
    def harm(self) -> Floats:
        """Probability that an item has any fault, (s,)."""
        return np.asarray(1.0 - self.kinds[:, 0], dtype=np.float32)


def detect_faults(
    evidence: Evidence,
    labels: Labels,
    *,
    real: int,
    groups: NDArray[np.intp],
    texts: Sequence[str] | None,
    rng: np.random.Generator,
    replicates: int = REPLICATES,
) -> Detection | None:
    """How likely each synthetic item has which fault; None when there are too few real items to learn from.

    The first `real` rows of labels and texts are trusted; `groups` (s,) numbers the others by generator.
    """
    if real < FEWEST:
        return None
    examples = _make_faults(evidence, labels, real=real, texts=texts, rng=rng)
    rows = np.arange(real, len(labels))
    mine = evidence.of(rows, labels.classes[rows])
    return learn_and_detect(examples, mine, groups=groups, rng=rng, replicates=replicates)


def learn_and_detect(
    examples: Examples,
    mine: Floats,
    *,
    groups: NDArray[np.intp],
    rng: np.random.Generator,
    replicates: int,
) -> Detection:
    """Learns faults from examples, and says how likely each item has which by its evidence `mine` (s, f)."""
    middle, spread = examples.evidence.mean(axis=0), examples.evidence.std(axis=0) + 1e-6
    logits = _learn(examples, mine, middle, spread, replicates, rng)  # (b, s, 4)
    kinds, shares = _adapt(softmax(_BOLDNESS * logits.mean(axis=0)), groups)
    harm = [1.0 - posterior(softmax(_BOLDNESS * part), shares)[:, 0] for part in logits]
    return Detection(kinds, np.stack(harm))


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Evidence (m, f), what it shows (m,) as a column of KINDS, and the real item it was made of (m,)."""

    evidence: Floats
    kinds: NDArray[np.intp]
    made_of: Rows


def _make_faults(
    evidence: Evidence,
    labels: Labels,
    *,
    real: int,
    texts: Sequence[str] | None,
    rng: np.random.Generator,
) -> Examples:
    rows = np.sort(rng.permutation(real)[:MOST_REAL])
    classes, width = labels.classes, len(labels.space)
    found = [(0, rows, evidence.of(rows, classes[rows]))]
    if width > 1:
        many = np.repeat(rows, min(WRONG_LABELS, width - 1))
        others = (classes[many] + rng.integers(1, width, len(many))) % width
        found.append((1, many, evidence.of(many, others)))
    found.append((2, rows, _away_from_real(evidence, rows, classes, width, rng)))
    if texts is not None:
        changed, seen = scrambled(evidence, rows, classes, texts, rng)
        found.append((3, changed, seen))
    if evidence.features.looks is not None:
        found.append((3, rows, spoiled(evidence, rows, classes)))
    return Examples(
        np.concatenate([part for _, _, part in found]),
        np.concatenate([np.full(len(made_of), kind) for kind, made_of, _ in found]),
        np.concatenate([made_of for _, made_of, _ in found]),
    )


def _away_from_real(
    evidence: Evidence, rows: Rows, classes: NDArray[np.intp], width: int, rng: np.random.Generator
) -> Floats:
    """Evidence of items of a class that nobody knows, carrying the label of another one."""
    least, most = NEAREST_GONE
    share = least * (most / least) ** rng.random(len(rows))
    dropped = np.ceil((len(evidence.features.known) - 2) * share).astype(np.intp)
    others = (classes[rows] + rng.integers(min(1, width - 1), width, len(rows))) % width
    return evidence.of_strangers(rows, others, unheard=classes[rows], dropped=dropped)


def scrambled(
    evidence: AnyEvidence,
    rows: Rows,
    answers: NDArray[Any],
    texts: Sequence[str],
    rng: np.random.Generator,
) -> tuple[Rows, Floats]:
    """Real items whose text scrambling changes, and their evidence with the wording of the scrambled text.

    `answers` (n,) or (n, c) say what each of all items carries, as the evidence wants it.
    """
    alphabet = sorted({letter for row in rows[:200] for letter in texts[row] if letter.isalpha()})
    garbled = [scramble(texts[row], alphabet, rng) for row in rows]
    changed = np.array([text != texts[row] for row, text in zip(rows, garbled, strict=True)], dtype=np.bool_)
    kept, said = rows[changed], [text for text, is_new in zip(garbled, changed, strict=True) if is_new]
    seen, words = evidence.of(kept, answers[kept]), evidence.features.words
    if words is not None and said:
        wording = words.of_made_up(said)
        seen[:, seen.shape[1] - wording.shape[1] :] = wording
    return kept, seen


def spoiled(evidence: AnyEvidence, rows: Rows, answers: NDArray[Any]) -> Floats:
    """Evidence (m, f) of real items as if their pictures were noisy, blurred or black in part.

    `answers` as in `scrambled`. Raises ValueError where the evidence is not of pictures.
    """
    looks = evidence.features.looks
    if looks is None:
        raise ValueError("spoiled: these items show no pictures")
    seen = evidence.of(rows, answers[rows])
    first = seen.shape[1] - evidence.features.manner.shape[1]
    seen[:, first : first + looks.spoiled_shares.shape[1]] = looks.spoiled_shares[rows]
    return seen


def _learn(
    examples: Examples,
    mine: Floats,
    middle: Floats,
    spread: Floats,
    replicates: int,
    rng: np.random.Generator,
) -> Floats:
    """Logits (b, s, 4) for the synthetic items: a detector for each bootstrap sample of the real ones."""
    scaled = ((examples.evidence - middle) / spread).astype(np.float32)
    asked = ((mine - middle) / spread).astype(np.float32)
    count = len(scaled)
    real = int(examples.made_of.max()) + 1
    weights = rng.poisson(1.0, size=(real, replicates))[examples.made_of].astype(np.float32)  # (m, b)
    enough = min(len(np.unique(examples.made_of)), _ENOUGH)
    for kind in range(len(KINDS)):
        of_kind = examples.kinds == kind
        weights[of_kind] *= enough / np.maximum(weights[of_kind].sum(axis=0), 1.0)
    ids = np.arange(count + len(asked))
    targets = np.zeros((len(ids), len(KINDS)), dtype=np.float32)
    targets[np.arange(count), examples.kinds] = 1.0
    fitter = HeadFitter(
        Embeddings(ids, np.concatenate([scaled, asked]), "evidence"),
        Labels(ids, targets, LabelSpace(KINDS)),
        name_vectors=None,
    )
    fit = fitter.fit(
        torch.from_numpy(np.concatenate([weights, np.zeros((len(asked), replicates), dtype=np.float32)])),
        prior_weights=torch.zeros(replicates),
        inverse_regularisation=_STRENGTH,
        tolerance=0.05,
        max_iterations=200,
    )
    logits: Floats = fit.logits[count:].transpose(0, 1).numpy()
    present = np.bincount(examples.kinds, minlength=len(KINDS)) > 0
    return np.where(present, logits, np.float32(-30.0))


def _adapt(probabilities: Floats, groups: NDArray[np.intp]) -> tuple[Floats, NDArray[np.float64]]:
    """Probabilities (s, 4) learned on equally many of each kind, for as many as each generator makes.

    And the shares (s, 4) of the kinds in each item's generator.
    """
    overall = estimate_shares(probabilities, np.array(_USUAL), items=_USUAL_ITEMS, least=_LEAST)
    shares = np.empty(probabilities.shape)
    for group in np.unique(groups):
        mine = groups == group
        shares[mine] = estimate_shares(probabilities[mine], overall, items=_PRIOR_ITEMS, least=_LEAST)
    return posterior(probabilities, shares), shares
