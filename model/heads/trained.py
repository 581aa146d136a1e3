"""What a training gives: a head and all that is known of it."""

from __future__ import annotations

from dataclasses import dataclass

from model.heads.single_label import LinearHead
from model.records import Probabilities

Metrics = dict[str, float | None]


@dataclass(frozen=True, slots=True, eq=False)
class TrainedHead:
    """A head, its metrics, and what it believed of each labelled item before it learned from it."""

    head: LinearHead
    metrics: Metrics
    out_of_fold: Probabilities
