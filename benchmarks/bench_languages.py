"""Which languages are served how well: python -m benchmarks.bench_languages [FILE.jsonl …] [--seeds N].

Each file holds texts and labels of one language. Beside what the loop would choose by itself stand both
encoders and character n-grams alone.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np

from backend.context import Context
from backend.parts import build_context
from backend.settings import Settings
from backend.simulation.encoding import encode_unique
from backend.simulation.labels import EncodedTexts
from backend.simulation.rows import LabelledText, read_labelled_texts
from backend.workflows.intake.encoder_choice import MULTILINGUAL, SAMPLE, fitting_encoder, sampled_language
from backend.workflows.project.progress import Silent
from benchmarks.figures import Bench
from model.encoders.text import load_text_encoder
from model.records import Embeddings
from model.simulation.report import accuracy_at
from model.simulation.run import AUTO, Plan, simulate

BUDGETS = (50, 100, 200, 350)
BATCH = 50
MOST_ROWS = 650
MOST_CHARACTERS = 1500  # of a text: no encoder reads more
LOSS = 0.01  # that what is chosen may have beside the best single one

CHOSEN, ENGLISH, OTHER, GRAMS = "chosen", "English encoder", "multilingual encoder", "character n-grams"


def main() -> None:
    """Label each set in the order of the loop, with each encoder and with what is chosen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="*", default=sorted(Path(".cache/sets").glob("*_*.jsonl")))
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    shown = " / ".join(map(str, BUDGETS))
    bench = Bench("languages", f"Accuracy on held-out texts with {shown} labels, by language and encoder")
    context = build_context(Settings(), load_encoder=partial(load_text_encoder, threads=1))
    for path in options.files:
        bench.raw[path.stem] = _measure(bench, context, path, options.seeds)
        _summarise(bench, path.stem)
    bench.finish()


def _measure(bench: Bench, context: Context, path: Path, seeds: int) -> dict[str, list[list[float]]]:
    """Accuracy by budget for each way and seed."""
    everything = read_labelled_texts(path)
    rows = [replace(row, text=row.text[:MOST_CHARACTERS], is_test=None) for row in everything]
    rows = [rows[place] for place in sorted(np.random.default_rng(0).permutation(len(rows))[:MOST_ROWS])]
    texts = [row.text for row in rows]
    by_name = {name: _encode(context, rows, name) for name in (None, MULTILINGUAL)}
    taken = fitting_encoder(context, texts[:: max(1, len(texts) // SAMPLE)])
    bench.say(
        f"{path.stem}: {len(rows)} texts, {sampled_language(context, texts)}, takes {taken or 'english'}"
    )
    found: dict[str, list[list[float]]] = {name: [] for name in (ENGLISH, OTHER, GRAMS, CHOSEN)}
    looked_at: Counter[str] = Counter()
    for seed in range(seeds):
        plan = Plan(AUTO, BATCH, max(BUDGETS), context.settings.audit_share, seed)
        exercises = {name: encoded.exercise(seed=seed, noise=0.0) for name, encoded in by_name.items()}
        chosen = simulate(exercises[taken], plan)
        looked_at.update(chosen.representation[1:])
        curves = {
            ENGLISH: simulate(replace(exercises[None], only="encoder"), plan),
            OTHER: simulate(replace(exercises[MULTILINGUAL], only="encoder"), plan),
            GRAMS: simulate(replace(exercises[taken], only="characters"), plan),
            CHOSEN: chosen,
        }
        for name, curve in curves.items():
            found[name].append(accuracy_at(curve, BUDGETS))
    bench.say(f"{path.stem}: looked at {dict(looked_at)}")
    return found


def _encode(context: Context, rows: list[LabelledText], name: str | None) -> EncodedTexts:
    encoder = context.encoders.named(name).get()
    vectors = encode_unique(context, encoder, [row.text for row in rows], Silent())
    embeddings = Embeddings(np.arange(1, len(rows) + 1), vectors, encoder.revision)
    return EncodedTexts(rows, embeddings, None, only=None)


def _summarise(bench: Bench, name: str) -> None:
    """Accuracy at each budget, and whether what is chosen keeps up with the best single one."""
    means = {
        way: [fmean(values) for values in zip(*runs, strict=True)] for way, runs in bench.raw[name].items()
    }
    for way, values in means.items():
        bench.add(f"{name}, {way}", " / ".join(f"{value:.3f}" for value in values))
    best = max((way for way in means if way != CHOSEN), key=lambda way: fmean(means[way]))
    loss = fmean(means[best]) - fmean(means[CHOSEN])
    bench.check(
        f"{name}, {CHOSEN} − {best}, mean over budgets",
        f"{-loss:+.3f}",
        target=f"not below −{LOSS}",
        reached=loss <= LOSS,
    )


if __name__ == "__main__":
    main()
