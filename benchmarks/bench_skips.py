"""What skips teach: python -m benchmarks.bench_skips [FOLDER] [--seeds N] [--runs FILE].

FOLDER holds sets as data_sets writes them; what is not there is left out. A simulated annotator answers truly
and skips what fits no label: questions out of scope, or texts of classes that the project does not have. The
queue is the one of the live loop without places for new classes, once with and once without what skips teach.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.simulation.rows import read_labelled_texts
from benchmarks.bench_unseen_classes import read_pool
from benchmarks.figures import Bench
from benchmarks.json_lines import JsonLines
from model.audit import DEFAULT_SHARE, audit_hash, audit_quota, audit_threshold
from model.encoders.text import load_text_encoder
from model.heads.cold_start import cold_start
from model.heads.neighbour_graph import NeighbourGraph, build_neighbour_graph
from model.heads.single_label import LinearHead
from model.ranking import DEFAULT_STRATEGY, rank
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.skips import wait_for_skips
from model.strategies.inputs import HeadView, StrategyInput
from model.training import train

OUT_OF_SCOPE = "clinc150"  # the set with texts that are of no class by design
LEFT_OUT = {"20news": 6, "banking77": 24}  # classes of the others that play what fits no label
SHARES = (0.05, 0.13, 0.3)  # of such texts in the pool
POOL, OUT_OF_SCOPE_TEXTS, OUT_OF_SCOPE_LABEL = 700, 300, "oos"
WINDOW, BATCH, SERVED = 100, 10, 250
SETTLED = 50  # served before this is measured
MOST = 1.2  # times the pool's share
SCATTERED, SCATTERED_DRAWS = (90, 100), 20  # answered, and with those skipped at random

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Project:
    """A pool (n, d), the class of each text (n,), -1 where none fits, and the names of the classes (c, d)."""

    pool: Embeddings
    answers: NDArray[np.intp]
    space: LabelSpace
    name_vectors: Floats


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/sets"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--compared", type=int, default=3, help="seeds also played without what skips teach")
    parser.add_argument("--sets", default=",".join((OUT_OF_SCOPE, *LEFT_OUT)))
    parser.add_argument("--cache", type=Path, default=Path(".cache/unseen"), help="where vectors are kept")
    parser.add_argument("--runs", type=Path, help="a file that keeps every run; it goes on from there")
    options = parser.parse_args()
    bench = Bench("skips", "Tasks that fit no label, of those served outside the places for new classes")
    kept = JsonLines(options.runs or options.cache / "skips.jsonl")
    done = {(row["set"], row["share"], row["seed"], row["taught"]) for row in kept.rows}
    for seed in range(options.seeds):
        compared = seed < options.compared
        for name in options.sets.split(","):
            for share in (*SHARES, 0.0) if compared else SHARES:
                for taught in (True, False) if compared else (True,):
                    if (name, share, seed, taught) in done:
                        continue
                    project = draw_project(name, share, seed, options.folder, options.cache)
                    if project is not None:
                        found = play(project, seed, taught=taught)
                        row = {"set": name, "share": share, "seed": seed, "taught": taught}
                        kept.append(row | found)
        bench.say(f"seed {seed}")
    rows = [row for row in kept.rows if row["seed"] < options.seeds]
    bench.raw = {"seeds": options.seeds, "runs": rows}
    _summarise(bench, rows)
    _scatter(bench, options)
    bench.finish()


def draw_project(name: str, share: float, seed: int, folder: Path, cache: Path) -> Project | None:
    """Texts of some classes and, to a share, of none of them; None when the set is not there."""
    found = read_pool(name, folder, cache)
    if found is None:
        return None
    rng = np.random.default_rng(seed)
    classes = rng.permutation(len(found.space))
    known = np.sort(classes[LEFT_OUT.get(name, 0) :])
    fits = np.isin(found.answers, known)
    odd = found.items.vectors[~fits]
    if name == OUT_OF_SCOPE:
        odd = _out_of_scope(folder / f"{name}.jsonl", cache / f"{name}-out-of-scope.npy")
    odd = odd[rng.permutation(len(odd))[: round(share * POOL)]]
    rows = rng.permutation(np.flatnonzero(fits))[: POOL - len(odd)]
    vectors = np.concatenate([found.items.vectors[rows], odd])
    answers = np.concatenate([np.searchsorted(known, found.answers[rows]), np.full(len(odd), -1)])
    mixed = rng.permutation(len(vectors))
    return Project(
        Embeddings(np.arange(1, len(vectors) + 1), vectors[mixed], found.items.encoder),
        answers[mixed].astype(np.intp),
        LabelSpace(tuple(found.space.names[column] for column in known)),
        found.name_vectors[known],
    )


def play(project: Project, seed: int, *, taught: bool) -> dict[str, Any]:
    """Serve, answer or skip, and learn, ten tasks at a time: what fitted no label, in the order served."""
    pool, answers = project.pool, project.answers
    graph = build_neighbour_graph(pool, np.random.default_rng(seed))
    labelled, skipped = np.zeros(len(pool), dtype=np.bool_), np.zeros(len(pool), dtype=np.bool_)
    served: list[int] = []
    curve: list[tuple[int, float]] = []
    while len(served) < min(SERVED, len(pool)):
        quota = audit_quota(int(labelled.sum()) + WINDOW, share=DEFAULT_SHARE)
        audit = audit_hash(pool.ids, seed) < audit_threshold(pool.ids, seed, quota)
        head = _learn(project, labelled, audit, graph, seed)
        curve.append((int(labelled.sum()), _accuracy(head, project)))
        order = _order(project, head, (labelled, skipped), audit, seed=seed, taught=taught)
        rows = np.searchsorted(pool.ids, order[:BATCH])
        served += rows.tolist()
        labelled[rows], skipped[rows] = answers[rows] >= 0, answers[rows] < 0
    odd = answers[np.array(served)] < 0
    return {
        "pool": float((answers < 0).mean()),
        "first": float(odd[:SETTLED].mean()),
        "then": float(odd[SETTLED:].mean()),
        "labels": int((~odd).sum()),
        "curve": curve,
        "served": served,
    }


def _order(
    project: Project, head: LinearHead, done: tuple[Mask, Mask], audit: Mask, *, seed: int, taught: bool
) -> list[int]:
    (labelled, skipped), pool = done, project.pool
    left = ~(labelled | skipped)
    waiting = pool.take(left)
    behind = None
    if taught:
        behind = wait_for_skips(pool.take(labelled), pool.take(skipped), waiting, seed=seed).ids
    ranking = rank(
        StrategyInput(
            pool=waiting,
            probabilities=head.probabilities(waiting, "simulated"),
            labelled=pool.take(labelled),
            batch=WINDOW,
            labelled_classes=project.answers[labelled],
            view=HeadView(head, waiting, pool.take(labelled)),
        ),
        strategy=DEFAULT_STRATEGY,
        window=WINDOW,
        audit=audit[left],
        audit_order=audit_hash(waiting.ids, seed),
        share=DEFAULT_SHARE,
        rng=np.random.default_rng([seed, int(labelled.sum())]),
        behind=behind,
    )
    order: list[int] = ranking.ids.tolist()
    return order


def _learn(project: Project, labelled: Mask, audit: Mask, graph: NeighbourGraph, seed: int) -> LinearHead:
    if not labelled.any():
        return cold_start(project.name_vectors, project.space).head
    targets = np.eye(len(project.space), dtype=np.float32)[project.answers[labelled]]
    return train(
        project.pool.take(labelled),
        Labels(project.pool.ids[labelled], targets, project.space),
        name_vectors=project.name_vectors,
        audit=audit[labelled],
        rng=np.random.default_rng(seed),
        neighbour_graph=graph,
    ).head


def _accuracy(head: LinearHead, project: Project) -> float:
    """On the texts of the pool that fit a label."""
    fits = project.answers >= 0
    guesses = head.logits(project.pool.vectors[fits]).argmax(axis=1)
    return float((guesses == project.answers[fits]).mean())


def _out_of_scope(texts: Path, kept: Path) -> Floats:
    if not kept.is_file():
        found = read_labelled_texts(texts, splits=("oos_val", "oos_test"))
        rows = [row for row in found if row.label == OUT_OF_SCOPE_LABEL]
        chosen = np.random.default_rng(0).permutation(len(rows))[:OUT_OF_SCOPE_TEXTS]
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, load_text_encoder(threads=1).encode([rows[row].text for row in chosen]))
    vectors: Floats = np.load(kept)
    return vectors


def _summarise(bench: Bench, rows: list[dict[str, Any]]) -> None:
    for share in SHARES:
        for name in (OUT_OF_SCOPE, *LEFT_OUT):
            runs = [row for row in rows if row["set"] == name and row["share"] == share]
            if runs:
                _compare(bench, f"{name}, {share:.0%} of the pool", runs)
    nothing = [row for row in rows if row["share"] == 0.0]
    orders = {(row["set"], row["seed"], row["taught"]): row["served"] for row in nothing}
    same = [order == orders[*key[:2], False] for key, order in orders.items() if key[2]]
    bench.check(
        "nothing to skip: runs in which the order is the same, bit for bit",
        f"{sum(same)} of {len(same)}",
        target="all",
        reached=all(same),
    )


def _scatter(bench: Bench, options: argparse.Namespace) -> None:
    """How often skips at random, of what does fit, keep anybody waiting."""
    acted = []
    for name in options.sets.split(","):
        for seed in range(SCATTERED_DRAWS):
            project = draw_project(name, 0.0, seed, options.folder, options.cache)
            if project is not None:
                rows = np.random.default_rng(seed).permutation(len(project.pool))
                answered, skipped, left = np.split(rows, SCATTERED)
                pool = project.pool
                parts = [pool.take(np.sort(part)) for part in (answered, skipped, left)]
                acted.append(len(wait_for_skips(*parts, seed=seed).ids) > 0)
    bench.add(
        f"{SCATTERED[1] - SCATTERED[0]} of {SCATTERED[1]} tasks skipped at random: draws that let tasks wait",
        f"{sum(acted)} of {len(acted)}",
    )


def _compare(bench: Bench, what: str, runs: Iterable[dict[str, Any]]) -> None:
    by_arm = {taught: [row for row in runs if row["taught"] == taught] for taught in (True, False)}
    ratio = {taught: _mean(rows, "then") / _mean(rows, "pool") for taught, rows in by_arm.items()}
    bench.at_most(
        f"{what}: served after the first {SETTLED}, times that share",
        ratio[True],
        limit=MOST,
        unit="×",
        note=f" ({ratio[False]:.2f} without, {len(by_arm[False])} seeds)",
    )
    answers = {taught: _mean(rows, "labels") for taught, rows in by_arm.items()}
    ends = {taught: fmean(row["curve"][-1][1] for row in rows) for taught, rows in by_arm.items()}
    bench.add(
        f"{what}: answers from {SERVED} tasks served, and accuracy with them",
        f"{answers[True]:.0f} and {ends[True]:.3f} ({answers[False]:.0f} and {ends[False]:.3f} without)",
    )


def _mean(rows: Iterable[dict[str, Any]], figure: str) -> float:
    return fmean(row[figure] for row in rows)


if __name__ == "__main__":
    main()
