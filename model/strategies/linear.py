"""What the probabilities of a pool tell about the linear head behind them."""

from __future__ import annotations

import numpy as np
import torch

from model.records import Floats


def recover_weights(vectors: Floats, probabilities: Floats) -> Floats:
    """Weights (d + 1, c) of the linear head behind probabilities (n, c), but for a shift of all classes."""
    logs = np.log(np.maximum(probabilities, 1e-30))
    rows = np.concatenate([vectors, np.ones((len(vectors), 1), dtype=np.float32)], axis=1)
    found = torch.linalg.lstsq(
        torch.from_numpy(rows).double(),
        torch.from_numpy(logs - logs.mean(axis=1, keepdims=True)).double(),
        driver="gelsd",
    )
    weights: Floats = found.solution.float().numpy()
    return weights
