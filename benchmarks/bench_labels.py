"""Labels needed on every set of a folder: python -m benchmarks.bench_labels [FOLDER] [--seeds N]."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

# One label per class between trainings; sets of two or three classes train every ten labels.
SETS = {
    "banking77": (77, 700, []),
    "banking77-long-tail": (77, 540, []),
    "clinc150": (10, 320, ["--label-field", "domain"]),
    "20news": (20, 500, []),
    "r8": (8, 200, []),
    "r52": (52, 468, []),
    "reviews": (10, 300, []),
    "spamassassin": (10, 200, []),
}
STRATEGIES = "uncertainty-herding,max-herding,random+margin,margin,badge,typiclust,core-set,dropquery,direct"


def main() -> None:
    """Run `simulate labels` on each set that is there, and keep its figures and its plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(".cache/sets"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--strategies", default=STRATEGIES)
    parser.add_argument("--results", type=Path, default=Path("benchmarks/results"))
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    for name, (batch, budget, extra) in SETS.items():
        path = options.folder / f"{name}.jsonl"
        if not path.is_file():
            print(f"{name}: not in {options.folder}, left out")
            continue
        command = [sys.executable, "-m", "backend", "simulate", "labels", str(path), "--json"]
        command += ["--strategies", options.strategies, "--batch", str(batch), "--seeds", str(options.seeds)]
        command += ["--budgets", f"{budget // 4},{budget // 2},{budget}", *extra]
        command += ["--plot", str(options.results / f"labels-{name}.svg")]
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
        figures = json.loads(done.stdout)
        (options.results / f"labels-{name}.json").write_text(json.dumps(figures, indent=1) + "\n")
        print(f"{name}: {len(figures['strategies'])} strategies, {options.seeds} seeds")


if __name__ == "__main__":
    main()
