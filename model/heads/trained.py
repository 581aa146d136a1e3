"""What a training gives: a head and all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass

from model.heads.single_label import LinearHead
from model.records import Probabilities

Metrics = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """What a training chose: the best setting of the ensemble, and what else the head learned from.

    `inverse_regularisation` is None before any label, when nothing was fitted. `self_trained` says
    whether items without a label taught; `auxiliary_weight` in [0, 1] is the sample weight of auxiliary
    data, None without any.
    """

    inverse_regularisation: float | None
    prior_weight: float
    ensemble_size: int
    temperature: float
    self_trained: bool
    auxiliary_weight: float | None = None

    def as_metrics(self) -> Metrics:
        """The settings as numbers, under the names by which manifests hold them among the metrics."""
        found: Metrics = {
            "inverse_regularisation": self.inverse_regularisation,
            "prior_weight": self.prior_weight,
            "pooled": float(self.ensemble_size),
            "temperature": self.temperature,
            "surroundings": float(self.self_trained),
        }
        return found if self.auxiliary_weight is None else found | {"companions": self.auxiliary_weight}


@dataclass(frozen=True, slots=True, eq=False)
class TrainedHead:
    """A head, its metrics, what it believed of each labelled item before it learned from it, its settings."""

    head: LinearHead
    metrics: Metrics
    out_of_fold: Probabilities
    settings: HeadSettings
