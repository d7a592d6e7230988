"""Equation 2 over the nearest neighbours: probabilities, and draws from them."""

from __future__ import annotations

import numpy as np


def swap_distribution(distances: np.ndarray, scale: float) -> np.ndarray:
    """P(l) = exp(-d_l / scale) / sum_m exp(-d_m / scale) over the last axis (Equation 2, over the N nearest).

    The paper has ``scale`` 1 in the unit of its poses; it is explicit here because one unit is nearly flat for
    some poses and one-hot for others. Same shape as ``distances``, float64.
    """
    weights = np.exp(-(distances - distances.min(-1, keepdims=True)) / scale, dtype=np.float64)
    return weights / weights.sum(-1, keepdims=True)


def draw_swaps(
    indices: np.ndarray, distances: np.ndarray, scale: float, draws: int, rng: np.random.Generator
) -> np.ndarray:
    """Draws (q, draws) int32 of each row of ``indices`` (q, k) with the probabilities of ``swap_distribution``.

    With replacement, by inverting the cumulative distribution.
    """
    cumulative = np.cumsum(swap_distribution(distances, scale), axis=1)
    # Row r is shifted by r, so that one sorted search serves all rows.
    shift = np.arange(len(indices))[:, None]
    uniform = rng.random((len(indices), draws)) * cumulative[:, -1:]
    place = np.searchsorted((cumulative + shift).ravel(), (uniform + shift).ravel(), side="right")
    place = place.reshape(len(indices), draws) - shift * indices.shape[1]
    place = np.clip(place, 0, indices.shape[1] - 1)
    return np.take_along_axis(indices, place, 1).astype(np.int32)
