"""Digits rendered from fonts beside handwritten ones, in live projects: what they lift, and which are faulty.

python -m benchmarks.bench_live_digits [FOLDER] [--seeds N]
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from backend.label_studio.label_config import parse_label_config
from backend.workflows.intake.snapshot import take_snapshot
from backend.workflows.training.learn import learn
from backend.workflows.views.signals import newest_signals
from benchmarks.figures import Bench
from benchmarks.glyphs import DIGITS, LETTERS, Font, Glyph, as_png, load_fonts, render
from benchmarks.image_sets import load_digits
from benchmarks.image_vectors import image_encoder, joined_vectors
from benchmarks.json_lines import JsonLines
from benchmarks.live_pictures import PictureStage, open_picture_stage
from model.encoders.image_folders import LITE0_FOLDER
from model.heads.single_label import LinearHead
from model.records import Floats
from model.synthetic.items import HARMFUL, VERDICTS
from tests.workbench import Workbench

CONFIG = (
    '<View><Image name="image" value="$image"/><Choices name="digit" toName="image" required="true">'
    + "".join(f'<Choice value="{digit}"/>' for digit in DIGITS)
    + "</Choices></View>"
)
HANDWRITTEN, TASKS = 4000, 1200  # of the set, and of a project; the rest measures accuracy
SOUND, WRONG, OTHERS = KINDS = ("sound", "wrong label", "letter")
ALPHABETS, WRONG_ALPHABETS, LETTER_SETS = 40, 8, 5  # of ten digits, and of sixteen letters
WINDOW, AUDIT = 400, 0.5  # half of what is served is asked blind, until there are a hundred
LEANINGS = 2  # of each font
FEW, MANY = 20, 300  # labels that teach
PRECISION, RECALL = 0.9, 0.6
PROJECTS = ("all sound", "some faulty")
ALL_TASKS = "all synthetic tasks"  # as the page calls its first row
Found = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """A rendered picture, the digit it is said to show, and what it really is."""

    glyph: Glyph
    label: str
    kind: str


@dataclass(frozen=True, slots=True, eq=False)
class Handwritten:
    """All handwritten digits: pictures as files (n), digits (n,), and their vectors (n, d)."""

    files: list[bytes]
    digits: list[str]
    vectors: Floats


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/images"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument(
        "--runs", type=Path, default=Path(".cache/images/live-digits.jsonl"), help="runs are kept"
    )
    options = parser.parse_args()
    torch.set_num_threads(1)
    real, fonts = _load_handwritten(options.folder), tuple(load_fonts())
    if real is None:
        print("live digits: no digits or no encoder is there, left out")
        return
    bench = Bench("live_digits", f"Digits rendered from {len(fonts)} fonts beside handwritten ones, live")
    ledger = JsonLines(options.runs)
    with open_picture_stage() as stage:
        _keep_vectors(stage, real)
        for seed in range(options.seeds):
            for project in PROJECTS:
                if not _kept(ledger, project, seed):
                    for row in _run(stage, real, fonts, project, seed):
                        ledger.append({"project": project, "seed": seed} | row)
                        bench.say(f"{project}, seed {seed}, {row['taught']} labels taught")
    for project in PROJECTS:
        rows = [row for seed in range(options.seeds) for row in _kept(ledger, project, seed)]
        bench.raw[project] = rows
        (_report_lift if project == PROJECTS[0] else _report_faults)(bench, rows)
    bench.finish()


def _run(
    stage: PictureStage, real: Handwritten, fonts: tuple[Font, ...], project: str, seed: int
) -> list[Found]:
    """One project, answered truly in the order served; looked at with few labels and with many."""
    rng = np.random.default_rng([seed, PROJECTS.index(project)])
    made = make_digits(fonts, rng, faulty=project == PROJECTS[1])
    order = rng.permutation(len(real.digits))
    taken, test = order[:TASKS], order[TASKS:]
    pictures = {_real_address(row): real.files[row] for row in taken.tolist()}
    rows: list[dict[str, object]] = [{"image": address} for address in pictures]
    for number, one in enumerate(made):
        address = f"/data/upload/2/{project.replace(' ', '-')}-{seed}-{number}.png"
        pictures[address] = one.glyph.content
        rows.append({"image": address, "source": "synthetic", "generator": "fonts", "label": one.label})
    settings = {"audit_share": AUDIT, "queue_window": WINDOW, "synthetic_share": 0.0, "novelty_share": 0.0}
    bench = stage.open_project(CONFIG, rows, pictures, **settings)
    answers = {_real_address(row): real.digits[row] for row in taken.tolist()}
    truth = dict(zip(sorted(bench.tasks)[len(taken) :], [one.kind for one in made], strict=True))
    found = []
    for goal in (FEW, MANY):
        answer_until(bench, answers, goal)
        found.append(
            {"goal": goal}
            | look(bench, truth, real.vectors[test], [real.digits[row] for row in test.tolist()])
        )
    return found


@cache
def render_all(fonts: tuple[Font, ...]) -> tuple[list[Glyph], ...]:
    """Digits and letters of every font, leaning in some ways each; the same at every call."""
    rng = np.random.default_rng(0)
    return tuple(render(font, DIGITS + LETTERS, rng) for font in fonts for _ in range(LEANINGS))


def make_digits(fonts: tuple[Font, ...], rng: np.random.Generator, *, faulty: bool) -> list[Made]:
    """Rendered digits in random order; faulty ones carry another digit, or are letters with any digit."""
    rendered = render_all(fonts)
    chosen = [rendered[row] for row in rng.permutation(len(rendered))[:ALPHABETS]]
    found = []
    for number, glyphs in enumerate(chosen):
        is_wrong = faulty and number < WRONG_ALPHABETS
        for glyph in glyphs[: len(DIGITS)]:
            shift = int(rng.integers(1, 10)) if is_wrong else 0
            label = DIGITS[(DIGITS.index(glyph.character) + shift) % 10]
            found.append(Made(glyph, label, WRONG if is_wrong else SOUND))
    for glyphs in chosen[:LETTER_SETS] if faulty else []:
        for glyph in glyphs[len(DIGITS) :]:
            found.append(Made(glyph, DIGITS[int(rng.integers(10))], OTHERS))
    return [found[row] for row in rng.permutation(len(found))]


def answer_until(bench: Workbench, answers: dict[str, str], goal: int) -> None:
    """Answers what is served until `goal` labels teach, the others being asked blind; a loop in between."""
    at_once = bench.workspace.settings.queue_window // 2
    while True:
        missing = goal - int((~blind_labels(bench)).sum())
        if missing <= 0:
            return
        for _ in range(min(2 * missing, at_once) if missing > 2 else 1):
            task = bench.label_studio.serve_next(bench.project_id)
            bench.label_studio.annotate(task["id"], answers[task["data"]["image"]])
        bench.loop()


def blind_labels(bench: Workbench) -> NDArray[np.bool_]:
    """Which of the labels (n,) were asked blind."""
    snapshot = take_snapshot(bench.workspace, _config(bench))
    found: NDArray[np.bool_] = snapshot.audit[snapshot.labelled]
    return found


def look(bench: Workbench, truth: dict[int, str], test: Floats, answers: Sequence[str]) -> Found:
    """What the page says after the loop, what each verdict fell on, and accuracy on digits apart.

    `truth` is the kind of each synthetic task; `test` (n, d) are vectors of digits, `answers` (n) what they
    show. Raises RuntimeError when the loop weighed no synthetic tasks.
    """
    workspace, config = bench.workspace, _config(bench)
    signals = newest_signals(workspace)
    if signals is None or not signals.stored.get("synthetic"):
        raise RuntimeError("live digits: the loop weighed no synthetic tasks")
    (lift,) = (row for row in signals.stored["synthetic"]["lift"] if row["generator"] == ALL_TASKS)
    judged = workspace.verdicts.of_kinds(VERDICTS)
    served, manifest = workspace.registry.load(workspace.key, bench.version)
    snapshot = take_snapshot(workspace, config)
    alone = learn(workspace, config, snapshot).trained.head
    audit = blind_labels(bench)
    return {
        "taught": int((~audit).sum()),
        "audit": int(audit.sum()),
        "lift": [lift["mean"], lift["low"], lift["high"]],
        "verdicts": _count([(truth[row.task_id], row.verdict) for row in judged]),
        "overtaken": sum(row.reason.startswith("Overtaken") for row in judged),
        "weight": manifest.metrics.get("auxiliary_weight"),
        "accuracy": {"without": _accuracy(alone, test, answers), "live": _accuracy(served, test, answers)},
    }


def _accuracy(head: LinearHead, vectors: Floats, answers: Sequence[str]) -> float:
    said = [head.space.names[column] for column in head.logits(vectors).argmax(axis=1)]
    return float(np.mean([each == answer for each, answer in zip(said, answers, strict=True)]))


def _count(pairs: Sequence[Sequence[str]]) -> dict[str, dict[str, int]]:
    """How often each verdict fell on each kind."""
    found: dict[str, dict[str, int]] = {}
    for kind, verdict in pairs:
        of_kind = found.setdefault(kind, {})
        of_kind[verdict] = of_kind.get(verdict, 0) + 1
    return found


def _config(bench: Workbench) -> Any:
    return parse_label_config(bench.remote["label_config"], bench.workspace.preference)


def _real_address(row: int) -> str:
    return f"/data/upload/1/handwritten-{row}.png"


def _load_handwritten(folder: Path) -> Handwritten | None:
    digits = load_digits(folder / "packages", most=HANDWRITTEN)
    if digits is None or not LITE0_FOLDER.is_dir():
        return None
    vectors = joined_vectors(digits, folder, image_encoder())
    files = [as_png(picture) for picture in digits.pictures]
    return Handwritten(files, [str(column) for column in digits.classes.tolist()], vectors)


def _keep_vectors(stage: PictureStage, real: Handwritten) -> None:
    """The handwritten digits were encoded before: their vectors are kept where the loop looks for them."""
    pairs = zip(real.files, real.vectors, strict=True)
    rows = {hashlib.sha256(content).hexdigest(): vector.tobytes() for content, vector in pairs}
    stage.context.vectors.write(stage.context.encoders.images.revision, rows)


def _kept(ledger: JsonLines, project: str, seed: int) -> list[Found]:
    return [row for row in ledger.rows if (row["project"], row["seed"]) == (project, seed)]


def _report_lift(bench: Bench, rows: Sequence[Found]) -> None:
    """What sound digits lift, with few labels and with many."""
    for goal, at_least in ((FEW, "helpful"), (MANY, "no effect or overtaken")):
        mine = [row for row in rows if row["goal"] == goal]
        what = f"all sound, {goal} labels that teach, {_span([row['audit'] for row in mine])} asked blind"
        helpful = [row["lift"][1] > 0.0 for row in mine]
        harmful = [row["lift"][2] < 0.0 and not row["overtaken"] for row in mine]
        over = [row["overtaken"] > 0 for row in mine]
        right = (
            helpful
            if goal == FEW
            else [not (up or down) or gone for up, down, gone in zip(helpful, harmful, over, strict=True)]
        )
        bench.check(
            f"{what}: lift that the page shows",
            f"{100.0 * _mean([row['lift'][0] for row in mine]):+.1f} points; helpful in {sum(helpful)}, "
            f"harmful in {sum(harmful)}, overtaken in {sum(over)} of {len(mine)}",
            target=f"{at_least} in nine of ten",
            reached=10 * sum(right) >= 9 * len(mine),
        )
        shares = [f"{_mean([row['accuracy'][name] for row in mine]):.3f}" for name in mine[0]["accuracy"]]
        bench.add(f"{what}: accuracy without them, and of the live head", " / ".join(shares))
        bench.add(f"{what}: verdicts, of {len(mine)} projects", _verdicts(mine, SOUND))


def _report_faults(bench: Bench, rows: Sequence[Found]) -> None:
    """What is called harmful, and how much of what is faulty."""
    for goal in (FEW, MANY):
        mine = [row for row in rows if row["goal"] == goal]
        called = {kind: sum(row["verdicts"].get(kind, {}).get(HARMFUL, 0) for row in mine) for kind in KINDS}
        totals = {kind: sum(sum(row["verdicts"].get(kind, {}).values()) for row in mine) for kind in KINDS}
        faulty = called[WRONG] + called[OTHERS]
        precision = faulty / max(sum(called.values()), 1)
        recall = faulty / max(totals[WRONG] + totals[OTHERS], 1)
        parts = ", ".join(f"{kind} {called[kind] / max(totals[kind], 1):.2f}" for kind in (WRONG, OTHERS))
        what = f"some faulty, {goal} labels that teach: harmful, precision; recall ({parts})"
        value, target = f"{precision:.3f}; {recall:.3f}", f"≥ {PRECISION:g}; ≥ {RECALL:g}"
        if goal == MANY:
            bench.check(what, value, target=target, reached=precision >= PRECISION and recall >= RECALL)
        else:
            bench.add(what, value)
        for kind in KINDS:
            bench.add(f"some faulty, {goal} labels that teach: verdicts on {kind}", _verdicts(mine, kind))


def _verdicts(rows: Sequence[Found], kind: str) -> str:
    """How often each verdict fell on items of a kind."""
    total: dict[str, int] = {}
    for row in rows:
        for verdict, count in row["verdicts"].get(kind, {}).items():
            total[verdict] = total.get(verdict, 0) + count
    return ", ".join(
        f"{verdict} {count / sum(total.values()):.0%}" for verdict, count in sorted(total.items())
    )


def _span(values: Sequence[int]) -> str:
    return f"{min(values)} to {max(values)}"


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


if __name__ == "__main__":
    main()
