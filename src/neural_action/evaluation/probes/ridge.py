"""Ridge regression of behaviour variables, for all penalties with one decomposition."""

from __future__ import annotations

import numpy as np

from neural_action.evaluation.probes.probe import Probe, Training, penalties


class Ridge(Probe):
    """Predicts values of behaviour variables."""

    output = "values"

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
    size, along, probed, offset = in_axes(train, target, others)
    weights = along / (size + len(train) * decays[:, None])[:, :, None]
    # The decomposition needs float64; the predictions, which take most of the time, do not.
    return np.matmul(probed.astype(np.float32), weights.astype(np.float32)) + offset.astype(np.float32)


def ridge_errors(
    train: np.ndarray, target: np.ndarray, others: np.ndarray, true: np.ndarray, decays: np.ndarray
) -> np.ndarray:
    """(decay,) float64: squared error of ``ridge_path`` for ``true`` (m, column), summed, without the predictions.

    With weights ``diag(f) A`` in the axes of the training windows, where only ``f`` depends on the decay, the error
    of ``P diag(f) A`` is a quadratic form in ``f``.
    """
    size, along, probed, offset = in_axes(train, target, others)
    rest, shrunk = true - offset, 1 / (size + len(train) * decays[:, None])
    linear = (along * (probed.T @ rest)).sum(1)
    square = (probed.T @ probed) * (along @ along.T)
    return (rest**2).sum() - 2 * shrunk @ linear + ((shrunk @ square) * shrunk).sum(1)


def in_axes(
    train: np.ndarray, target: np.ndarray, others: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Eigenvalues (axis,), targets along the axes (axis, column), others along them (m, axis), and the mean target."""
    centre, offset = train.mean(0), target.mean(0)
    x, y, probed = train - centre, target - offset, others - centre
    if x.shape[1] <= len(x):
        size, axes = np.linalg.eigh(x.T @ x)
        return size, axes.T @ (x.T @ y), probed @ axes, offset
    size, axes = np.linalg.eigh(x @ x.T)
    return size, axes.T @ y, (probed @ x.T) @ axes, offset
