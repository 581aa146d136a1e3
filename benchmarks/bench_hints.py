"""Keywords of labels: what they are worth before the first label, and how soon wrong ones are outvoted.

python -m benchmarks.bench_hints [FOLDER] [--intents FILE] [--seeds N]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.figures import Bench
from benchmarks.hint_sets import HintSet, load_hint_sets
from model.encoders.keywords import find_keywords
from model.heads.keywords import KeywordHits, join_keywords, keyword_weights
from model.heads.single_label import NAME_SCALE
from model.records import Embeddings, Floats, Labels
from model.task_type import Learner, Trained
from model.tasks.f1_interval import micro_f1
from model.tasks.several_choices import SeveralChoices
from model.tasks.single_choice import SingleChoice

COUNTS = (0, 10, 50, 200)
TEST = 1500
HIT = 0.3  # length of the column that says whether an item holds a keyword of a label
HIT_LOGITS = 3.0  # what such a hit adds before any label
NAMES, OURS = "names alone", "keywords as prototypes (ours)"
WRONG = "ours, each label with another one's keywords"
SPOKEN, EXPLICIT = "keywords as text beside the name", "keywords as columns of hits"

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Score:
    """The figure on test rows, how much higher it is out of fold, and on test rows again: mean confidence in
    the answers and share of them that are right in every part.
    """

    figure: float
    optimism: float
    sure: float
    right: float


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """A set with its pool (hits by its rows), the labels known of it, and rows to test on."""

    texts: HintSet
    pool: Rows
    known: Rows
    test: Rows
    hits: KeywordHits
    wrong: KeywordHits

    def weights(self, hits: KeywordHits) -> Floats:
        """What the keywords are worth by the known labels."""
        return keyword_weights(hits.found[self.known], hits.columns, self.texts.targets[self.known])

    def joined(self, hits: KeywordHits) -> Floats:
        """Names with prototypes of the pool's items."""
        of_pool = KeywordHits(hits.found[self.pool], hits.columns)
        vectors = self.texts.vectors[self.pool]
        return join_keywords(self.texts.names, vectors, of_pool, self.weights(hits))


Seen = tuple[Floats, Floats]  # vectors of all items, and of all names
WAYS: dict[str, Callable[[Draw], Seen]] = {
    NAMES: lambda draw: (draw.texts.vectors, draw.texts.names),
    OURS: lambda draw: (draw.texts.vectors, draw.joined(draw.hits)),
    SPOKEN: lambda draw: (draw.texts.vectors, _unit(draw.texts.names + draw.texts.spoken)),
    EXPLICIT: lambda draw: _with_hits(draw),
    WRONG: lambda draw: (draw.texts.vectors, draw.joined(draw.wrong)),
}


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/several"))
    parser.add_argument("--intents", type=Path, help="texts of one label each as JSON lines, like banking77")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    sets = load_hint_sets(options.folder, intents=options.intents)
    if not sets:
        print("hints: no set is there, left out")
        return
    bench = Bench("hints", "Keywords of labels: accuracy or micro F1 after so many labels drawn at random")
    for texts in sets:
        _report_keywords(bench, texts)
        _run(bench, texts, options.seeds)
    bench.finish()


def _report_keywords(bench: Bench, texts: HintSet) -> None:
    hits = texts.hits()
    right = [texts.targets[hits.found[:, at], column] for at, column in enumerate(hits.columns)]
    precision = float(np.mean([values.mean() for values in right if len(values)]))
    held = float(hits.found.sum(axis=0).mean())
    words = [word for of_label in texts.keywords for word in of_label]
    began = time.process_time()
    find_keywords(texts.texts, words)
    seconds = 1000.0 * (time.process_time() - began) / len(texts.texts)
    bench.add(
        f"{texts.name}: {len(words)} keywords of {len(texts.space)} labels",
        f"each in {held:.0f} of {len(texts.texts)} texts, {100 * precision:.0f} % of them of its label; "
        f"{seconds:.2f} s of processor for 1,000 texts",
    )
    bench.raw[f"{texts.name}, keywords"] = dict(zip(texts.space.names, texts.keywords, strict=True))


def _run(bench: Bench, texts: HintSet, seeds: int) -> None:
    scores: dict[str, list[list[Score]]] = {way: [] for way in WAYS}
    for seed in range(seeds):
        for way, found in _scores(texts, seed).items():
            scores[way].append(found)
        bench.say(f"{texts.name}: seed {seed} measured")
    means = {
        way: np.mean([[one.figure for one in scores_of_seed] for scores_of_seed in found], axis=0)
        for way, found in scores.items()
    }
    figure, counts = "accuracy" if texts.is_single else "micro F1", "/".join(map(str, COUNTS))
    for way, values in means.items():
        shown = ", ".join(f"{value:.3f}" for value in values) + "; " + _beside(scores[way])
        what = f"{texts.name}, {figure} at {counts} labels: {way}"
        if way == OURS:
            reached = bool((values > means[NAMES]).all())
            bench.check(what, shown, target="above names alone", reached=reached)
        elif way == WRONG:
            reached = bool((values[2:] >= means[NAMES][2:] - 0.02).all())
            bench.check(what, shown, target="names alone less .02 from 50 labels on", reached=reached)
        else:
            bench.add(what, shown)
    bench.raw[texts.name] = {
        way: [[asdict(one) for one in of_seed] for of_seed in found] for way, found in scores.items()
    }


def _beside(found: list[list[Score]]) -> str:
    """How sure the first head is beside how right, and whether figures out of fold can be believed."""
    sure, right = (
        100.0 * float(np.mean([getattr(of_seed[0], name) for of_seed in found])) for name in ("sure", "right")
    )
    optimism = float(np.mean([of_seed[-1].optimism for of_seed in found]))
    first, last = COUNTS[0], COUNTS[-1]
    return f"at {first} sure of {sure:.0f} %, right {right:.0f} %; at {last} out of fold {optimism:+.3f}"


def _scores(texts: HintSet, seed: int) -> dict[str, list[Score]]:
    """By way: the scores after each count of labels."""
    order = np.random.default_rng([5, seed]).permutation(len(texts.vectors))
    test, pool = order[:TEST], order[TEST:]
    right, wrong = texts.hits(), texts.hits(shift=1)
    draws = [Draw(texts, pool, pool[:count], test, right, wrong) for count in COUNTS]
    return {way: [_score(draw, *see(draw)) for draw in draws] for way, see in WAYS.items()}


def _score(draw: Draw, vectors: Floats, names: Floats) -> Score:
    texts, known = draw.texts, draw.known
    trained = _train(draw, vectors, names)
    items = Embeddings(draw.test.astype(np.int64), vectors[draw.test], "bench")
    beliefs, targets = trained.head.believe(items, "bench"), texts.targets[draw.test]
    figure, optimism = _figure(texts, beliefs.answers, targets), 0.0
    if len(known):
        optimism = _figure(texts, trained.out_of_fold.answers, texts.targets[known]) - figure
    right = float((beliefs.answers == targets).all(axis=1).mean())
    return Score(figure, optimism, float(beliefs.confidence.mean(dtype=np.float64)), right)


def _train(draw: Draw, vectors: Floats, names: Floats) -> Trained:
    texts, known = draw.texts, draw.known
    learner: Learner = SingleChoice() if texts.is_single else SeveralChoices()
    if not len(known):
        started = learner.cold_start(names, texts.space)
        if started is None:
            raise ValueError("there is no head without labels")
        return started
    ids = known.astype(np.int64)
    return learner.train(
        Embeddings(ids, vectors[known], "bench"),
        Labels(ids, texts.targets[known], texts.space),
        names=names,
        audit=np.zeros(len(known), dtype=np.bool_),
        rng=np.random.default_rng(0),
    )


def _figure(texts: HintSet, answers: Floats, targets: Floats) -> float:
    if texts.is_single:
        return float((answers.argmax(axis=1) == targets.argmax(axis=1)).mean())
    return micro_f1(answers, targets)


def _with_hits(draw: Draw) -> Seen:
    """A column for each label that says how much its keywords in an item count, beside the vectors."""
    weights = draw.weights(draw.hits)
    columns = np.zeros((len(draw.texts.vectors), len(draw.texts.space)), dtype=np.float32)
    for at, column in enumerate(draw.hits.columns):
        columns[:, column] = np.maximum(columns[:, column], weights[at] * draw.hits.found[:, at])
    own = np.eye(len(draw.texts.space), dtype=np.float32) * np.float32(HIT_LOGITS / NAME_SCALE / HIT)
    vectors = np.concatenate([draw.texts.vectors, np.float32(HIT) * columns], axis=1)
    return vectors, np.concatenate([draw.texts.names, own], axis=1)


def _unit(vectors: Floats) -> Floats:
    lengths: Floats = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


if __name__ == "__main__":
    main()
