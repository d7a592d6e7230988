"""Principal components."""

from __future__ import annotations

import numpy as np


def principal_axes(scatter: np.ndarray, count: int) -> np.ndarray:
    """(feature, at most ``count``) eigenvectors of a symmetric (feature, feature) matrix, largest eigenvalue first."""
    return np.linalg.eigh(scatter)[1][:, ::-1][:, :count]


def principal_components(values: np.ndarray, count: int) -> np.ndarray:
    """(n, at most ``count``) float64 leading components of (n, feature) ``values``."""
    centred = values - values.mean(0, dtype=np.float64)
    return centred @ principal_axes(centred.T @ centred, count)
