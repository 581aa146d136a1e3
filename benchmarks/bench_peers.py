"""Accuracy beside other libraries: python -m benchmarks.bench_peers FOLDER [ENVIRONMENTS] [--seeds N].

Every peer picks through its public API, in an environment of its own. Two protocols: "same head" (everybody's
answers train our head, names included) and "as it comes" (scikit-learn's LogisticRegression for the peers).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks.curves import draw_sets
from benchmarks.exercises import SETS, EncodedSet, TextSet, read_set
from benchmarks.figures import RESULTS, Bench
from benchmarks.peer import SCRIPTS, Peer, read_versions
from benchmarks.runs import Key, Ledger, mean_needed, show_difference, show_needed
from model.audit import DEFAULT_SHARE
from model.records import Embeddings, Floats, Scores
from model.simulation.report import Interval, mean_interval
from model.simulation.run import AUTO, Curve, Exercise, Plan, full_accuracy, simulate
from model.strategies import STRATEGIES, Strategy, StrategyInput
from model.strategies.inputs import Rows
from model.strategies.kernel import score_picks

SAME_HEAD, AS_IT_COMES = "same head", "as it comes"
OURS = {"default": (AUTO, DEFAULT_SHARE), "default without audit": (AUTO, 0.0), "random": ("random", 0.0)}
CHOSEN = ("banking77", "clinc150-domains", "20news", "r52")
LONGER = 1.3  # times the budget for peers as they come: enough to see whether they need twice our labels
POOL = 3000  # drawn by seed: the peers' memory and time grow with its square, or with its classes


@dataclass(frozen=True, slots=True)
class Rival:
    """A strategy of a peer; those that need a head start from a random batch, as their guides do."""

    library: str
    strategy: str
    needs_head: bool

    @property
    def name(self) -> str:
        """As the tables have it."""
        return f"{self.library} {self.strategy}"


RIVALS = (
    Rival("scikit-activeml", "badge", True),
    Rival("scikit-activeml", "typiclust", False),
    Rival("scikit-activeml", "dropquery", True),
    Rival("scikit-activeml", "max-herding", False),
    Rival("scikit-activeml", "core-set", False),
    Rival("small-text", "breaking-ties", True),
    Rival("small-text", "core-set", True),
    Rival("small-text", "embedding-k-means", True),
    Rival("baal", "bald", True),
    Rival("modal", "margin", True),
)
TWINS = (RIVALS[-1],)  # picks what small-text's BreakingTies picks, from the same head and the same start


def main() -> None:
    """Do the runs that are missing, then write the tables."""
    options = _parse()
    torch.set_num_threads(1)
    bench = Bench("peers", "Labels needed beside other libraries")
    ledger = Ledger(options.runs)
    read = {name: read_set(SETS[name], options.folder, options.vectors) for name in options.sets.split(",")}
    sets = {name: encoded for name, encoded in read.items() if encoded is not None}
    if not sets:
        bench.say(f"no set in {options.folder}: benchmarks/README.md says where they come from")
        return
    with ExitStack() as stack:
        peers = {name: stack.enter_context(Peer(name, options.environments)) for name in SCRIPTS}
        for rival in RIVALS:
            STRATEGIES[rival.name] = as_strategy(peers[rival.library], rival)
        for seed in range(options.seeds):
            for name, encoded in sets.items():
                _run_seed(ledger, SETS[name], encoded, peers, seed)
                bench.say(f"{name}: seed {seed + 1} of {options.seeds}")
    done = [name for name in CHOSEN if ledger.of(name, "default", SAME_HEAD)]
    _judge(bench, ledger, done)
    bench.raw = {
        "peers": [read_versions(name) for name in SCRIPTS],
        "runs": [run.raw() for run in ledger.runs.values()],
    }
    bench.finish()
    with (RESULTS / "peers.md").open("a", encoding="utf-8") as file:
        file.write("\n" + _EXPLAINED + "\n" + "\n".join(_table(ledger, name) for name in done))
    ways = ["default", "random", *(rival.name for rival in RIVALS if rival.library != "modal")]
    draw_sets(
        {name: {way: ledger.of(name, way, SAME_HEAD) for way in ways} for name in done},
        RESULTS / "peers.png",
        title="Everybody with our head",
    )


_EXPLAINED = f"""\
Pools of {POOL:,} items, drawn by seed. "Same head": our head learns from everybody's labels, names included.
"As it comes": the peers' labels train scikit-learn's LogisticRegression as it is (but max_iter=1000),
which is also the head that their strategies see; they get {LONGER:g} × the budget, for most need more than it
(areas are those of the budget). n90 and n95 are labels to 90 and 95 % of the accuracy of our head with the
whole pool. ">": not every seed got there within the budget, which then counts as its number.
Intervals: bootstrap over seeds, 95 %; differences are paired by seed.
"""


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/sets"))
    parser.add_argument(
        "environments", type=Path, nargs="?", default=Path(".cache/peers"), help="made if not there"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sets", default=",".join(CHOSEN))
    parser.add_argument("--vectors", type=Path, default=Path(".cache/vectors"), help="encoded sets are kept")
    parser.add_argument("--runs", type=Path, default=Path(".cache/peers-runs.jsonl"), help="runs are kept")
    return parser.parse_args()


def _run_seed(
    ledger: Ledger, text_set: TextSet, encoded: EncodedSet, peers: dict[str, Peer], seed: int
) -> None:
    """Every order under every protocol that it has: modAL's and small-text's margin are one with our head."""
    exercise = encoded.draw(seed, pool_size=POOL)
    known = ledger.of(text_set.name, "default", SAME_HEAD)
    full = known[seed].full if seed in known else full_accuracy(exercise, seed=0)
    works: dict[tuple[str, str], Callable[[], Curve]] = {}
    for name, (strategy, share) in OURS.items():
        plan = Plan(strategy, text_set.batch, text_set.budget, share, seed)
        works[name, SAME_HEAD] = lambda plan=plan: simulate(exercise, plan)
    for rival in RIVALS:
        start = f"random+{rival.name}" if rival.needs_head else rival.name
        plan = Plan(start, text_set.batch, text_set.budget, 0.0, seed)
        if rival not in TWINS:
            works[rival.name, SAME_HEAD] = lambda plan=plan: simulate(exercise, plan)
        works[rival.name, AS_IT_COMES] = lambda rival=rival: _as_it_comes(
            exercise, text_set, peers[rival.library], rival, seed
        )
    for (name, protocol), work in works.items():
        ledger.do(Key(text_set.name, name, protocol, seed), full, work)


def as_strategy(peer: Peer, rival: Rival) -> Strategy:
    """A peer's strategy as one of ours: what it picks comes first, nothing orders the rest."""

    def strategy(inputs: StrategyInput, rng: np.random.Generator) -> Scores:
        vectors, head = inputs.vectors(), inputs.require_view().head
        answers = inputs.labelled_classes
        picked = peer.ask(
            rival.strategy,
            pool=vectors,
            labelled=inputs.labelled.vectors,
            answers=np.zeros(0, dtype=np.intp) if answers is None else answers,
            weights=np.concatenate([head.weights, head.bias[None]]) / np.float32(head.temperature),
            classes=len(head.space),
            batch=inputs.batch,
            seed=int(rng.integers(2**31)),
        )
        rest = np.zeros(len(vectors), dtype=np.float32)
        return Scores(inputs.ids, score_picks(picked.rows, rest), rival.name)

    return strategy


def _as_it_comes(exercise: Exercise, text_set: TextSet, peer: Peer, rival: Rival, seed: int) -> Curve:
    """The peer's own loop: a random batch where it needs a head, then its picks and a plain head in turn."""
    rng = np.random.default_rng(seed)
    answers, classes = exercise.oracle.answers, len(exercise.oracle.space)
    labelled: Rows = np.zeros(0, dtype=np.intp)
    curve = Curve(labels=[0], accuracy=[1.0 / classes])
    weights: Floats | None = None
    budget = min(round(LONGER * text_set.budget), len(exercise.pool))
    while len(labelled) < budget:
        left = np.setdiff1d(np.arange(len(exercise.pool)), labelled)
        batch = min(text_set.batch, budget - len(labelled))
        if weights is None and rival.needs_head:
            rows = rng.choice(left, batch, replace=False)
        else:
            picked = peer.ask(
                rival.strategy,
                pool=exercise.pool.vectors[left],
                labelled=exercise.pool.vectors[labelled],
                answers=answers[labelled],
                weights=weights,
                classes=classes,
                batch=batch,
                seed=int(rng.integers(2**31)),
            )
            rows = left[picked.rows]
        labelled = np.concatenate([labelled, rows])
        weights = _fit_plain_head(exercise.pool.take(labelled), answers[labelled], classes)
        favourite = (exercise.test.vectors @ weights[:-1] + weights[-1]).argmax(axis=1)
        curve.labels.append(len(labelled))
        curve.accuracy.append(float((favourite == exercise.test_classes).mean()))
    return curve


def _fit_plain_head(embeddings: Embeddings, answers: NDArray[np.intp], classes: int) -> Floats:
    """Weights (d + 1, c) of scikit-learn's LogisticRegression; a class without a label is never believed."""
    weights = np.zeros((embeddings.vectors.shape[1] + 1, classes), dtype=np.float32)
    weights[-1] = -1e4
    seen = np.unique(answers)
    if len(seen) == 1:
        weights[-1, seen] = 0.0
        return weights
    head = LogisticRegression(max_iter=1000).fit(embeddings.vectors, answers)
    if len(seen) == 2:  # one row for two classes
        weights[:-1, seen[1]], weights[-1, seen] = head.coef_[0], (0.0, head.intercept_[0])
        return weights
    weights[:-1, seen], weights[-1, seen] = head.coef_.T, head.intercept_
    return weights


def _judge(bench: Bench, ledger: Ledger, done: Sequence[str]) -> None:
    for protocol in (SAME_HEAD, AS_IT_COMES):
        gains: list[list[float]] = []
        rivals = [rival for rival in RIVALS if protocol == AS_IT_COMES or rival not in TWINS]
        for name in done:
            best = max(rivals, key=lambda rival: _mean_area(ledger, name, rival.name, protocol))
            gain = _gains(ledger, name, best.name, protocol)
            gains.append(gain)
            interval = mean_interval(gain)
            bench.check(
                f"{name}, {protocol}: default's area less the best peer's ({best.name})",
                _points(interval),
                target="≥ 0",
                reached=interval.mean >= 0,
            )
        over_sets = mean_interval([float(value) for value in np.mean(gains, axis=0)])
        every = mean_interval([value for gain in gains for value in gain])
        bench.check(
            f"mean over sets, {protocol}: default's area less the best peer's of each set",
            f"{_points(every)} over sets and seeds; {_points(over_sets)} over seeds",
            target="interval > 0",
            reached=every.low > 0 and over_sets.low > 0,
        )
    for name in done:
        ours = mean_needed(ledger.of(name, "default", SAME_HEAD).values(), 0.95)
        by_rival = {r.name: list(ledger.of(name, r.name, AS_IT_COMES).values()) for r in RIVALS}
        best = min(by_rival, key=lambda rival: mean_needed(by_rival[rival], 0.95))
        theirs = mean_needed(by_rival[best], 0.95)
        sign = "=" if all(run.needed(0.95) is not None for run in by_rival[best]) else "<"
        bench.check(
            f"{name}: labels to 95 %, default ÷ the best peer as it comes ({best})",
            f"{ours:.0f} ÷ {show_needed(by_rival[best], 0.95)} {sign} {ours / theirs:.2f}",
            target="≤ 0.5",
            reached=ours / theirs <= 0.5,
        )


def _points(gain: Interval) -> str:
    return show_difference(gain, ".1%")


def _gains(ledger: Ledger, name: str, rival: str, protocol: str) -> list[float]:
    ours, theirs = ledger.of(name, "default", SAME_HEAD), ledger.of(name, rival, protocol)
    both, budget = sorted(ours.keys() & theirs.keys()), SETS[name].budget
    return [ours[seed].area - theirs[seed].cut(budget).area for seed in both]


def _mean_area(ledger: Ledger, name: str, way: str, protocol: str) -> float:
    return float(
        np.mean([run.cut(SETS[name].budget).area for run in ledger.of(name, way, protocol).values()])
    )


def _table(ledger: Ledger, name: str) -> str:
    full = np.mean([run.full for run in ledger.of(name, "default", SAME_HEAD).values()])
    text_set = SETS[name]
    lines = [
        f"## {name}",
        "",
        f"{text_set.batch} labels between trainings, budget {text_set.budget}; accuracy with the whole pool "
        f"{full:.3f}.",
        "",
        "| order | protocol | seeds | n90 | n95 | area | default's area less this |",
        "|---|---|---|---|---|---|---|",
    ]
    ways = [(way, SAME_HEAD) for way in OURS]
    ways += [(rival.name, protocol) for protocol in (SAME_HEAD, AS_IT_COMES) for rival in RIVALS]
    lines += [row for way, protocol in ways if (row := _row(ledger, name, way, protocol))]
    return "\n".join(lines) + "\n"


def _row(ledger: Ledger, name: str, way: str, protocol: str) -> str:
    runs = list(ledger.of(name, way, protocol).values())
    if not runs:
        return ""
    gain = _gains(ledger, name, way, protocol)
    difference = "" if way == "default" else _points(mean_interval(gain))
    cells = [way, protocol, str(len(runs)), show_needed(runs, 0.90), show_needed(runs, 0.95)]
    cells += [f"{_mean_area(ledger, name, way, protocol):.1%}", difference]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
