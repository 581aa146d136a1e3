"""A library that others use, in a virtual environment of its own, asked which items it would label next."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from model.records import Floats

FOLDER = Path(__file__).parent / "peers"
SCRIPTS = {
    "scikit-activeml": "ask_scikit_activeml.py",
    "small-text": "ask_small_text.py",
    "baal": "ask_baal.py",
    "modal": "ask_modal.py",
}
_ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Picked:
    """Rows of the pool that a peer would ask, and what the picking took; `error` when it could not."""

    rows: NDArray[np.intp]
    wall_s: float
    cpu_s: float
    error: str = ""


class Peer:
    """One process of a peer's environment; use it as a context manager."""

    def __init__(self, name: str, environments: Path) -> None:
        """Makes the environment in a folder of `environments` when it is not there."""
        self.name = name
        python = _install(name, environments)
        self._folder = tempfile.TemporaryDirectory(prefix="peer-")
        self._said = (Path(self._folder.name) / "stderr").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            [python, str(FOLDER / SCRIPTS[name])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            env=os.environ | _ALONE,
        )

    def __enter__(self) -> Peer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.terminate()
        self._process.wait()
        self._said.close()
        self._folder.cleanup()

    def ask(
        self,
        strategy: str,
        *,
        pool: Floats,
        labelled: Floats,
        answers: NDArray[np.intp],
        weights: Floats | None,
        classes: int,
        batch: int,
        seed: int,
    ) -> Picked:
        """Rows of the pool that the peer would ask next; `weights` (d + 1, c) are those of a linear head."""
        folder = Path(self._folder.name)
        np.save(folder / "pool.npy", pool)
        np.save(folder / "labelled.npy", labelled)
        np.save(folder / "answers.npy", answers)
        if weights is not None:
            np.save(folder / "weights.npy", weights)
        asked = {
            "folder": str(folder),
            "strategy": strategy,
            "has_head": weights is not None,
            "classes": classes,
            "batch": batch,
            "seed": seed,
        }
        said = self._exchange(json.dumps(asked))
        rows = np.array(said.get("picks", []), dtype=np.intp)
        if not said.get("error") and (len(np.unique(rows)) != batch or rows.max() >= len(pool)):
            raise RuntimeError(f"{self.name} {strategy}: {len(rows)} picks are not {batch} rows of the pool")
        return Picked(rows, said["wall_s"], said["cpu_s"], said.get("error", ""))

    def _exchange(self, line: str) -> dict:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            self._said.seek(0)
            raise RuntimeError(f"{self.name} ended when asked {line}\n{self._said.read()[-2000:]}")
        return json.loads(answer)


def read_versions(name: str) -> str:
    """The pins of a peer, as they go into the results."""
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8").split()[0]


def _install(name: str, environments: Path) -> str:
    """The Python of a peer's environment, made on first use."""
    folder = environments / name
    python, done = folder / "bin" / "python", folder / ".installed"
    if not done.is_file():
        sys.stderr.write(f"Installing {name} into {folder}\n")
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        requirements = str(FOLDER / f"{name}.txt")
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
        done.touch()
    return str(python)
