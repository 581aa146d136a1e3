"""Learns what a near twin looks like from twins it makes itself of real texts, beside natural neighbours.

People who write of one thing come to like sentences, so likeness alone does not make a twin: what counts is
how much more alike two texts are than a real one and its nearest other one usually are. A logistic regression
tells made twins from natural neighbours; how common twins are among the synthetic items is then found as
label shift.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.heads.fitting import fit_head
from model.heads.single_label import softmax
from model.neighbours import Rows
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.synthetic.label_shift import estimate_shares, posterior
from model.synthetic.likeness import Contents, Parts
from model.synthetic.text_statistics import paired_cosines

FEWEST = 30  # natural pairs from which something can be learned
MOST_MADE = 1500  # twins
LEAST_LIKE = 0.3  # cosine of contents under which two texts are no twins
SURELY_LIKE = 0.9  # from which they are, where there is too little to learn from
_COMMON = 60  # parts that are put in each other's place, the most frequent ones
_MOST_EXCHANGED = 0.5  # of these
_ADDED = 3  # parts at most, from where another text opens or ends
_STRENGTH = 1.0  # inverse regularisation
_USUAL, _USUAL_ITEMS = 0.05, 50.0  # share of twins before an item is seen, as if so many had been


class Alike:
    """For each of some texts the likest other one and how like the next is, by the cosine of contents.

    Texts with the same words as the text itself, or as the likest, do not count.
    """

    def __init__(self, contents: Contents, words: NDArray[np.intp], rows: Rows, candidates: Rows) -> None:
        """Take n contents, equal numbers (n,) for equal texts, some rows (m,), and others (m, k) or -1."""
        self.contents, self.rows, self.candidates = contents, rows, candidates
        self._words = words
        there = candidates >= 0
        cosines = np.full(candidates.shape, -1.0, dtype=np.float32)
        left = np.repeat(rows, candidates.shape[1]).reshape(candidates.shape)
        cosines[there] = paired_cosines(contents.rows, left[there], candidates[there])
        cosines[words[candidates] == words[rows][:, None]] = -1.0
        best = cosines.argmax(axis=1)
        here = np.arange(len(rows))
        total = len(words)
        self._first, self._second = np.zeros(total, dtype=np.float32), np.zeros(total, dtype=np.float32)
        self._likest = np.full(total, -1, dtype=np.intp)
        likest, first = candidates[here, best], cosines[here, best]
        self._likest[rows] = np.where(first >= LEAST_LIKE, likest, -1)
        self._first[rows] = np.maximum(first, 0.0)
        others = np.where(words[candidates] == words[likest][:, None], 0.0, cosines)
        self._second[rows] = np.maximum(others.max(axis=1), 0.0)

    def pairs(self, rows: Rows) -> tuple[Rows, Rows]:
        """Those of the rows that are like another at all, and which."""
        left = rows[self._likest[rows] >= 0]
        return left, self._likest[left]

    def likest_cosine(self, rows: Rows) -> Floats:
        """Cosine of each row to its likest, 0 where it has none."""
        return self._first[rows]

    def weigh(self, left: Rows, right: Rows) -> Floats:
        """What speaks for each pair being twins, (m, 10): likeness, and how far ahead of the next best."""
        cosine = paired_cosines(self.contents.rows, left, right)
        parts = self.contents.parts
        compared = [self.contents.compare(parts[a], parts[b]) for a, b in zip(left, right, strict=True)]
        ahead = [cosine - self._next(left, right), cosine - self._next(right, left)]
        return _columns(compared, cosine, ahead)

    def _next(self, asking: Rows, other: Rows) -> Floats:
        """Cosine of each asking row to its likest but for the other row."""
        is_likest = (self._likest[asking] >= 0) & (self._words[self._likest[asking]] == self._words[other])
        return np.asarray(np.where(is_likest, self._second[asking], self._first[asking]), dtype=np.float32)


def _columns(compared: list[list[float]], cosine: Floats, ahead: Sequence[Floats]) -> Floats:
    shared = np.array(compared).reshape(-1, 7)
    columns: Floats = np.concatenate([shared, np.stack([cosine, *ahead], axis=1)], axis=1).astype(np.float32)
    return columns


def call_twins(
    asked: Alike, rows: Rows, natural: Alike, rng: np.random.Generator
) -> tuple[Rows, Rows, Floats]:
    """Of these rows the twins, what each repeats, and the cosine of their contents.

    What twins look like is learned from `natural`, the likest of real texts to each other.
    """
    left, right = asked.pairs(rows)
    known = natural.pairs(natural.rows)
    if not len(left):
        return left, right, np.zeros(0, dtype=np.float32)
    if len(known[0]) < FEWEST:
        called = asked.likest_cosine(left) >= SURELY_LIKE
    else:
        odds = _learn(natural.weigh(*known), _weigh_made(natural, rng), asked.weigh(left, right))
        called = _cut(odds, len(rows))
    return left[called], right[called], asked.likest_cosine(left[called])


def _weigh_made(natural: Alike, rng: np.random.Generator) -> Floats:
    """What speaks for twins made of real texts, (m, 10); the next best is sought among these' neighbours."""
    contents = natural.contents
    common = np.argsort(contents.rarity, kind="stable")[:_COMMON]
    made, base = [], []
    for place in rng.permutation(len(natural.rows))[:MOST_MADE]:
        parts = contents.parts[natural.rows[place]]
        other = contents.parts[natural.rows[rng.integers(len(natural.rows))]]
        twin = rewrite(parts, other, common, rng)
        if not np.array_equal(twin, parts):
            made.append(twin)
            base.append(place)
    places, vectors = np.array(base, dtype=np.intp), contents.vectors_of(made)
    rows, near = natural.rows[places], natural.candidates[places]
    repeated = np.repeat(np.arange(len(made)), near.shape[1])
    cosines = paired_cosines(vectors, repeated, near.ravel(), contents.rows).reshape(near.shape)
    next_best = np.where(near >= 0, cosines, 0.0).max(axis=1, initial=0.0)
    cosine = paired_cosines(vectors, np.arange(len(made)), rows, contents.rows)
    compared = [contents.compare(twin, contents.parts[row]) for twin, row in zip(made, rows, strict=True)]
    return _columns(compared, cosine, [cosine - next_best, cosine - natural.likest_cosine(rows)])


def rewrite(parts: Parts, other: Parts, common: Parts, rng: np.random.Generator) -> Parts:
    """The same with common words exchanged, words dropped or moved, and what opens or ends another text."""
    share = _MOST_EXCHANGED * rng.random()
    exchanged = np.isin(parts, common) & (rng.random(len(parts)) < share)
    said = np.where(exchanged, common[rng.integers(len(common), size=len(parts))], parts).tolist()
    for _ in range(1 + len(said) // 10):
        if len(said) > 3 and rng.random() < 0.5:
            said.pop(int(rng.integers(len(said))))
        if len(said) > 2 and rng.random() < 0.5:
            place = int(rng.integers(len(said) - 1))
            said[place], said[place + 1] = said[place + 1], said[place]
    added, way = int(rng.integers(1, _ADDED + 1)), int(rng.integers(3))
    opening = other[:added].tolist() if way == 0 else []
    ending = other[-added:].tolist() if way == 1 else []
    return np.array([*opening, *said, *ending], dtype=np.intp)


def _cut(odds: NDArray[np.float64], items: int) -> NDArray[np.bool_]:
    """The pairs (m,) with the best expected F1; items that have no pair are no twins."""
    likelihoods = np.zeros((items, 2))  # of being no twin, and a twin
    likelihoods[:, 0], likelihoods[: len(odds), 1] = 1.0, odds
    shares = estimate_shares(likelihoods, np.array([1.0 - _USUAL, _USUAL]), items=_USUAL_ITEMS)
    likely = posterior(likelihoods[: len(odds)], shares)[:, 1]
    order = np.argsort(-likely, kind="stable")
    expected = 2.0 * np.cumsum(likely[order]) / (np.arange(1, len(order) + 1) + likely.sum())
    called = np.zeros(len(odds), dtype=np.bool_)
    called[order[: int(expected.argmax()) + 1]] = True
    return called


def _learn(natural: Floats, made: Floats, asked: Floats) -> NDArray[np.float64]:
    """How many times likelier each asked pair (m,) is among made twins than among natural neighbours."""
    examples = np.concatenate([natural, made])
    middle, spread = examples.mean(axis=0), examples.std(axis=0) + 1e-6
    ids = np.arange(len(examples))
    targets = np.eye(2, dtype=np.float32)[(ids >= len(natural)).astype(np.intp)]
    head = fit_head(
        Embeddings(ids, ((examples - middle) / spread).astype(np.float32), "likeness"),
        Labels(ids, targets, LabelSpace(("natural", "twin"))),
        inverse_regularisation=_STRENGTH,
    )
    believed = softmax(head.logits(((asked - middle) / spread).astype(np.float32)))
    chance = np.clip(believed[:, 1].astype(np.float64), 1e-6, 1.0 - 1e-6)
    odds: NDArray[np.float64] = chance / (1.0 - chance) * len(natural) / max(len(made), 1)
    return odds
