"""An annotator that answers from stored labels, and sometimes gets it wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.records import Embeddings, Labels, LabelSpace


@dataclass(frozen=True, slots=True, eq=False)
class Oracle:
    """Answers (n,), columns of the label space, one for each row of the pool."""

    answers: NDArray[np.intp]
    space: LabelSpace

    def label(self, pool: Embeddings, rows: NDArray[np.intp]) -> Labels:
        """The labels of some rows of the pool, always the same for the same row."""
        targets = np.eye(len(self.space), dtype=np.float32)[self.answers[rows]]
        return Labels(pool.ids[rows], targets, self.space)


def noisy_oracle(
    answers: NDArray[np.intp], space: LabelSpace, *, noise: float, rng: np.random.Generator
) -> Oracle:
    """An annotator of whose answers a share of `noise`, 0 to 1, is a wrong class, any with equal chance."""
    if not 0.0 <= noise <= 1.0:
        raise ValueError(f"noisy_oracle: noise is {noise}; it must be from 0 to 1")
    if len(space) < 2 or noise == 0.0:
        return Oracle(answers, space)
    wrong = (answers + rng.integers(1, len(space), len(answers))) % len(space)
    return Oracle(np.where(rng.random(len(answers)) < noise, wrong, answers).astype(np.intp), space)
