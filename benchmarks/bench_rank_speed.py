"""Time to rank a pool, beside other libraries: python -m benchmarks.bench_rank_speed [ENVIRONMENTS].

Ours and the peers get the same items and the same head. Seconds of CPU of one thread are compared, because a
busy machine stretches the others; wall seconds are in the JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from benchmarks.figures import RESULTS, Bench, median
from benchmarks.peer import Peer, read_versions
from model.audit import DEFAULT_SHARE, audit_hash, audit_quota, audit_threshold
from model.heads.single_label import LinearHead
from model.ranking import DEFAULT_STRATEGY, rank
from model.records import Embeddings, Floats, LabelSpace
from model.strategies import STRATEGIES, HeadView, StrategyInput

DIMENSIONS, CLASSES, PICKS, LABELLED = 384, 20, 100, 200
SIZES = (10_000, 100_000, 1_000_000)
REPEATS = 5
HERDING_PICKS = 20  # scikit-activeml's MaxHerding takes too long for more
# Each of the peers' strategies beside ours of the same kind, and how many times as fast ours should be.
PAIRS = (
    ("scikit-activeml", "badge", PICKS, "badge", 50.0),
    ("small-text", "core-set-function", PICKS, "core-set", 50.0),
    ("small-text", "core-set", PICKS, "core-set", None),
    ("scikit-activeml", "core-set", PICKS, "core-set", None),
    ("scikit-activeml", "max-herding", HERDING_PICKS, DEFAULT_STRATEGY, 25.0),
    ("scikit-activeml", "max-herding", HERDING_PICKS, "max-herding", None),
    ("scikit-activeml", "margin", PICKS, "margin", None),
    ("small-text", "breaking-ties", PICKS, "margin", None),
    ("baal", "margin", PICKS, "margin", None),
    ("modal", "margin", PICKS, "margin", None),
)
AT_100_000 = (
    ("scikit-activeml", "core-set", "core-set"),
    ("scikit-activeml", "badge", "badge"),
    ("small-text", "core-set-function", "core-set"),
)


def main() -> None:
    """Run the bench; with `--pool` be the process that ranks a pool from disk."""
    options = _parse()
    torch.set_num_threads(1)
    if options.pool is not None:
        _rank_from_disk(options.pool)
        return
    bench = Bench("rank_speed", "Time to rank: seconds of CPU of one thread")
    raw: dict[str, object] = {"peers": [], "growth": []}
    with tempfile.TemporaryDirectory(prefix="rank-", dir=options.scratch) as scratch:
        _compare(bench, raw, options.environments, Path(scratch), full=options.full)
        growth = [_grow(Path(scratch), size, bench) for size in SIZES]
    raw["growth"] = growth
    _judge_growth(bench, growth)
    bench.raw = raw
    bench.finish()
    _draw(growth, raw["peers"], RESULTS / "rank_speed.png")


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "environments", type=Path, nargs="?", default=Path(".cache/peers"), help="made if not there"
    )
    parser.add_argument("--scratch", type=Path, default=None, help="a folder with 1.5 GB to spare")
    parser.add_argument("--full", action="store_true", help="the slow peers at 100,000 items too (minutes)")
    parser.add_argument("--pool", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _compare(bench: Bench, raw: dict[str, object], environments: Path, scratch: Path, *, full: bool) -> None:
    """Ours and theirs on 10,000 items, each pair one after the other; the larger pool if wanted."""
    small = _open_pool(_write_pool(scratch, SIZES[0]))
    for library, theirs, picks, ours, wanted in PAIRS:
        with Peer(library, environments) as peer:
            _compare_pair(bench, raw, small, peer, theirs, picks, ours, wanted)
    if not full:
        return
    large = _open_pool(_write_pool(scratch, SIZES[1]))
    for library, theirs, ours in AT_100_000:
        with Peer(library, environments) as peer:
            _compare_pair(bench, raw, large, peer, theirs, PICKS, ours, None)


def _compare_pair(
    bench: Bench,
    raw: dict[str, object],
    pool: Embeddings,
    peer: Peer,
    theirs: str,
    picks: int,
    ours: str,
    wanted: float | None,
) -> None:
    head, labelled, answers = _made_head(), _labelled(pool), _answers()
    vectors = np.asarray(pool.vectors, dtype=np.float32)
    weights = np.concatenate([head.weights, head.bias[None]])
    inputs = StrategyInput(
        Embeddings(pool.ids, vectors, pool.encoder),
        head.probabilities(pool, "v"),
        labelled,
        PICKS,
        view=HeadView(head, Embeddings(pool.ids, vectors, pool.encoder), labelled),
    )
    STRATEGIES[ours](inputs, np.random.default_rng(0))  # so that nothing is loaded for the first time
    mine = [
        _timed(lambda seed=seed: STRATEGIES[ours](inputs, np.random.default_rng(seed)))
        for seed in range(REPEATS)
    ]
    asked = peer.ask(
        theirs,
        pool=vectors,
        labelled=labelled.vectors,
        answers=answers,
        weights=weights,
        classes=CLASSES,
        batch=picks,
        seed=0,
    )
    cpu = median([second for second, _ in mine])
    label = f"{len(pool):,} items: {peer.name} {theirs}, {picks} picks ÷ our {ours}, {PICKS} picks"
    row = {
        "items": len(pool),
        "peer": read_versions(peer.name),
        "strategy": theirs,
        "picks": picks,
        "ours": ours,
        "our_cpu_s": [second for second, _ in mine],
        "our_wall_s": [second for _, second in mine],
        "peer_cpu_s": asked.cpu_s,
        "peer_wall_s": asked.wall_s,
        "error": asked.error,
    }
    raw["peers"].append(row)  # type: ignore[attr-defined]
    if asked.error:
        bench.add(label, f"{asked.error[:80]}; ours {cpu:.2f} s")
    else:
        ratio = asked.cpu_s / cpu
        shown = f"{asked.cpu_s:.3g} s ÷ {cpu:.3g} s = {ratio:.1f}"
        if wanted is None:
            bench.add(label, shown)
        else:
            bench.check(label, shown, target=f"≥ {wanted:g}", reached=ratio >= wanted)
    bench.say(label)


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds of CPU and of the clock."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - cpu, time.perf_counter() - wall


def _write_pool(scratch: Path, size: int) -> Path:
    """Unit vectors around 200 centres as float16, the way a large pool lies on disk."""
    path = scratch / f"{size}.f16"
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(200, DIMENSIONS)).astype(np.float32)
    with path.open("wb") as file:
        for start in range(0, size, 50_000):
            count = min(50_000, size - start)
            vectors = centres[rng.integers(200, size=count)]
            vectors += rng.normal(size=vectors.shape).astype(np.float32)
            vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
            file.write(vectors.astype(np.float16).tobytes())
    return path


def _open_pool(path: Path) -> Embeddings:
    # Copy on write ("c"), for torch takes no array that cannot be written to; nothing is.
    vectors = np.memmap(path, dtype=np.float16, mode="c").reshape(-1, DIMENSIONS)
    return Embeddings(np.arange(len(vectors)), vectors, "made-up")  # type: ignore[arg-type]


def _made_head() -> LinearHead:
    rng = np.random.default_rng(1)
    weights = 3.0 * rng.normal(size=(DIMENSIONS, CLASSES)).astype(np.float32)
    space = LabelSpace(tuple(f"class {number}" for number in range(CLASSES)))
    return LinearHead(weights, np.zeros(CLASSES, dtype=np.float32), 1.0, space)


def _labelled(pool: Embeddings) -> Embeddings:
    rows = np.random.default_rng(2).choice(len(pool), LABELLED, replace=False)
    vectors: Floats = np.asarray(pool.vectors[rows], dtype=np.float32)
    return Embeddings(np.arange(LABELLED) + 10**9, vectors, pool.encoder)


def _answers() -> np.ndarray:
    return np.random.default_rng(3).integers(0, CLASSES, LABELLED)


def _grow(scratch: Path, size: int, bench: Bench) -> dict[str, float]:
    """Beliefs and order of a pool of this size, in a process of its own: from disk, then again."""
    path = scratch / f"{size}.f16"
    if not path.is_file():
        _write_pool(scratch, size)
    with path.open("rb") as file:  # forget what the machine remembers of it
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    command = [sys.executable, "-m", "benchmarks.bench_rank_speed", "--pool", str(path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    bench.say(f"{size:,} items ranked from disk")
    return json.loads(done.stdout) | {"items": size}


def _rank_from_disk(path: Path) -> None:
    """Print what it takes to work out the head's beliefs and the order, first and again, and the memory."""
    cold = _timed(lambda: _rank_once(path))
    warm = [_timed(lambda: _rank_once(path)) for _ in range(REPEATS)]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    found = {
        "cold_cpu_s": cold[0],
        "cold_wall_s": cold[1],
        "warm_cpu_s": median([cpu for cpu, _ in warm]),
        "warm_wall_s": median([wall for _, wall in warm]),
        "gib": memory,
    }
    sys.stdout.write(json.dumps(found))


def _rank_once(path: Path) -> None:
    pool, head = _open_pool(path), _made_head()
    order = audit_hash(pool.ids, 0)
    threshold = audit_threshold(pool.ids, 0, audit_quota(LABELLED + PICKS))
    rank(
        StrategyInput(pool, head.probabilities(pool, "v"), _labelled(pool), PICKS),
        strategy=DEFAULT_STRATEGY,
        window=PICKS,
        audit=order < threshold,
        audit_order=order,
        share=DEFAULT_SHARE,
        rng=np.random.default_rng(0),
    )


def _judge_growth(bench: Bench, growth: list[dict[str, float]]) -> None:
    for point in growth[:-1]:
        bench.add(f"{point['items']:,} items, beliefs and default order", f"{point['warm_cpu_s']:.2f} s")
    last, first = growth[-1], growth[0]
    what = f"{last['items']:,} items, beliefs and default order"
    bench.at_most(f"{what}, warm", last["warm_cpu_s"], limit=2.5, unit="s")
    wall = f" of CPU; {last['cold_wall_s']:.1f} s by the clock"
    bench.at_most(f"{what}, from disk", last["cold_cpu_s"], limit=10, unit="s", note=wall)
    bench.at_most(f"{what}, most memory", last["gib"], limit=1.5, unit="GiB")
    times, items = last["warm_cpu_s"] / first["warm_cpu_s"], last["items"] / first["items"]
    bench.check(
        f"growth from {first['items']:,} to {last['items']:,} items",
        f"× {times:.1f}",
        target=f"≤ × {items:.0f}",
        reached=times <= items,
    )


def _draw(growth: list[dict[str, float]], peers: object, path: Path) -> None:
    """Seconds by size on logarithmic axes: ours as a line, the peers as points."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, panel = plt.subplots(figsize=(7.5, 4.5))
    sizes = [point["items"] for point in growth]
    panel.plot(sizes, [point["warm_cpu_s"] for point in growth], "o-", color="#D55E00", linewidth=2.2)
    panel.annotate(
        "our default order\nwith the head's beliefs", (sizes[-1], growth[-1]["warm_cpu_s"]), **_BESIDE
    )
    seen = set()
    for row in peers:  # type: ignore[attr-defined]
        title = f"{row['peer'].split('==')[0]} {row['strategy'].removesuffix('-function')}"
        if row["error"] or row["strategy"] in ("margin", "breaking-ties") or (title, row["items"]) in seen:
            continue
        seen.add((title, row["items"]))
        panel.plot(row["items"], row["peer_cpu_s"], "s", color="#0072B2")
        panel.annotate(f"{title}, {row['picks']} picks", (row["items"], row["peer_cpu_s"]), **_BESIDE)
    panel.set(xscale="log", yscale="log", xlabel="items", ylabel="seconds of CPU, one thread")
    panel.set_xlim(6e3, 1.2e7)
    panel.grid(alpha=0.25)
    panel.set_title(f"Time to rank ({DIMENSIONS} dimensions, {CLASSES} classes, {PICKS} picks)", fontsize=11)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


_BESIDE = {"textcoords": "offset points", "xytext": (7, -3), "fontsize": 8}


if __name__ == "__main__":
    main()
