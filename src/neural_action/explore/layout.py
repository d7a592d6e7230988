"""Two-dimensional maps of windows: t-SNE of some windows (landmarks), the others placed between them."""

from __future__ import annotations

import numpy as np

from neural_action.principal import principal_components
from neural_action.tables.pictures.embedding import flatten

#: Number of landmarks that a window is placed between (our choice), and windows processed at once.
_NEAR, _CHUNK = 5, 4096


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
    out = np.empty((len(features), 2), np.float32)
    square = (known**2).sum(1)
    for first in range(0, len(features), _CHUNK):
        part = features[first : first + _CHUNK]
        far = np.maximum((part**2).sum(1)[:, None] + square - 2 * part @ known.T, 0)
        near = np.argpartition(far, min(_NEAR, landmarks) - 1, axis=1)[:, :_NEAR]
        weight = 1 / (np.sqrt(np.take_along_axis(far, near, 1)) + 1e-6)
        out[first : first + _CHUNK] = (places[near] * weight[:, :, None]).sum(1) / weight.sum(1)[:, None]
    out[chosen] = places
    return out
