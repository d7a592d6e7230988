"""Trial discriminant: directions that stay the same within a trial and within trials that are alike, without labels.

A closed form of what contrastive learning does with positives from the same trial and with mined ones. What a bin
shares with its trial is its signal, what it does not share is its noise; noise is whitened, and the directions with
the most signal are kept (Fisher's discriminant with the trial for a class). In that space the means of trials are
compared: they carry the noise of one bin divided by the number of their bins, so that neighbours of a trial are found
where those of a bin would be lost. The mean over a trial and its nearest ones is then the signal, and so on (our
choice; mined views are Azabou et al.'s idea).
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
    """(bin, dimensions) float32, with unit noise in every direction and the most signal in the first.

    Args:
        values: (bin, unit) rates or counts.
        trial: (bin,) what a bin is in: a trial, or a short while of a recording without trials.
        visible: (bin,) bool, what is learned from; a trial is visible or not.
        dimensions: directions that are kept; at most the number of units.
        neighbors: the nearest trials whose means are averaged with a trial's own.
        rounds: how often neighbours are looked for anew; 0 for none.
        penalty: added to the variance of the noise, times its mean over units.
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
    """(point, count + 1): each point and the ``count`` nearest to it, fewer where there are not as many; Euclidean."""
    length = (points**2).sum(1)
    squared = length[:, None] + length[None] - 2 * points @ points.T
    np.fill_diagonal(squared, -np.inf)
    return np.argpartition(squared, min(count, len(points) - 1), axis=1)[:, : count + 1]


def discriminant(bins: np.ndarray, signal: np.ndarray, dimensions: int, penalty: float) -> np.ndarray:
    """(unit, dimensions): the directions w of the most w'Sw, with w'Nw = 1.

    S is the covariance of the ``signal`` of each bin, N that of what is left of the bins (bin, unit), with a ridge.
    """
    # SciPy is imported by the rows that need it: every evaluation would wait for it otherwise.
    from scipy.linalg import eigh

    noise, spread = bins - signal, signal - signal.mean(0)
    covariance = noise.T @ noise / len(bins)
    ridge = penalty * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    leading = [len(covariance) - dimensions, len(covariance) - 1]
    return eigh(spread.T @ spread / len(bins), covariance + ridge, subset_by_index=leading)[1][:, ::-1]


def whiles(trial: np.ndarray, bins: int | None) -> np.ndarray:
    """(bin,) int64: trials cut into runs of at most ``bins`` bins; as they are for None."""
    starts = np.flatnonzero(np.diff(trial, prepend=trial[0] - 1))
    first = np.repeat(starts, np.diff(starts, append=len(trial)))
    at = np.arange(len(trial)) - first
    return first + (0 if bins is None else at // bins * bins)
