"""Labels needed on eight public sets, by strategy: python -m benchmarks.bench_labels FOLDER [--seeds N]."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import geometric_mean

import torch

from benchmarks.curves import draw_sets
from benchmarks.exercises import SETS, EncodedSet, TextSet, read_set
from benchmarks.figures import RESULTS, Bench
from benchmarks.runs import Key, Ledger, mean_needed, show_difference, show_needed
from model.audit import DEFAULT_SHARE
from model.simulation.report import Interval, mean_interval, paired_difference
from model.simulation.run import AUTO, Exercise, Plan, full_accuracy, simulate

DEFAULT, MARGIN_AFTER_RANDOM = "default", "random+margin"
WITH_NAMES, WITHOUT_NAMES = "names", "no names"
# Orders, and on what share of the seeds they are run: what the claims rest on most often.
FIRST, OFTEN, SELDOM = (DEFAULT, MARGIN_AFTER_RANDOM), ("random", "margin"), ("uncertainty-herding", "badge")
SHARES = {order: share for share, orders in ((1.0, FIRST + OFTEN), (0.3, SELDOM)) for order in orders}
NAMELESS = dict.fromkeys(FIRST, 0.3)
RIVALS = ("random", "margin", MARGIN_AFTER_RANDOM)
NEVER_WORSE = ("20news", "r8", "r52", "spamassassin", "reviews")
# Promised labels to 90 and 95 % of the accuracy of the whole pool.
PROMISED = {"banking77": (290, 460), "clinc150-domains": (130, 260), "banking77-long-tail": (350, 500)}


def main() -> None:
    """Do the runs that are missing, then write the tables."""
    options = _parse()
    torch.set_num_threads(1)
    bench = Bench("labels", "Labels needed for 90 and 95 % of the accuracy of the whole pool")
    ledger = Ledger(options.runs)
    sets = {name: read_set(text_set, options.folder, options.vectors) for name, text_set in SETS.items()}
    if not any(sets.values()):
        bench.say(f"no set in {options.folder}: benchmarks/README.md says where they come from")
        return
    for seed in range(options.seeds):
        for name, encoded in sets.items():
            if encoded is not None:
                for protocol, shares in ((WITH_NAMES, SHARES), (WITHOUT_NAMES, NAMELESS)):
                    orders = [
                        way for way, share in shares.items() if seed < max(round(share * options.seeds), 1)
                    ]
                    _run(ledger, SETS[name], encoded, orders, protocol, seed)
        bench.say(f"seed {seed + 1} of {options.seeds}")
    done = [name for name in SETS if ledger.of(name, DEFAULT, WITH_NAMES)]
    _judge(bench, ledger, done)
    bench.raw = {"runs": [run.raw() for run in ledger.runs.values() if run.key.dataset in done]}
    bench.finish()
    tables = "\n".join(_table(ledger, name) for name in done)
    with (RESULTS / "labels.md").open("a", encoding="utf-8") as file:
        file.write("\n" + _EXPLAINED + "\n" + tables)
    draw_sets(
        {name: {way: ledger.of(name, way, WITH_NAMES) for way in SHARES} for name in done},
        RESULTS / "labels.png",
        title="Accuracy on unseen texts by labels given",
    )


_EXPLAINED = """\
Means over seeds, 95 % intervals by bootstrap over seeds in brackets; ">": not every seed got there within the
budget, which then counts as its number, so the mean is too low and the difference too small. Differences
are paired: the default less the other with the same seed. Area: mean accuracy over the budget.
"""


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/sets"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--vectors", type=Path, default=Path(".cache/vectors"), help="encoded sets are kept")
    parser.add_argument("--runs", type=Path, default=Path(".cache/labels-runs.jsonl"), help="runs are kept")
    return parser.parse_args()


def _run(
    ledger: Ledger,
    text_set: TextSet,
    encoded: EncodedSet,
    strategies: Sequence[str],
    protocol: str,
    seed: int,
) -> None:
    missing = [name for name in strategies if Key(text_set.name, name, protocol, seed) not in ledger.runs]
    if not missing:
        return
    exercise = encoded.draw(seed, with_names=protocol == WITH_NAMES)
    full = _full(ledger, encoded, exercise, text_set.name, protocol, seed)
    for name in missing:
        strategy, share = (AUTO, DEFAULT_SHARE) if name == DEFAULT else (name, 0.0)
        plan = Plan(strategy, text_set.batch, text_set.budget, share, seed)
        ledger.do(Key(text_set.name, name, protocol, seed), full, lambda plan=plan: simulate(exercise, plan))


def _full(
    ledger: Ledger, encoded: EncodedSet, exercise: Exercise, dataset: str, protocol: str, seed: int
) -> float:
    """Accuracy with the whole pool: once a set, and once a seed where the seed draws the pool."""
    for key, run in ledger.runs.items():
        if (key.dataset, key.protocol) == (dataset, protocol) and (encoded.is_test.any() or key.seed == seed):
            return run.full
    return full_accuracy(exercise, seed=0)


def _judge(bench: Bench, ledger: Ledger, done: Sequence[str]) -> None:
    for name in done:
        runs = list(ledger.of(name, DEFAULT, WITH_NAMES).values())
        for share, promise in zip((0.90, 0.95), PROMISED.get(name, (None, None)), strict=True):
            shown = f"{show_needed(runs, share)}, {len(runs)} seeds"
            what = f"{name}: labels to {share:.0%}"
            if promise is None:
                bench.add(what, shown)
                continue
            reached = all(run.needed(share) is not None for run in runs)
            mean = mean_needed(runs, share)
            bench.check(what, shown, target=f"≤ {promise}", reached=reached and mean <= promise)
    for rival in RIVALS:
        worse = [name for name in done if _is_worse(ledger, name, rival)]
        bench.check(
            f"sets on which the default is significantly worse than {rival} (area or labels to 90 %)",
            ", ".join(worse) or f"none of {len(done)}",
            target="none",
            reached=not worse,
        )
    _compare_means(bench, ledger, [name for name in NEVER_WORSE if name in done])


def _compare_means(bench: Bench, ledger: Ledger, names: Sequence[str]) -> None:
    """Geometric means over the sets that must never lose."""
    if not names:
        return
    means = {
        way: geometric_mean([mean_needed(ledger.of(name, way, WITH_NAMES).values(), 0.90) for name in names])
        for way in (DEFAULT, *RIVALS)
    }
    shown = ", ".join(f"{way} {value:.0f}" for way, value in means.items() if way != DEFAULT)
    bench.check(
        f"geometric mean of labels to 90 % over {', '.join(names)}",
        f"{means[DEFAULT]:.0f} ({shown})",
        target="below random and margin",
        reached=all(means[DEFAULT] < means[rival] for rival in RIVALS),
    )


def _is_worse(ledger: Ledger, name: str, rival: str) -> bool:
    area, needed = _differences(ledger, name, rival, WITH_NAMES)
    return area.high < 0 or needed.low > 0


def _differences(ledger: Ledger, name: str, rival: str, protocol: str) -> tuple[Interval, Interval]:
    """Area and labels to 90 %, the default less the other, over the seeds that both have."""
    ours, theirs = ledger.of(name, DEFAULT, protocol), ledger.of(name, rival, protocol)
    seeds = sorted(ours.keys() & theirs.keys())
    return (
        paired_difference([ours[s].area for s in seeds], [theirs[s].area for s in seeds]),
        paired_difference([ours[s].capped(0.9) for s in seeds], [theirs[s].capped(0.9) for s in seeds]),
    )


def _table(ledger: Ledger, name: str) -> str:
    text_set, first = SETS[name], next(iter(ledger.of(name, DEFAULT, WITH_NAMES).values()))
    lines = [
        f"## {name}",
        "",
        f"{text_set.batch} labels between trainings, budget {text_set.budget}; accuracy with the whole pool "
        f"{first.full:.3f}.",
        "",
        "| order | seeds | n90 | n95 | area | default's area less this | default's n90 less this |",
        "|---|---|---|---|---|---|---|",
    ]
    ways = [(way, WITH_NAMES) for way in SHARES] + [(way, WITHOUT_NAMES) for way in NAMELESS]
    lines += [row for way, protocol in ways if (row := _row(ledger, name, way, protocol))]
    return "\n".join(lines) + "\n"


def _row(ledger: Ledger, name: str, way: str, protocol: str) -> str:
    runs = list(ledger.of(name, way, protocol).values())
    if not runs:
        return ""
    area, differences = mean_interval([run.area for run in runs]), ("", "")
    if way != DEFAULT:
        by_area, by_needed = _differences(ledger, name, way, protocol)
        differences = (show_difference(by_area, ".1%"), show_difference(by_needed, ".0f"))
    title = way if protocol == WITH_NAMES else f"{way}, without names"
    cells = [title, str(len(runs)), show_needed(runs, 0.90), show_needed(runs, 0.95)]
    cells += [f"{area.mean:.1%} ({area.low:.1%} to {area.high:.1%})", *differences]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
