"""One choice of several, as a further question of a project: the single-label head behind `Learner`.

The first question of a project keeps its own path, which learns from unlabelled and synthetic items too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.heads.cold_start import cold_start
from model.heads.single_label import LinearHead
from model.heads.trained import TrainedHead
from model.records import Embeddings, Floats, Labels, LabelSpace
from model.task_type import OUT_OF_FOLD, Beliefs, Figure, Tensors, Trained
from model.tasks.chances import beliefs_from_chances, same_rows, share_figure
from model.tasks.rows import order_by_id, require_blind, require_one_hot, require_trainable

KIND = "single choice"


@dataclass(frozen=True, slots=True, eq=False)
class ChoiceHead:
    """A linear head with softmax, as a `Head`."""

    linear: LinearHead

    @property
    def space(self) -> LabelSpace:
        """The choices."""
        return self.linear.space

    def believe(self, items: Embeddings, model_version: str) -> Beliefs:
        """Chances of each choice; raises ValueError on vectors of other dimensions."""
        chances = self.linear.probabilities(items, model_version)
        return beliefs_from_chances(items.ids, chances.values, model_version)

    def tensors(self) -> Tensors:
        """Weights (d, c), bias (c,) and temperature (1,)."""
        temperature = np.array([self.linear.temperature], dtype=np.float64)
        return {"weights": self.linear.weights, "bias": self.linear.bias, "temperature": temperature}


class SingleChoice:
    """Learns which one of the choices a person would give."""

    @property
    def kind(self) -> str:
        """`single choice`."""
        return KIND

    def cold_start(self, names: Floats | None, space: LabelSpace) -> Trained | None:
        """Compares items with the names of the choices (c, d); None without names."""
        return None if names is None else _as_trained(cold_start(names, space))

    def train(
        self,
        items: Embeddings,
        labels: Labels,
        *,
        names: Floats | None,
        audit: NDArray[np.bool_],
        rng: np.random.Generator,
    ) -> Trained:
        """The ensemble of `model.training.train`; raises ValueError as that does."""
        from model.training import train  # takes seconds to import, which those who only predict need not pay

        require_trainable(KIND, items, labels, audit)
        require_one_hot(KIND, labels.targets)
        there, back = order_by_id(items)
        found = train(items.take(there), labels.take(there), name_vectors=names, audit=audit[there], rng=rng)
        trained = _as_trained(found)
        return Trained(trained.head, trained.out_of_fold.take(back), trained.metrics)

    def load(self, tensors: Tensors, space: LabelSpace) -> ChoiceHead:
        """The head that gave these tensors; raises ValueError or KeyError where they are not its own."""
        (temperature,) = tensors["temperature"].reshape(-1)
        return ChoiceHead(LinearHead(tensors["weights"], tensors["bias"], float(temperature), space))

    def agree(self, given: Floats, answers: Floats) -> Floats:
        """1 for the same choice, 0 for another."""
        return same_rows(given, answers)

    def figures(
        self, labels: Labels, out_of_fold: Beliefs, *, blind: NDArray[np.bool_], rng: np.random.Generator
    ) -> Sequence[Figure]:
        """Accuracy, with Wilson's interval."""
        require_blind(KIND, labels, len(out_of_fold), blind)
        right = same_rows(labels.targets[blind], out_of_fold.answers[blind])
        return (share_figure("accuracy", right),)


def _as_trained(found: TrainedHead) -> Trained:
    believed = found.out_of_fold
    return Trained(
        ChoiceHead(found.head),
        beliefs_from_chances(believed.ids, believed.values, OUT_OF_FOLD),
        found.metrics | found.settings.as_metrics(),
    )
