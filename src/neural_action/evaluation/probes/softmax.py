"""Multinomial logistic regression: by stochastic gradient descent, or to the optimum for all penalties at once."""

from __future__ import annotations

import math

import numpy as np

from neural_action.config.evaluation_settings import ProbeConfig
from neural_action.evaluation.probes.epochs import epoch_path
from neural_action.evaluation.probes.probe import Probe, Training, class_weights, penalties, softmax

# The exact solver runs at most _STEPS steps. Every _CHECKED steps it stops the decays whose logits change by less than
# _STILL (root mean square).
_STEPS, _CHECKED, _STILL = 100, 10, 1e-4


class Softmax(Probe):
    """Multinomial logistic regression with one of three solvers.

    ``sgd``: the linear layer of Günel et al., with one penalty (``weight_decay``). ``epochs``: the linear probe for
    pictures. ``exact``: the optimum for each penalty.
    """

    output = "probabilities"

    def scores(self, train: Training, others: np.ndarray) -> np.ndarray:
        """(penalty, m, class) probabilities; with ``solver: epochs`` (rate x epoch, m, class)."""
        config = self.config
        weights = class_weights(train.target, train.classes, config.class_weight)
        if config.solver == "sgd":
            return sgd(train, others, weights, config)[None]
        if config.solver == "epochs":
            return epoch_path(train, others, weights, config)
        return softmax_path(train.values, train.target, others, weights, penalties(config))


def sgd(train: Training, others: np.ndarray, weights: np.ndarray, config: ProbeConfig) -> np.ndarray:
    """(m, class) probabilities by a randomly initialised linear layer trained by SGD, as in Günel et al.

    With momentum, weight decay and a cosine schedule; learning rate, steps and decay are our choice. The gradient of
    the weighted cross-entropy is written out, because hundreds of small probes would spend most of their time in
    automatic differentiation.
    """
    rng = np.random.default_rng(train.seed)
    # The bias is a constant feature and has the same weight decay.
    x, probed = (_with_bias(values) for values in (train.values, others))
    features = x.shape[1] - 1
    # The rate shrinks with the squared length of a scaled window, so that one setting fits both 128 embedding
    # dimensions and thousands of raw features.
    rate = config.learning_rate * min(1.0, 128 / features)
    bound = 1 / math.sqrt(features)
    # Classes are the first axis, so that sums over classes are vectorised over the batch.
    layer = np.ascontiguousarray(rng.uniform(-bound, bound, (x.shape[1], len(weights))).T, np.float32)
    beyond = None
    if x.shape[1] > 2 * len(x):
        # Updates stay in the span of the windows; outside of it the layer only decays.
        basis = np.linalg.qr(x.T)[0]
        inside = layer @ basis
        beyond = probed @ (layer - inside @ basis.T).T
        x, probed, layer = x @ basis, probed @ basis, inside
    left, falling = 1.0, 0.0
    rows = rng.integers(len(x), size=(config.steps, min(config.batch, len(x))))
    true = train.target[rows]
    share = weights.astype(np.float32)[true]
    share /= share.sum(1, keepdims=True)
    velocity, each = np.zeros_like(layer), np.arange(rows.shape[1])
    batch = np.empty((len(each), x.shape[1]), np.float32)
    for step in range(config.steps):
        np.take(x, rows[step], axis=0, out=batch, mode="clip")
        # The same numbers as layer @ batch.T, in half of the time.
        error = np.ascontiguousarray((batch @ layer.T).T)
        error -= error.max(0)
        np.exp(error, out=error)
        error /= error.sum(0)
        error[true[step], each] -= 1
        error *= share[step]
        velocity *= config.momentum
        velocity += error @ batch
        velocity += config.weight_decay * layer
        size = rate * 0.5 * (1 + math.cos(math.pi * step / config.steps))
        layer -= size * velocity
        falling = config.momentum * falling + config.weight_decay * left
        left -= size * falling
    logits = probed @ layer.T if beyond is None else probed @ layer.T + left * beyond
    return softmax(logits.astype(np.float64))


def _with_bias(values: np.ndarray) -> np.ndarray:
    return np.concatenate([values, np.ones((len(values), 1))], axis=1, dtype=np.float32)


def softmax_path(
    train: np.ndarray, labels: np.ndarray, others: np.ndarray, class_weight: np.ndarray, decays: np.ndarray
) -> np.ndarray:
    """(decay, m, class) probabilities of ``others`` for each weight decay.

    Minimises the weighted mean cross-entropy plus ``decay |W|^2 / 2``, with an unpenalised bias. For each class, the
    Hessian of the cross-entropy is at most half the second moment of the features (Böhning 1992), so a gradient step
    divided by that bound never increases the loss. Nesterov's momentum is restarted if it points uphill.

    Args:
        train: (n, feature) scaled training windows.
        labels: (n,) classes.
        others: (m, feature) windows to predict.
        class_weight: (class,) weights.
        decays: (decay,), positive.
    """
    classes, weights = len(class_weight), class_weight[labels]
    weights = weights / weights.sum()
    centre = weights @ train
    variance, axes = _principal_axes((train - centre) * np.sqrt(weights)[:, None])
    variance = np.append(variance, 1.0)
    # In the principal axes of the features, the bound is diagonal for every decay.
    x, probed = (np.column_stack([(part - centre) @ axes, np.ones(len(part))]) for part in (train, others))
    x32 = x.astype(np.float32)
    penalty = np.repeat(decays[:, None], len(variance), axis=1)
    penalty[:, -1] = 0.0
    step = 1 / (0.5 * variance + penalty)

    onehot = np.eye(classes, dtype=np.float32)[labels]
    scaled = (x32 * weights[:, None].astype(np.float32)).T
    final = np.zeros((len(decays), len(variance), classes))
    # Indices of the decays that have not converged.
    active = np.arange(len(decays))
    layer, speed = final, np.zeros(len(decays))
    ahead = layer
    for number in range(_STEPS):
        count = len(active)
        flat = ahead.transpose(1, 0, 2).reshape(len(variance), -1).astype(np.float32)
        error = softmax((x32 @ flat).reshape(len(x), count, classes))
        error -= onehot[:, None]
        gradient = (scaled @ error.reshape(len(x), -1)).reshape(len(variance), count, classes)
        gradient = gradient.transpose(1, 0, 2) + penalty[:, :, None] * ahead
        moved = ahead - step[:, :, None] * gradient
        # Restart momentum that points uphill (O'Donoghue and Candes 2015).
        uphill = (gradient * (moved - layer)).sum((1, 2)) > 0
        speed = np.where(uphill, 0.0, speed + 1)
        ahead = moved + (speed / (speed + 3))[:, None, None] * (moved - layer)
        change, layer = moved - layer, moved
        final[active] = layer
        if number % _CHECKED == _CHECKED - 1:
            moving = np.sqrt((variance[:, None] * change**2).sum((1, 2))) > _STILL
            if not moving.any():
                break
            active, layer, ahead, speed = active[moving], layer[moving], ahead[moving], speed[moving]
            step, penalty = step[moving], penalty[moving]
    return softmax(np.matmul(probed, final))


def _principal_axes(centred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (axis,), ascending, and axes (feature, axis) of ``centred' centred``, without axes of no variance."""
    count, features = centred.shape
    if features <= count:
        variance, axes = np.linalg.eigh(centred.T @ centred)
    else:
        variance, left = np.linalg.eigh(centred @ centred.T)
    keep = variance > 1e-10 * max(1e-300, float(variance[-1]))
    variance = variance[keep]
    if features <= count:
        return variance, axes[:, keep]
    return variance, centred.T @ (left[:, keep] / np.sqrt(variance))
