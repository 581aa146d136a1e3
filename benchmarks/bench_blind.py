"""What blind answers tell, early and late: python -m benchmarks.bench_blind [FOLDER] [--seeds N].

FOLDER holds sets as data_sets writes them. Do ranges of the accuracy, from the first blind answers on, and of
what is left hold the truth; and what do more blind tasks at the start cost in labels?
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bench_unseen_classes import SETS, read_pool
from benchmarks.blind_runs import (
    LATER_SHARE,
    Moment,
    Pool,
    draw_pool,
    early_quota,
    early_share,
    full_accuracy,
    label_pool,
)
from benchmarks.figures import Bench
from benchmarks.json_lines import JsonLines
from model.audit import DEFAULT_SHARE, audit_quota
from model.calibration import exact_interval, wilson_interval
from model.signals.estimate import Estimate
from model.signals.power_law import learned_more
from model.signals.prediction_powered import Sample, estimate_accuracy, estimate_exactly
from model.signals.rest_accuracy import estimate_rest

MOMENTS = {300: (30, 70, 140, 240, 285), 600: (150, 330)}  # by tasks: labels at which a project is looked at
STEPS = tuple(range(25, 276, 25))  # labels of 400 at which two schedules are compared
HALF_WIDTHS_AT = (50, 100, 200)
SIZE_OF_PAIRS = 400
SHARE = 0.9  # of the accuracy that the whole pool gives
LEAST, MOST = 0.93, 0.97
COLUMNS = ("set", "seed", "labels", "blind", "open", "exact", "assisted", "rest", "pool_true", "rest_true")

Row = dict[str, Any]


def main() -> None:
    """Run the bench; runs that are kept are not repeated."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/sets"))
    parser.add_argument("--seeds", type=int, default=150, help="projects on each set")
    parser.add_argument("--larger", type=int, default=10, help="projects of 600 tasks on each set")
    parser.add_argument("--pairs", type=int, default=20, help="projects on each set under two schedules")
    parser.add_argument("--cache", type=Path, default=Path(".cache/unseen"), help="where vectors are kept")
    parser.add_argument("--runs", type=Path, help="a file that keeps every run; it goes on from there")
    options = parser.parse_args()
    bench = Bench("blind", "What blind answers tell, simulated annotators on public sets")
    kept = JsonLines(options.runs or options.cache / "blind.jsonl")
    pools = {name: read_pool(name, options.folder, options.cache) for name in SETS}
    for seed in range(options.seeds):
        for name, texts in pools.items():
            if texts is None:
                continue
            _run(kept, "ranges", _ranges, draw_pool(texts, seed, size=300), (name, seed))
            if seed < options.larger and len(texts.answers) > 600:
                _run(kept, "larger", _ranges, draw_pool(texts, seed, size=600), (name, seed))
            if seed < options.pairs:
                _run(kept, "pairs", _pair, draw_pool(texts, seed, size=SIZE_OF_PAIRS), (name, seed))
        bench.say(f"{seed + 1} of {options.seeds} projects on each set")
    most = {"ranges": options.seeds, "larger": options.larger, "pairs": options.pairs}
    wanted = [row for row in kept.rows if row["seed"] < most[row["kind"]]]
    ranges = [row for row in wanted if row["kind"] != "pairs"]
    pairs = [row for row in wanted if row["kind"] == "pairs"]
    report_ranges(bench, ranges)
    report_schedules(bench, pairs)
    bench.raw = {"columns": ", ".join(COLUMNS), "ranges": list(_lines(ranges)), "pairs": pairs}
    bench.finish()


def _lines(rows: Sequence[Row]) -> Iterator[str]:
    """A line for each moment: there are thousands."""
    for row in rows:
        for one in row["found"]:
            values = [one[name] for name in COLUMNS[2:]]
            flat = [part for value in values for part in (value if isinstance(value, list) else [value])]
            yield ", ".join([row["set"], str(row["seed"]), *(f"{round(part, 4)}" for part in flat)])


def _run(
    kept: JsonLines, kind: str, run: Callable[[Pool], Any], pool: Pool, project: tuple[str, int]
) -> None:
    """One project, unless it is kept already."""
    name, seed = project
    key = {"kind": kind, "set": name, "seed": seed}
    if not any(row | key == row for row in kept.rows):
        kept.append(key | {"found": run(pool)})


def _ranges(pool: Pool) -> list[Row]:
    moments = label_pool(
        pool, audit_quota, share=lambda _labels: DEFAULT_SHARE, sizes=MOMENTS[len(pool.answers)]
    )
    return [look(moment) for moment in moments if moment.blind.any()]


def look(moment: Moment) -> Row:
    """The ranges at one moment beside the truth."""
    sure = moment.sure.astype(np.float64)
    sample = Sample.from_pool(
        moment.correct,
        sure,
        blind=moment.blind,
        unlabelled_confidence=moment.rest_sure,
        position=np.arange(moment.labels),
    )
    rest = estimate_rest(moment.correct, sure, blind=moment.blind, unlabelled_confidence=moment.rest_sure)
    if rest is None:
        raise ValueError("look: no blind answer")
    right = int(moment.correct.sum()) + int(moment.rest_right.sum())
    return {
        "labels": moment.labels,
        "blind": int(moment.blind.sum()),
        "exact": _list(learned_more(estimate_exactly(sample), LATER_SHARE)),
        "assisted": _list(learned_more(estimate_accuracy(sample), LATER_SHARE)),
        "rest": _list(rest),
        "pool_true": right / (moment.labels + len(moment.rest_right)),
        "rest_true": float(moment.rest_right.mean()),
        "open": len(moment.rest_right),
    }


def _pair(pool: Pool) -> Row:
    """The same project under the schedule in use and under one that asks blind twice as often at first."""
    now = label_pool(pool, audit_quota, share=lambda _labels: DEFAULT_SHARE, sizes=STEPS, window=25)
    early = label_pool(pool, early_quota, share=early_share, sizes=STEPS, window=25)
    return {
        "full": full_accuracy(pool),
        "now": [_point(one) for one in now],
        "early": [_point(one) for one in early],
    }


def _point(moment: Moment) -> list[float]:
    """Labels, accuracy on the items apart, blind labels, and the share of these that was right."""
    right = moment.correct[moment.blind]
    return [moment.labels, moment.test, len(right), float(right.mean())]


def report_ranges(bench: Bench, rows: Sequence[Row]) -> None:
    """How often each range holds its truth, by how many labels there were, and how wide it is."""
    found = [one for row in rows for one in row["found"]]
    bench.add("simulated projects, on so many sets", f"{len(rows)}, {len({row['set'] for row in rows})}")
    for size, labels in [(size, labels) for size, moments in MOMENTS.items() for labels in moments]:
        there = [one for one in found if (one["labels"] + one["open"], one["labels"]) == (size, labels)]
        if not there:
            continue
        blind = np.mean([one["blind"] for one in there])
        where = f"{labels} of {size} tasks labelled, {blind:.0f} of them blind"
        for name, truth, what in (
            ("exact", "pool_true", "accuracy, by blind answers alone"),
            ("assisted", "pool_true", "accuracy, with the rest of the pool"),
            ("assisted", "rest_true", "accuracy of the pool, taken for that of what is left"),
        ):
            bench.add(f"{where}: {what}", _held(there, name, truth))
        _promise(bench, f"{where}: accuracy of what is left", there)
    _promise(bench, "accuracy of what is left, all moments", found)
    for name in sorted({row["set"] for row in rows}):
        of_set = [one for row in rows if row["set"] == name for one in row["found"]]
        bench.add(f"accuracy of what is left, {name}", _held(of_set, "rest", "rest_true"))


def _promise(bench: Bench, what: str, found: Sequence[Row]) -> None:
    held = float(np.mean(_is_held(found, "rest", "rest_true")))
    shown = _held(found, "rest", "rest_true")
    bench.check(what, shown, target="93 to 97 %", reached=LEAST <= held <= MOST)


def _held(found: Sequence[Row], name: str, truth: str) -> str:
    held = _is_held(found, name, truth)
    low, high = wilson_interval(int(np.sum(held)), len(held))
    off = 100.0 * np.mean([one[name][0] - one[truth] for one in found])
    half = 50.0 * np.mean([one[name][2] - one[name][1] for one in found])
    return (
        f"held {100 * np.mean(held):.1f} % ({100 * low:.1f} to {100 * high:.1f}, n = {len(held)}), "
        f"off by {off:+.1f} points, ± {half:.1f}"
    )


def _is_held(found: Iterable[Row], name: str, truth: str) -> list[bool]:
    return [one[name][1] - 1e-9 <= one[truth] <= one[name][2] + 1e-9 for one in found]


def report_schedules(bench: Bench, rows: Sequence[Row]) -> None:
    """What more blind tasks at the start bring and cost."""
    if not rows:
        return
    for labels in HALF_WIDTHS_AT:
        bench.add(f"{labels} labels: blind ones, now and with more at the start", _blind_counts(rows, labels))
        bench.add(f"{labels} labels: range by these alone, now and with more", _half_widths(rows, labels))
        _compare_accuracy(bench, rows, labels)
    pairs = [(labels_to(row["found"], "early"), labels_to(row["found"], "now")) for row in rows]
    ratios = [np.log(ours / theirs) for ours, theirs in pairs if ours is not None and theirs is not None]
    mean, error = float(np.mean(ratios)), float(np.std(ratios) / np.sqrt(len(ratios)))
    bench.check(
        "labels to 90 % of the whole pool's accuracy, more blind tasks at the start beside now",
        f"{100 * np.expm1(mean):+.1f} % ({100 * np.expm1(mean - 1.96 * error):+.1f} to "
        f"{100 * np.expm1(mean + 1.96 * error):+.1f}, {len(ratios)} pairs)",
        target="≤ +1 %",
        reached=bool(np.expm1(mean) <= 0.01),
    )


def _compare_accuracy(bench: Bench, rows: Sequence[Row], labels: int) -> None:
    gains = [_at(row["found"]["early"], labels)[1] - _at(row["found"]["now"], labels)[1] for row in rows]
    error = np.std(gains) / np.sqrt(len(gains))
    bench.add(
        f"{labels} labels: accuracy with more blind tasks at the start less now",
        f"{100 * np.mean(gains):+.2f} points (± {196 * error:.2f})",
    )


def _blind_counts(rows: Sequence[Row], labels: int) -> str:
    now, early = (np.mean([_at(row["found"][kind], labels)[2] for row in rows]) for kind in ("now", "early"))
    return f"{now:.1f}, {early:.1f}"


def _half_widths(rows: Sequence[Row], labels: int) -> str:
    shown = []
    for kind in ("now", "early"):
        points = [_at(row["found"][kind], labels) for row in rows]
        ranges = [exact_interval(round(share * blind), int(blind)) for _labels, _test, blind, share in points]
        shown.append(f"± {50.0 * np.mean([high - low for low, high in ranges]):.1f}")
    return ", ".join(shown)


def _at(curve: Sequence[Sequence[float]], labels: int) -> Sequence[float]:
    return next(point for point in curve if point[0] == labels)


def labels_to(found: Row, kind: str) -> float | None:
    """Labels at which a curve first reaches 90 % of the whole pool's accuracy, by straight lines."""
    target, before = SHARE * found["full"], None
    for labels, accuracy, *_blind in found[kind]:
        if accuracy >= target:
            if before is None:
                return float(labels)
            part = (target - before[1]) / (accuracy - before[1])
            return float(before[0] + part * (labels - before[0]))
        before = (labels, accuracy)
    return None


def _list(found: Estimate) -> list[float]:
    return [found.value, found.low, found.high]


if __name__ == "__main__":
    main()
