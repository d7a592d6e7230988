"""Two-dimensional maps of windows: t-SNE of some windows (landmarks), the others placed between them."""

from __future__ import annotations

import numpy as np

from neural_action.neighbors.index import ExactIndex
from neural_action.principal import principal_components
from neural_action.tables.pictures.embedding import flatten

#: Number of landmarks that a window is placed between (our choice).
_NEAR = 5


def principal(features: np.ndarray) -> np.ndarray:
    """(window, 2) float32: the first two principal components."""
    out = principal_components(features, 2)
    return np.pad(out, ((0, 0), (0, max(0, 2 - out.shape[1])))).astype(np.float32)


def neighbour_map(features: np.ndarray, landmarks: int) -> np.ndarray:
    """(window, 2) float32: t-SNE (as in the pictures) of ``landmarks`` random windows, the others placed between them.

    Every other window lies at the mean position of its 5 nearest landmarks, weighted by the inverse distance in the
    representation (our choice). t-SNE of 100,000 windows would take most of an hour.
    """
    if len(features) <= landmarks:
        return flatten(features).astype(np.float32)
    chosen = np.sort(np.random.default_rng(0).permutation(len(features))[:landmarks])
    known, places = features[chosen], flatten(features[chosen])
    near, distance = ExactIndex(known).query(features, _NEAR)
    weight = 1 / (distance[:, :, None] + 1e-6)
    out = ((places[near] * weight).sum(1) / weight.sum(1)).astype(np.float32)
    out[chosen] = places
    return out
