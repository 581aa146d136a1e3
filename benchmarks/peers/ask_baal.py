"""baal's BALD over its Monte Carlo dropout, and its margin."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from baal.active.heuristics import BALD, Margin
from baal.bayesian.dropout import MCDropoutModule
from questions import Question, answer_questions

PASSES = 20
DROPOUT = 0.5

torch.set_num_threads(1)


def _bald(question: Question) -> Any:
    torch.manual_seed(question.seed)
    weights = torch.from_numpy(np.asarray(question.head.weights, dtype=np.float32))
    linear = torch.nn.Linear(weights.shape[0] - 1, weights.shape[1])
    with torch.no_grad():
        linear.weight.copy_(weights[:-1].T)
        linear.bias.copy_(weights[-1])
    network = MCDropoutModule(torch.nn.Sequential(torch.nn.Dropout(DROPOUT), linear))
    with torch.no_grad():
        vectors = torch.from_numpy(question.pool)
        passes = [torch.softmax(network(vectors), dim=1).numpy() for _ in range(PASSES)]
    return BALD()(np.stack(passes, axis=-1))[: question.batch]


def _margin(question: Question) -> Any:
    return Margin()(question.head.predict_proba(question.pool)[:, :, None])[: question.batch]


if __name__ == "__main__":
    answer_questions({"bald": _bald, "margin": _margin})
