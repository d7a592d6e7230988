"""A low-dimensional space shared by the poses of all animals."""

from __future__ import annotations

import numpy as np

_CHUNK = 65_536


def shared_components(poses: np.ndarray, candidate: np.ndarray, count: int) -> np.ndarray:
    """The leading principal components of the candidates, for every pose.

    The covariance is summed a chunk at a time: memory beyond the answer does not grow with the poses.

    Args:
        poses: (sample, feature) float32.
        candidate: (sample,) bool, the poses that the components are fitted on.
        count: components, fewer than features.

    Returns:
        (sample, count) float32; distances in it are at most those of the poses.
    """
    rows = np.flatnonzero(candidate)
    mean = poses[rows].mean(0, dtype=np.float64)
    covariance = np.zeros((poses.shape[1], poses.shape[1]))
    for first in range(0, len(rows), _CHUNK):
        part = poses[rows[first : first + _CHUNK]] - mean
        covariance += part.T @ part
    axes = np.linalg.eigh(covariance)[1][:, ::-1][:, :count]
    return ((poses - mean.astype(np.float32)) @ axes.astype(np.float32)).astype(np.float32)
