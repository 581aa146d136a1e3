"""Renders what the model says as Label Studio predictions."""

from __future__ import annotations

from backend.json_types import Json
from backend.label_studio.label_config import LabelConfig


def choice_result(config: LabelConfig, label: str, *, confidence: float) -> list[Json]:
    """The regions of one pre-annotation; `confidence` in [0, 1] sits on the region.

    No text of ours: what a region carries stays in the annotation of the person who submits it.
    """
    return [
        {
            "from_name": config.from_name,
            "to_name": config.to_name,
            "type": "choices",
            "value": {"choices": [label]},
            "score": round(min(1.0, max(0.0, confidence)), 4),
        }
    ]


def prediction(result: list[Json], *, version: str, score: float) -> Json:
    """One prediction. `score` in [0, 1] is its place in Label Studio's queue: lowest first."""
    return {"result": result, "score": score, "model_version": version}
