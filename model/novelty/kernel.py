"""The Gaussian kernel on unit vectors, and the features that some rows, its landmarks, span (Nyström)."""

from __future__ import annotations

import numpy as np
import torch

from model.records import Floats

_TINY = 1e-6


def kernel_root(landmarks: Floats, sharpness: float) -> torch.Tensor:
    """The Cholesky root (m, m) of the kernel of landmarks (m, d)."""
    inner = closeness(landmarks, landmarks, sharpness).astype(np.float64)
    inner[np.diag_indices_from(inner)] += _TINY
    root: torch.Tensor = torch.linalg.cholesky(torch.from_numpy(inner))
    return root


def kernel_features(rows: Floats, landmarks: Floats, sharpness: float, root: torch.Tensor) -> torch.Tensor:
    """Features (n, m) whose products are the kernel, exactly so between landmarks."""
    near = torch.from_numpy(closeness(rows, landmarks, sharpness).T.astype(np.float64))
    features: torch.Tensor = torch.linalg.solve_triangular(root, near, upper=False).T.float()
    return features


def closeness(left: Floats, right: Floats, sharpness: float) -> Floats:
    """The kernel exp(-sharpness · (1 - cosine)), (l, r)."""
    values = left @ right.T
    values -= 1.0
    values *= np.float32(sharpness)
    found: Floats = np.exp(values, out=values)
    return found
