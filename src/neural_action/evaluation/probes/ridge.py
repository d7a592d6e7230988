"""Ridge regression of behaviour variables, for all penalties with one decomposition."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from neural_action.config.evaluation_settings import ProbeConfig
from neural_action.evaluation.probes.probe import Output, Training, penalties


class Ridge:
    """Predicts values of behaviour variables."""

    output: ClassVar[Output] = "values"

    def __init__(self, config: ProbeConfig):
        self.config = config

    def scores(self, train: Training, others: np.ndarray) -> np.ndarray:
        """(penalty, m, variable) float32 values."""
        return ridge_path(train.values, train.target, others, penalties(self.config))


def ridge_path(train: np.ndarray, target: np.ndarray, others: np.ndarray, decays: np.ndarray) -> np.ndarray:
    """(decay, m, column) float32 predictions of ``others`` for each weight decay.

    Minimises the mean over training windows of ``|target - x W - b|^2 / 2`` plus ``decay |W|^2 / 2`` exactly.

    Args:
        train: (n, feature) scaled training windows.
        target: (n, column).
        others: (m, feature) windows to predict.
        decays: (decay,), positive.
    """
    centre, offset = train.mean(0), target.mean(0)
    x, y, probed = train - centre, target - offset, others - centre
    if x.shape[1] <= len(x):
        size, axes = np.linalg.eigh(x.T @ x)
        along, probed = axes.T @ (x.T @ y), probed @ axes
    else:
        size, axes = np.linalg.eigh(x @ x.T)
        along, probed = axes.T @ y, (probed @ x.T) @ axes
    weights = along / (size + len(x) * decays[:, None])[:, :, None]
    # The decomposition needs float64; the predictions, which take most of the time, do not.
    return np.matmul(probed.astype(np.float32), weights.astype(np.float32)) + offset.astype(np.float32)
