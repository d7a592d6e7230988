"""Trial discriminant: linear directions that are constant within a trial and within similar trials, without labels.

This is a closed-form counterpart of contrastive learning with positives from the same trial and with mined positives.
The mean of a bin's trial is its signal, and the rest is its noise. The noise is whitened, and the directions with most
signal are kept (Fisher's discriminant with trials as classes). Trials are then compared by their means in that space,
which are less noisy than single bins. The mean over a trial and its nearest trials is the signal of the next round (our
choice; mined views are an idea of Azabou et al.).
"""

from __future__ import annotations

import numpy as np


def trial_discriminant(
    values: np.ndarray,
    trial: np.ndarray,
    visible: np.ndarray,
    *,
    dimensions: int,
    neighbors: int,
    rounds: int,
    penalty: float,
) -> np.ndarray:
    """(bin, dimensions) float32, with unit noise in every direction and most signal in the first.

    Args:
        values: (bin, unit) rates or counts.
        trial: (bin,) int, trial id of each bin; in a recording without trials, the number of its block.
        visible: (bin,) bool, bins that are learned from; whole trials.
        dimensions: number of directions, at most the number of units.
        neighbors: number of nearest trials whose means are averaged with a trial's own mean.
        rounds: number of times that neighbours are searched; 0 for no neighbours.
        penalty: ridge added to the noise covariance, as a multiple of the mean noise variance over units.
    """
    bins = values[visible].astype(np.float64)
    centre = bins.mean(0)
    bins -= centre
    number = np.unique(trial[visible], return_inverse=True)[1]
    counts = np.bincount(number)
    means = np.stack([np.bincount(number, unit) for unit in bins.T], axis=1) / counts[:, None]
    weights = discriminant(bins, means[number], dimensions, penalty)
    for _ in range(rounds):
        means_alike = means[nearest(means @ weights, neighbors)].mean(1)
        weights = discriminant(bins, means_alike[number], dimensions, penalty)
    return ((values - centre) @ weights).astype(np.float32)


def nearest(points: np.ndarray, count: int) -> np.ndarray:
    """(point, count + 1) int: each point and its ``count`` nearest points (Euclidean), or all if there are fewer."""
    length = (points**2).sum(1)
    squared = length[:, None] + length[None] - 2 * points @ points.T
    np.fill_diagonal(squared, -np.inf)
    return np.argpartition(squared, min(count, len(points) - 1), axis=1)[:, : count + 1]


def discriminant(bins: np.ndarray, signal: np.ndarray, dimensions: int, penalty: float) -> np.ndarray:
    """(unit, dimensions) float64: directions w with the largest w'Sw, where w'Nw = 1.

    S is the covariance of ``signal`` (bin, unit), and N the covariance of ``bins - signal`` with a ridge.
    """
    # Imported here, so that other rows do not wait for SciPy.
    from scipy.linalg import eigh

    noise, spread = bins - signal, signal - signal.mean(0)
    covariance = noise.T @ noise / len(bins)
    ridge = penalty * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    leading = [len(covariance) - dimensions, len(covariance) - 1]
    return eigh(spread.T @ spread / len(bins), covariance + ridge, subset_by_index=leading)[1][:, ::-1]
