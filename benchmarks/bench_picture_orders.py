"""Labels needed on sets of pictures, by order.

python -m benchmarks.bench_picture_orders [FOLDER] [--cifar10 FILE] [--seeds N] [--orders NAME …]

Every run starts without a label and without names; everybody's answers train the head of the product, on the
vectors that the loop would have. Orders of scikit-activeml and small-text pick through their public API.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import geometric_mean

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from benchmarks.bench_images import STRENGTH
from benchmarks.bench_peers import Rival, as_strategy
from benchmarks.curves import draw_sets
from benchmarks.figures import RESULTS, Bench
from benchmarks.json_lines import JsonLines
from benchmarks.peer import Peer, read_versions
from benchmarks.picture_exercises import TASKS, EncodedPictures, read_sets
from benchmarks.runs import Key, Ledger, mean_needed, show_difference, show_needed
from model.audit import DEFAULT_SHARE
from model.simulation.report import FEWEST_SEEDS, Interval, mean_interval, paired_difference
from model.simulation.run import AUTO, Exercise, Plan, full_accuracy, simulate
from model.strategies import STRATEGIES

PROTOCOL = "same head, no names"
DEFAULT, RANDOM, MARGIN, WITHOUT_AUDIT = "default", "random", "margin", "default without audit"
OURS = {
    DEFAULT: (AUTO, DEFAULT_SHARE),
    RANDOM: ("random", 0.0),
    MARGIN: ("margin", 0.0),
    WITHOUT_AUDIT: (AUTO, 0.0),
}
RIVALS = (
    Rival("scikit-activeml", "max-herding", False),
    Rival("scikit-activeml", "badge", True),
    Rival("scikit-activeml", "dropquery", True),
    Rival("scikit-activeml", "typiclust", False),
    Rival("small-text", "embedding-k-means", True),
    Rival("small-text", "core-set", True),
    Rival("small-text", "breaking-ties", True),
)
MOST_OF_ANY, MOST_OF_CLIP_ART, MOST_OF_MEAN = 1.05, 0.5, 0.6


def main() -> None:
    """Do the runs that are missing, then write the tables."""
    options = _parse()
    torch.set_num_threads(1)
    bench = Bench("picture_orders", "Pictures: labels needed, by order")
    ledger, heads = Ledger(options.runs), JsonLines(options.heads)
    sets = read_sets(options.folder, cifar10=options.cifar10)
    if not sets:
        bench.say("left out: no vectors are kept, and --cifar10 does not say where that set is")
        return
    rivals = [rival for rival in RIVALS if not options.orders or rival.name in options.orders]
    with ExitStack() as stack:
        libraries = dict.fromkeys(rival.library for rival in rivals)
        peers = {name: stack.enter_context(Peer(name, options.environments)) for name in libraries}
        for rival in rivals:
            STRATEGIES[rival.name] = as_strategy(peers[rival.library], rival)
        for seed in range(options.seeds):
            for name, pictures in sets.items():
                _run_seed(ledger, heads, pictures, _plans(name, options.orders, rivals, seed))
                bench.say(f"{name}: seed {seed + 1} of {options.seeds}")
    _report(bench, ledger, heads, [name for name in TASKS if ledger.of(name, DEFAULT, PROTOCOL)])


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/images"))
    parser.add_argument("environments", type=Path, nargs="?", default=Path(".cache/peers"))
    parser.add_argument("--cifar10", type=Path, help="a tar file with its pictures and rows.jsonl")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--orders", nargs="*", default=(), help="some of the orders, by name; all without")
    parser.add_argument("--runs", type=Path, default=Path(".cache/images/order-runs.jsonl"), help="kept")
    parser.add_argument("--heads", type=Path, default=Path(".cache/images/head-runs.jsonl"), help="kept")
    return parser.parse_args()


def _plans(dataset: str, orders: Sequence[str], rivals: Sequence[Rival], seed: int) -> dict[str, Plan]:
    """Every order that is asked for, by name."""
    plans = {
        name: _plan(dataset, way, share, seed)
        for name, (way, share) in OURS.items()
        if not orders or name in orders
    }
    for rival in rivals:
        way = f"random+{rival.name}" if rival.needs_head else rival.name
        plans[rival.name] = _plan(dataset, way, 0.0, seed)
    return plans


def _run_seed(ledger: Ledger, heads: JsonLines, pictures: EncodedPictures, plans: Mapping[str, Plan]) -> None:
    """The orders that are missing, on one pool."""
    missing = {
        key: plan for name, plan in plans.items() if (key := _key(pictures, name, plan)) not in ledger.runs
    }
    if not missing:
        return
    seed = next(iter(missing.values())).seed
    exercise = pictures.draw(seed)
    full = _full(heads, pictures, exercise, seed)
    for key, plan in missing.items():
        ledger.do(key, full, lambda plan=plan: simulate(exercise, plan))


def _key(pictures: EncodedPictures, name: str, plan: Plan) -> Key:
    return Key(pictures.name, name, PROTOCOL, plan.seed)


def _plan(dataset: str, strategy: str, audit_share: float, seed: int) -> Plan:
    return Plan(strategy, TASKS[dataset].batch, TASKS[dataset].budget, audit_share, seed)


def _full(heads: JsonLines, pictures: EncodedPictures, exercise: Exercise, seed: int) -> float:
    """Accuracy of our head with the whole pool; kept beside that of logistic regressions."""
    for row in heads.rows:
        if (row["set"], row["seed"]) == (pictures.name, seed):
            return float(row["ours"])
    rows, tested = pictures.split(seed)
    plain = {
        name: float(
            LogisticRegression(C=STRENGTH, max_iter=300)
            .fit(view[rows], pictures.classes[rows])
            .score(view[tested], pictures.classes[tested])
        )
        for name, view in pictures.views().items()
    }
    ours = full_accuracy(exercise, seed=0)
    heads.append({"set": pictures.name, "seed": seed, "ours": ours} | plain)
    return ours


def _report(bench: Bench, ledger: Ledger, heads: JsonLines, done: Sequence[str]) -> None:
    ratios = {name: _ratio(ledger, name) for name in done}
    many = all(len(ledger.of(name, DEFAULT, PROTOCOL)) >= FEWEST_SEEDS for name in done)
    for name, ratio in ratios.items():
        limit = MOST_OF_CLIP_ART if name == "clip art" else MOST_OF_ANY
        needed = f"{_needed(ledger, name, DEFAULT)} ÷ {_needed(ledger, name, RANDOM)}"
        _judge(
            bench,
            many,
            f"{name}: labels to 90 %, default ÷ random",
            f"{needed} = {ratio:.2f}, {len(ledger.of(name, DEFAULT, PROTOCOL))} seeds",
            target=f"≤ {limit}",
            reached=ratio <= limit,
        )
    mean = geometric_mean(ratios.values())
    _judge(
        bench,
        many,
        f"geometric mean of the ratios over {', '.join(done)}",
        f"{mean:.2f}",
        target=f"≤ {MOST_OF_MEAN}",
        reached=mean <= MOST_OF_MEAN,
    )
    for name in done:
        for rival in (RANDOM, MARGIN, _best_rival(ledger, name)):
            if rival:
                _check_area(bench, ledger, name, rival)
        _check_head(bench, heads, name)
    bench.raw = {
        "peers": [read_versions(name) for name in dict.fromkeys(rival.library for rival in RIVALS)],
        "runs": [run.raw() for run in ledger.runs.values()],
        "heads": heads.rows,
    }
    bench.finish()
    with (RESULTS / "picture_orders.md").open("a", encoding="utf-8") as file:
        file.write("\n" + _EXPLAINED + "\n" + "\n".join(_table(ledger, name) for name in done))
    ways = [way for way in OURS if way != WITHOUT_AUDIT] + [rival.name for rival in RIVALS]
    draw_sets(
        {name: {way: ledger.of(name, way, PROTOCOL) for way in ways} for name in done},
        RESULTS / "picture_orders.png",
        title="Accuracy on unseen pictures by labels given",
    )


_EXPLAINED = """\
Pools of at most 1,000 pictures, drawn by seed, all others of at most 2,000 for testing (500 at least); no
names of classes. Everybody's answers train our head, on the joined vectors of the loop.
Means over seeds, 95 % intervals by bootstrap over seeds in brackets; ">": not every seed got there within the
budget, which then counts as its number. Differences are paired by seed: the default less the other.
Area: mean accuracy over the budget. The default has its audit share.
"""


def _judge(bench: Bench, many: bool, what: str, value: str, *, target: str, reached: bool) -> None:
    """A figure with its aim, and whether that is reached where there are seeds enough to say so."""
    if many:
        bench.check(what, value, target=target, reached=reached)
    else:
        bench.add(what, f"{value} (aim: {target}; too few seeds)")


def _needed(ledger: Ledger, name: str, way: str) -> str:
    return show_needed(list(ledger.of(name, way, PROTOCOL).values()), 0.90)


def _ratio(ledger: Ledger, name: str) -> float:
    """Mean labels of the default by those of random, over the seeds that both have."""
    ours, theirs = ledger.of(name, DEFAULT, PROTOCOL), ledger.of(name, RANDOM, PROTOCOL)
    both = ours.keys() & theirs.keys()
    return mean_needed([ours[seed] for seed in both], 0.90) / mean_needed(
        [theirs[seed] for seed in both], 0.90
    )


def _best_rival(ledger: Ledger, name: str) -> str:
    """The order of another library with the largest mean area; empty where none was run."""
    areas = {
        rival.name: np.mean([run.area for run in runs.values()])
        for rival in RIVALS
        if (runs := ledger.of(name, rival.name, PROTOCOL))
    }
    return max(areas, key=lambda rival: areas[rival], default="")


def _check_area(bench: Bench, ledger: Ledger, name: str, rival: str) -> None:
    area = _differences(ledger, name, rival)[0]
    shown = show_difference(area, ".1%")
    best = " (the best of the other libraries)" if rival not in OURS else ""
    what = f"{name}: default's area less that of {rival}{best}"
    seeds = ledger.of(name, DEFAULT, PROTOCOL).keys() & ledger.of(name, rival, PROTOCOL).keys()
    _judge(bench, len(seeds) >= FEWEST_SEEDS, what, shown, target="interval > 0", reached=area.low > 0)


def _check_head(bench: Bench, heads: JsonLines, name: str) -> None:
    rows = [row for row in heads.rows if row["set"] == name]
    views = ("encoder", "pixels", "joined")
    means = {view: float(np.mean([row[view] for row in rows])) for view in views}
    best = max(views, key=lambda view: means[view])
    gain = paired_difference([row["ours"] for row in rows], [row[best] for row in rows])
    shown = f"{np.mean([row['ours'] for row in rows]):.3f} / " + " / ".join(f"{means[v]:.3f}" for v in views)
    _judge(
        bench,
        len(rows) >= FEWEST_SEEDS,
        f"{name}: accuracy with all labels, ours / logistic regression on {' / '.join(views)}",
        f"{shown}; ours less {best} {show_difference(gain, '.1%')}",
        target="≥ the best",
        reached=gain.mean >= 0,
    )


def _differences(ledger: Ledger, name: str, rival: str) -> tuple[Interval, Interval]:
    """Area and labels to 90 %, the default less the other, over the seeds that both have."""
    ours, theirs = ledger.of(name, DEFAULT, PROTOCOL), ledger.of(name, rival, PROTOCOL)
    seeds = sorted(ours.keys() & theirs.keys())
    return (
        paired_difference([ours[s].area for s in seeds], [theirs[s].area for s in seeds]),
        paired_difference([ours[s].capped(0.9) for s in seeds], [theirs[s].capped(0.9) for s in seeds]),
    )


def _table(ledger: Ledger, name: str) -> str:
    task, runs = TASKS[name], ledger.of(name, DEFAULT, PROTOCOL).values()
    full = float(np.mean([run.full for run in runs]))
    lines = [
        f"## {name}",
        "",
        f"{task.batch} labels between trainings, budget {task.budget}; "
        f"accuracy with the whole pool {full:.3f}.",
        "",
        "| order | seeds | n90 | n95 | area | default's area less this | default's n90 less this |",
        "|---|---|---|---|---|---|---|",
    ]
    ways = [*OURS, *(rival.name for rival in RIVALS)]
    return "\n".join(lines + [row for way in ways if (row := _row(ledger, name, way))]) + "\n"


def _row(ledger: Ledger, name: str, way: str) -> str:
    runs = list(ledger.of(name, way, PROTOCOL).values())
    if not runs:
        return ""
    area, differences = mean_interval([run.area for run in runs]), ["", ""]
    if way != DEFAULT:
        by_area, by_needed = _differences(ledger, name, way)
        differences = [show_difference(by_area, ".1%"), show_difference(by_needed, ".0f")]
    cells = [way, str(len(runs)), show_needed(runs, 0.90), show_needed(runs, 0.95)]
    cells += [f"{area.mean:.1%} ({area.low:.1%} to {area.high:.1%})", *differences]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
