"""A low-dimensional space shared by the poses of all animals."""

from __future__ import annotations

import numpy as np

from neural_action.principal import principal_axes

_CHUNK = 65_536


def shared_components(poses: np.ndarray, candidate: np.ndarray, count: int) -> np.ndarray:
    """Scores of all poses on the leading principal components of the candidates.

    The covariance is summed in chunks, so that memory beyond the result does not grow with the number of poses.

    Args:
        poses: (sample, feature) float32.
        candidate: (sample,) bool, poses on which the components are fitted.
        count: number of components, fewer than features.

    Returns:
        (sample, count) float32; distances between them are at most the distances between poses.
    """
    rows = np.flatnonzero(candidate)
    mean = poses[rows].mean(0, dtype=np.float64)
    covariance = np.zeros((poses.shape[1], poses.shape[1]))
    for first in range(0, len(rows), _CHUNK):
        part = poses[rows[first : first + _CHUNK]] - mean
        covariance += part.T @ part
    axes = principal_axes(covariance, count)
    return ((poses - mean.astype(np.float32)) @ axes.astype(np.float32)).astype(np.float32)
