"""Renders what the model says as Label Studio predictions."""

from __future__ import annotations

from backend.json_types import Json
from backend.label_studio.controls.protocol import Target
from backend.label_studio.controls.question import Question
from backend.label_studio.controls.table import control_of


def target_result(question: Question, target: Target, *, confidence: float) -> list[Json]:
    """The regions of a pre-annotation that answers a question; `confidence` in [0, 1] sits on each.

    None for an answer that says "none of them".
    """
    return control_of(question.kind).render(question, target, confidence=confidence)


def prediction(result: list[Json], *, version: str, score: float) -> Json:
    """One prediction. `score` in [0, 1] is its place in Label Studio's queue: lowest first."""
    return {"result": result, "score": score, "model_version": version}
