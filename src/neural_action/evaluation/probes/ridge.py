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
    if len(decays) == 1:
        return _prediction(train, target, others, len(train) * decays[0]).astype(np.float32)[None]
    size, along, probed, offset = in_axes(train, target, others)
    weights = along / (size + len(train) * decays[:, None])[:, :, None]
    # The decomposition needs float64; the predictions, which take most of the time, do not.
    return np.matmul(probed.astype(np.float32), weights.astype(np.float32)) + offset.astype(np.float32)


def _prediction(train: np.ndarray, target: np.ndarray, others: np.ndarray, penalty: float) -> np.ndarray:
    """(m, column) float64: as ``ridge_path`` for one penalty of the sum, without a decomposition."""
    centre, offset = train.mean(0), target.mean(0)
    x, y = train - centre, target - offset
    if x.shape[1] <= len(x):
        weights = np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)
    else:
        weights = x.T @ np.linalg.solve(x @ x.T + penalty * np.eye(len(x)), y)
    return (others - centre) @ weights + offset


def moments_of(values: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Second moments of features, of a constant 1 and of targets, in this order, summed over windows.

    Those of two sets of windows add, and are all that a ridge regression needs of them.
    """
    every = np.concatenate([values, np.ones((len(values), 1)), target], axis=1)
    return every.T @ every


def axes_of(moments: np.ndarray, features: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Eigenvalues (axis,), axes (feature, axis), targets along them (axis, column), and means of all that is summed."""
    mean = moments[features] / moments[features, features]
    centred = moments - np.outer(moments[features], mean)
    size, axes = np.linalg.eigh(centred[:features, :features])
    return np.maximum(size, 0.0), axes, axes.T @ centred[:features, features + 1 :], mean


def ridge_errors(moments: np.ndarray, others: np.ndarray, true: np.ndarray, decays: np.ndarray) -> np.ndarray:
    """(decay,) float64: squared error of ``ridge_path`` for ``true`` (m, column), summed, without the predictions.

    With weights ``diag(f) A`` in the axes of the training windows, where only ``f`` depends on the decay, the error
    of ``P diag(f) A`` is a quadratic form in ``f``.

    Args:
        moments: of the training windows (``moments_of``).
        others: (m, feature) windows to predict.
        true: (m, column), their targets.
        decays: (decay,), positive.
    """
    features = others.shape[1]
    size, axes, along, mean = axes_of(moments, features)
    probed, rest = (others - mean[:features]) @ axes, true - mean[features + 1 :]
    shrunk = 1 / (size + moments[features, features] * decays[:, None])
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
