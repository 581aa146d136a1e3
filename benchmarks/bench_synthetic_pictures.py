"""Verdicts on synthetic pictures, faults of known truth planted in public sets.

python -m benchmarks.bench_synthetic_pictures [FOLDER] [--cifar10 FILE] [--seeds N]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import roc_auc_score

from benchmarks.bench_images import whole_vectors
from benchmarks.figures import Bench
from benchmarks.image_sets import ImageSet, load_image_sets
from benchmarks.picture_faults import (
    EXACT_TWIN,
    GARBLED,
    HARMFUL,
    NEAR_TWINS,
    OFF_TOPIC,
    REDUNDANT,
    SOUND,
    WRONG_LABEL,
    garble,
    make_near_twin,
)
from model.encoders.image import Lite0Encoder
from model.encoders.image_folders import LITE0, LITE0_FOLDER, SIDE, ImageEncoderFolder
from model.encoders.looks import Look, look_of
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.synthetic.items import HARMFUL as CALLED_HARMFUL
from model.synthetic.items import REDUNDANT as CALLED_REDUNDANT
from model.synthetic.items import Judgement, RealItems, SyntheticItems, Unlabelled
from model.synthetic.pictures import Pictures, gather_pictures
from model.synthetic.verdicts import judge

MOST: Final = 800  # pictures of each set
TAUGHT, AUDIT, UNLABELLED, KEPT = 200, 40, 150, 200
EACH: Final = 24  # wrong labels, strangers and exact twins
OF_A_WAY: Final = 8  # near twins, and garbled pictures
NEAR_WAYS: Final = tuple(way for way in NEAR_TWINS for _ in range(OF_A_WAY))
GARBLED_WAYS: Final = tuple(way for way in GARBLED for _ in range(OF_A_WAY))
BARE, HASHED, OURS = "vectors alone", "with the hash", "with hash and statistics"
_MADE_FROM: Final = 1_000_000  # ids of synthetic items

Found = dict[str, Any]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """A set with its vectors and looks, and pictures of the other sets."""

    pictures: ImageSet
    vectors: Floats
    looks: Sequence[Look]
    strangers: Sequence[Image.Image]


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """What is judged, what each synthetic item truly is (s,), and the id that each twin repeats, or -1."""

    real: RealItems
    synthetic: SyntheticItems
    kinds: Sequence[str]
    bases: Sequence[int]


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/images"))
    parser.add_argument("--cifar10", type=Path, help="a tar file with its pictures and rows.jsonl")
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    sets = load_image_sets(options.folder / "packages", cifar10=options.cifar10, most=MOST)
    if len(sets) < 2 or not LITE0_FOLDER.is_dir():
        print("synthetic pictures: no sets or no encoder are there, left out")
        return
    bench = Bench("synthetic_pictures", "Verdicts on synthetic pictures, faults of known truth planted")
    encoder = Lite0Encoder(
        ImageEncoderFolder(LITE0_FOLDER, LITE0, is_lite0=True, side=SIDE), device="cpu", threads=1
    )
    started = time.process_time()
    materials = [_read(one, sets, options.folder) for one in sets]
    bench.say(f"{len(sets)} sets read")
    runs = {}
    for material in materials:
        name = material.pictures.name
        runs[name] = [_measure(material, encoder, seed) for seed in range(options.seeds)]
        _report(bench, name, runs[name])
        bench.say(name)
    _report(bench, "all sets", [run for found in runs.values() for run in found])
    bench.add("time of processor for all of it", f"{time.process_time() - started:.0f} s")
    bench.raw = {"runs": runs}
    bench.finish()


def _read(pictures: ImageSet, sets: Sequence[ImageSet], folder: Path) -> Material:
    strangers = [picture for other in sets if other.name != pictures.name for picture in other.pictures]
    looks = [look_of(picture) for picture in pictures.pictures]
    return Material(pictures, whole_vectors(pictures, folder, SIDE), looks, strangers)


def _measure(material: Material, encoder: Lite0Encoder, seed: int) -> Found:
    planted = _plant(material, encoder, np.random.default_rng(seed))
    found = {}
    for name, change in _VIEWS.items():
        real = replace(
            planted.real,
            pictures=change(planted.real.pictures),
            unlabelled=replace(planted.real.unlabelled, pictures=change(planted.real.unlabelled.pictures)),
        )
        made = replace(planted.synthetic, pictures=change(planted.synthetic.pictures))
        found[name] = _count(judge(real, made, rng=np.random.default_rng(seed)), planted)
    return found


def _without(_pictures: Pictures | None) -> Pictures | None:
    return None


def _hash_alone(pictures: Pictures | None) -> Pictures | None:
    if pictures is None:
        return None
    nothing = np.full_like(pictures.statistics, np.nan)
    return replace(pictures, statistics=nothing, spoiled=nothing)


_VIEWS: dict[str, Callable[[Pictures | None], Pictures | None]] = {
    BARE: _without,
    HASHED: _hash_alone,
    OURS: lambda pictures: pictures,
}


def _plant(material: Material, encoder: Lite0Encoder, rng: np.random.Generator) -> Planted:
    order = rng.permutation(len(material.pictures.classes))
    taught, rest, kept, wrong, spoilt = np.split(
        order[: TAUGHT + AUDIT + UNLABELLED + KEPT + EACH + OF_A_WAY * len(GARBLED)],
        np.cumsum([TAUGHT + AUDIT, UNLABELLED, KEPT, EACH]),
    )
    classes, width = material.pictures.classes, int(material.pictures.classes.max()) + 1
    bases = rng.choice(taught, EACH + OF_A_WAY * len(NEAR_TWINS), replace=False)
    exact, near = bases[:EACH], bases[EACH:]
    made = _make(material, near, spoilt, rng)
    kinds = [SOUND] * KEPT + [WRONG_LABEL] * EACH + [EXACT_TWIN] * EACH
    kinds += [*NEAR_WAYS, *GARBLED_WAYS, *[OFF_TOPIC] * EACH]
    copied = np.concatenate([kept, wrong, exact])
    answers = np.concatenate(
        [
            classes[kept],
            (classes[wrong] + rng.integers(1, width, EACH)) % width,
            classes[exact],
            classes[near],
            classes[spoilt],
            rng.integers(width, size=EACH),
        ]
    )
    ids = _MADE_FROM + np.arange(len(kinds))
    space = LabelSpace(tuple(f"class {column}" for column in range(width)))
    vectors = np.concatenate([material.vectors[copied], encoder.encode(made)])
    shown = gather_pictures(
        [*map(str, copied.tolist()), *(f"made {n}" for n in range(len(made)))],
        [*([material.looks[row]] for row in copied), *([look_of(picture)] for picture in made)],
    )
    mixed = rng.permutation(len(kinds))
    synthetic = SyntheticItems(
        Embeddings(ids, vectors[mixed], encoder.revision),
        Labels(ids, np.eye(width, dtype=np.float32)[answers[mixed]], space),
        pictures=shown.take(mixed),
    )
    repeats = np.full(len(kinds), -1)
    repeats[KEPT + EACH : KEPT + EACH + len(bases)] = bases
    return Planted(
        _real(material, taught, rest, space, encoder.revision),
        synthetic,
        [kinds[n] for n in mixed],
        repeats[mixed].tolist(),
    )


def _make(material: Material, near: Rows, spoilt: Rows, rng: np.random.Generator) -> list[Image.Image]:
    """Near twins of some pictures, garbled ones of others, and strangers."""
    pictures = material.pictures.pictures
    return [
        *(make_near_twin(pictures[row], way, rng) for row, way in zip(near, NEAR_WAYS, strict=True)),
        *(garble(pictures[row], way, rng) for row, way in zip(spoilt, GARBLED_WAYS, strict=True)),
        *(material.strangers[n] for n in rng.choice(len(material.strangers), EACH, replace=False)),
    ]


def _real(material: Material, rows: Rows, rest: Rows, space: LabelSpace, revision: str) -> RealItems:
    targets = np.eye(len(space), dtype=np.float32)[material.pictures.classes[rows]]
    return RealItems(
        Embeddings(rows, material.vectors[rows], revision),
        Labels(rows, targets, space),
        np.arange(len(rows)) >= TAUGHT,
        unlabelled=Unlabelled(
            Embeddings(rest, material.vectors[rest], revision), pictures=_shown(material, rest)
        ),
        pictures=_shown(material, rows),
    )


def _shown(material: Material, rows: Rows) -> Pictures:
    return gather_pictures([str(row) for row in rows], [[material.looks[row]] for row in rows])


def _count(judgement: Judgement, planted: Planted) -> Found:
    """How many of each kind there are, are called harmful or a twin of something, and of what they repeat."""
    kinds = np.array(planted.kinds)
    harmful = judgement.mask(CALLED_HARMFUL)
    twin = judgement.mask(CALLED_REDUNDANT) & np.array(
        [item.duplicate_of is not None for item in judgement.items]
    )
    right = twin & np.array(
        [item.duplicate_of == base for item, base in zip(judgement.items, planted.bases, strict=True)]
    )
    value = np.array([item.value for item in judgement.items])
    sound = kinds == SOUND
    found: Found = {}
    for kind in dict.fromkeys(planted.kinds):
        mine = kinds == kind
        found[kind] = {
            "there": int(mine.sum()),
            "harmful": int((mine & harmful).sum()),
            "twin": int((mine & twin).sum()),
            "right": int((mine & right).sum()),
            "auroc": 0.5 if kind == SOUND else float(roc_auc_score(sound[sound | mine], value[sound | mine])),
            "taught": int((mine & judgement.auxiliary).sum()),
        }
    return found


def _report(bench: Bench, name: str, runs: Sequence[Found]) -> None:
    for view in _VIEWS:
        seen = [run[view] for run in runs]
        bench.add(
            f"{name}, {view}: called harmful, precision / recall", _show(_rates(seen, HARMFUL, "harmful"))
        )
        bench.add(
            f"{name}, {view}: called a twin, precision / recall", _show(_rates(seen, REDUNDANT, "twin"))
        )
        for kinds, what in ((HARMFUL, "harmful"), (REDUNDANT, "twin")):
            parts = [f"{kind} {_rates(seen, (kind,), what)[1]:.2f}" for kind in kinds]
            bench.add(f"{name}, {view}: recall by fault, {what}", ", ".join(parts))
        parts = [f"{kind} {np.mean([run[kind]['auroc'] for run in seen]):.3f}" for kind in HARMFUL]
        bench.add(f"{name}, {view}: AUROC of the value by fault", ", ".join(parts))


def _rates(runs: Sequence[Found], kinds: Sequence[str], what: str) -> tuple[float, float]:
    """Precision and recall of a call over some kinds."""
    called = sum(found[what] for run in runs for found in run.values())
    right = sum(run[kind][what] for run in runs for kind in kinds)
    there = sum(run[kind]["there"] for run in runs for kind in kinds)
    return right / max(called, 1), right / there


def _show(rates: tuple[float, float]) -> str:
    return f"{rates[0]:.2f} / {rates[1]:.2f}"


if __name__ == "__main__":
    main()
