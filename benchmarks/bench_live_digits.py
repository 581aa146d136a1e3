"""Digits rendered from fonts beside handwritten ones, in live projects: what they lift, and which are faulty.

python -m benchmarks.bench_live_digits [FOLDER] [--seeds N]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from backend.label_studio.label_config import parse_label_config
from backend.workflows.intake.snapshot import take_snapshot
from backend.workflows.training.judging import auxiliary_items, judge_tasks
from backend.workflows.training.learn import AuxiliaryItem, learn
from backend.workflows.views.signals import newest_signals
from benchmarks.figures import Bench
from benchmarks.glyphs import DIGITS, LETTERS, Font, Glyph, as_png, load_fonts, render
from benchmarks.image_sets import ImageSet, load_image_sets
from benchmarks.image_vectors import image_encoder, joined_vectors
from benchmarks.json_lines import JsonLines
from benchmarks.picture_stage import PictureStage, open_picture_stage
from model.encoders.image_folders import LITE0_FOLDER
from model.records import Floats
from tests.workbench import Workbench

CONFIG = (
    '<View><Image name="image" value="$image"/><Choices name="digit" toName="image" required="true">'
    + "".join(f'<Choice value="{digit}"/>' for digit in DIGITS)
    + "</Choices></View>"
)
HANDWRITTEN, TASKS = 4000, 1500  # of the set, and of a project; the rest measures accuracy
SOUND, WRONG, OTHERS = "sound", "wrong label", "letter"
ALPHABETS, WRONG_ALPHABETS, LETTER_SETS = 40, 8, 5  # of ten digits, and of sixteen letters
WINDOW, AUDIT = 100, 0.5  # half of what is served is asked blind, until there are a hundred
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
    real, fonts = _load_handwritten(options.folder), load_fonts()
    if real is None:
        print("live digits: no digits or no encoder is there, left out")
        return
    bench = Bench("live_digits", f"Digits rendered from {len(fonts)} fonts beside handwritten ones, live")
    ledger = JsonLines(options.runs)
    with open_picture_stage() as stage:
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


def _run(stage: PictureStage, real: Handwritten, fonts: Sequence[Font], project: str, seed: int) -> list[Found]:
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
    bench = stage.open_project(CONFIG, rows, pictures, overrides=settings)
    answers = {_real_address(row): real.digits[row] for row in taken.tolist()}
    truth = {task: kind for task, kind in zip(sorted(bench.tasks)[len(taken) :], [one.kind for one in made], strict=True)}
    found = []
    for goal in (FEW, MANY):
        _answer_until(bench, answers, goal)
        found.append(_look(bench, truth, real, test))
    return found


def make_digits(fonts: Sequence[Font], rng: np.random.Generator, *, faulty: bool) -> list[Made]:
    """Rendered digits in random order; faulty ones carry another digit, or are letters with any digit."""
    chosen = [fonts[row] for row in rng.integers(len(fonts), size=ALPHABETS)]
    found = []
    for number, font in enumerate(chosen):
        is_wrong = faulty and number < WRONG_ALPHABETS
        for glyph in render(font, DIGITS, rng):
            shift = int(rng.integers(1, 10)) if is_wrong else 0
            label = DIGITS[(DIGITS.index(glyph.character) + shift) % 10]
            found.append(Made(glyph, label, WRONG if is_wrong else SOUND))
    for font in chosen[:LETTER_SETS] if faulty else []:
        for glyph in render(font, LETTERS, rng):
            found.append(Made(glyph, DIGITS[int(rng.integers(10))], OTHERS))
    return [found[row] for row in rng.permutation(len(found))]


def _answer_until(bench: Workbench, answers: dict[str, str], goal: int) -> None:
    """Answers what is served until `goal` labels teach, the others being asked blind; a loop in between."""
    while True:
        missing = goal - int((~_audit(bench)).sum())
        if missing <= 0:
            return
        for _ in range(min(2 * missing, WINDOW // 2) if missing > 2 else 1):
            task = bench.label_studio.serve_next(bench.project_id)
            bench.label_studio.annotate(task["id"], answers[task["data"]["image"]])
        bench.loop()


def _audit(bench: Workbench) -> NDArray[np.bool_]:
    """Which of the labels (n,) were asked blind."""
    snapshot = take_snapshot(bench.workspace, _config(bench))
    found: NDArray[np.bool_] = snapshot.audit[snapshot.labelled]
    return found


def _look(bench: Workbench, truth: dict[int, str], real: Handwritten, test: NDArray[np.intp]) -> Found:
    """What the page says after the loop, what each verdict fell on, and accuracy on digits apart."""
    workspace, config = bench.workspace, _config(bench)
    signals = newest_signals(workspace)
    if signals is None or signals.stored.get("synthetic") is None:
        raise RuntimeError("live digits: the loop weighed no synthetic tasks")
    (lift,) = (row for row in signals.stored["synthetic"]["lift"] if row["generator"] == ALL_TASKS)
    snapshot = take_snapshot(workspace, config)
    judged = judge_tasks(workspace, config, snapshot)
    if judged is None:
        raise RuntimeError("live digits: nothing was judged")
    verdicts = [[truth[item.id], item.verdict] for item in judged.judgement.items]
    audit = _audit(bench)
    kept = auxiliary_items(judged, config)
    everything = [AuxiliaryItem(task.task_id, task.intended[0]) for task in judged.tasks if task.intended]
    heads = {"none": [], "all": everything, "taught": kept}
    accuracy = {}
    for name, auxiliary in heads.items():
        learned = learn(workspace, config, snapshot, auxiliary=auxiliary)
        said = learned.trained.head.logits(real.vectors[test]).argmax(axis=1)
        accuracy[name] = float(np.mean([DIGITS[column] == real.digits[row] for column, row in zip(said, test, strict=True)]))
    return {
        "taught": int((~audit).sum()),
        "audit": int(audit.sum()),
        "lift": [lift["mean"], lift["low"], lift["high"]],
        "verdicts": _count(verdicts),
        "overtaken": int(sum("vertaken" in item.reason for item in judged.judgement.items)),
        "accuracy": accuracy,
        "figures": bench.workspace.loops.newest().figures.get("seconds"),
    }


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
    sets = load_image_sets(folder / "packages", cifar10=None, most=HANDWRITTEN)
    digits: list[ImageSet] = [one for one in sets if one.name == "digits"]
    if not digits or not LITE0_FOLDER.is_dir():
        return None
    vectors = joined_vectors(digits[0], folder, image_encoder())
    files = [as_png(picture) for picture in digits[0].pictures]
    return Handwritten(files, [str(column) for column in digits[0].classes.tolist()], vectors)


def _kept(ledger: JsonLines, project: str, seed: int) -> list[Found]:
    return [row for row in ledger.rows if (row["project"], row["seed"]) == (project, seed)]


def _report_lift(bench: Bench, rows: Sequence[Found]) -> None:
    pass


def _report_faults(bench: Bench, rows: Sequence[Found]) -> None:
    pass


if __name__ == "__main__":
    main()
