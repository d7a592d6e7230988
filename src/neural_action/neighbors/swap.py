"""Equation 2 over the nearest neighbours: probabilities and draws."""

from __future__ import annotations

import numpy as np


def swap_distribution(distances: np.ndarray, scale: float) -> np.ndarray:
    """P(l) = exp(-d_l / scale) / sum_m exp(-d_m / scale), Equation 2 over the N nearest poses.

    The paper has no scale, that is, a scale of 1 in the unit of its poses. It is explicit here (our choice), because
    with a scale of 1 the distribution over 128 neighbours is nearly flat in some units and one-hot in others. The
    nearest distance is subtracted first, which changes no probability and keeps the sum above 0.

    Args:
        distances: (..., k) float, Euclidean, in the unit of the poses.
        scale: positive, in the same unit.

    Returns:
        Probabilities (..., k) float64, summing to 1 over the last axis.
    """
    nearest = distances.min(-1, keepdims=True)
    weights = np.exp(-(distances - nearest) / scale, dtype=np.float64)
    return weights / weights.sum(-1, keepdims=True)


def draw_swaps(
    indices: np.ndarray, distances: np.ndarray, scale: float, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw with replacement from ``swap_distribution``, by inverting its cumulative sum.

    Args:
        indices: (q, k) int, the neighbours to draw from.
        distances: (q, k) float, their distances.
        scale: scale of the distribution, in the unit of the distances.
        draws: number of draws for each row.
        rng: the only source of randomness.

    Returns:
        (q, draws) int32, entries of ``indices``.
    """
    q, k = indices.shape
    cumulative = np.cumsum(swap_distribution(distances, scale), axis=1)
    # Row r is shifted by r, so that one sorted search does all rows.
    shift = np.arange(q)[:, None]
    uniform = rng.random((q, draws)) * cumulative[:, -1:]
    place = np.searchsorted((cumulative + shift).ravel(), (uniform + shift).ravel(), side="right")
    place = np.clip(place.reshape(q, draws) - shift * k, 0, k - 1)
    return np.take_along_axis(indices, place, 1).astype(np.int32)
