"""The head before any label. Who only answers with heads need not load what fits them."""

from __future__ import annotations

import numpy as np

from model.heads.measures import OUT_OF_FOLD, measure
from model.heads.single_label import NAME_SCALE, similarity_head
from model.heads.trained import HeadSettings, TrainedHead
from model.records import Floats, Labels, LabelSpace, Probabilities


def cold_start(name_vectors: Floats, space: LabelSpace) -> TrainedHead:
    """The head before any label: it compares texts with the names of the classes, name vectors (c, d)."""
    nothing = Labels(np.zeros(0, dtype=np.int64), np.zeros((0, len(space)), dtype=np.float32), space)
    out_of_fold = Probabilities(nothing.ids, nothing.targets, OUT_OF_FOLD)
    metrics = measure(out_of_fold, nothing, np.zeros(0, dtype=np.bool_))
    settings = HeadSettings(
        inverse_regularisation=None,
        prior_weight=NAME_SCALE,
        ensemble_size=1,
        temperature=1.0,
        self_trained=False,
    )
    return TrainedHead(similarity_head(name_vectors, space), metrics, out_of_fold, settings)
