"""The Gaussian kernel on unit vectors, and the features that some rows, its landmarks, span (Nyström)."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from model.records import Floats

_TINY = 1e-6

Real = TypeVar("Real", np.float32, np.float64)


def kernel_root(landmarks: Floats, sharpness: float) -> torch.Tensor:
    """The Cholesky root (m, m) of the kernel of landmarks (m, d)."""
    exact = landmarks.astype(np.float64)  # in single precision, copies of a row would make it indefinite
    inner = closeness(exact, exact, sharpness)
    inner[np.diag_indices_from(inner)] += _TINY
    root: torch.Tensor = torch.linalg.cholesky(torch.from_numpy(inner))
    return root


def kernel_features(rows: Floats, landmarks: Floats, sharpness: float, root: torch.Tensor) -> torch.Tensor:
    """Features (n, m) whose products are the kernel, exactly so between landmarks."""
    near = torch.from_numpy(closeness(rows, landmarks, sharpness).T.astype(np.float64))
    features: torch.Tensor = torch.linalg.solve_triangular(root, near, upper=False).T.float()
    return features


def closeness(left: NDArray[Real], right: NDArray[Real], sharpness: float) -> NDArray[Real]:
    """The kernel exp(-sharpness · (1 - cosine)), (l, r)."""
    values = left @ right.T
    values -= 1.0
    values *= sharpness
    np.exp(values, out=values)
    return values
