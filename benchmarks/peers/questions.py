"""Answers a bench's questions in a peer's own environment: a line of JSON in, a line of JSON out.

Only what every peer's environment has may be imported here.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


class LinearClassifier:
    """A head that is fitted already, as scikit-learn's classifiers look from outside."""

    def __init__(self, weights: Any = None) -> None:
        self.weights = weights  # (d + 1, c), the last row is the bias

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """What scikit-learn clones."""
        return {"weights": self.weights}

    def set_params(self, **params: Any) -> LinearClassifier:
        """What scikit-learn clones."""
        self.__dict__.update(params)
        return self

    def fit(self, X: Any, y: Any) -> LinearClassifier:  # names as scikit-learn has them
        """Nothing is left to learn."""
        self.classes_ = np.arange(self.weights.shape[1])
        return self

    def predict_proba(self, X: Any) -> Any:
        """Probabilities (n, c)."""
        logits = np.asarray(X) @ self.weights[:-1] + self.weights[-1]
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> Any:
        """The favourite (n,)."""
        return self.predict_proba(X).argmax(axis=1)


@dataclass(frozen=True)
class Question:
    """Vectors of the pool (n, d) and of labelled items (m, d), their answers (m,), and the head if any."""

    pool: Any
    labelled: Any
    answers: Any
    head: LinearClassifier | None
    classes: int
    batch: int
    seed: int

    @property
    def vectors(self) -> Any:
        """The pool first, then the labelled items."""
        return np.concatenate([self.pool, self.labelled])

    @property
    def pool_rows(self) -> Any:
        """Rows of the pool among all vectors."""
        return np.arange(len(self.pool))

    @property
    def labelled_rows(self) -> Any:
        """Rows of the labelled items among all vectors."""
        return np.arange(len(self.pool), len(self.pool) + len(self.labelled))


def answer_questions(strategies: Mapping[str, Callable[[Question], Any]]) -> None:
    """Answer until the input ends: rows of the pool, and the seconds that only the picking took."""
    for line in sys.stdin:
        asked = json.loads(line)
        question = _read(Path(asked["folder"]), asked)
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            picks = [int(row) for row in strategies[asked["strategy"]](question)]
            said = {"picks": picks}
        except MemoryError as error:
            said = {"error": f"MemoryError: {error}"}
        said |= {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()


def _read(folder: Path, asked: Mapping[str, Any]) -> Question:
    weights = folder / "weights.npy"
    return Question(
        pool=np.load(folder / "pool.npy"),
        labelled=np.load(folder / "labelled.npy"),
        answers=np.load(folder / "answers.npy"),
        head=LinearClassifier(np.load(weights)) if asked["has_head"] else None,
        classes=asked["classes"],
        batch=asked["batch"],
        seed=asked["seed"],
    )
