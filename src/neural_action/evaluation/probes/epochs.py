"""The linear probe for pictures: softmax regression by SGD in epochs; validation chooses learning rate and epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from neural_action.config.evaluation_settings import ProbeConfig
from neural_action.evaluation.probes.probe import Training, softmax


def epoch_path(train: Training, others: np.ndarray, weights: np.ndarray, config: ProbeConfig) -> np.ndarray:
    """(rate x epoch, m, class) float32 probabilities after each of ``epochs``, for each of ``learning_rates``.

    The rate is multiplied by ``factor`` at each of ``milestones`` (epochs). There is no weight decay. Training follows
    the release of MYOW, which evaluates the test set after every epoch. Here each epoch is a candidate among which
    validation chooses, like the penalties of other probes.

    Args:
        train: scaled training windows.
        others: (m, feature) windows to predict.
        weights: (class,) weights of the loss.
        config: settings of the probe.
    """
    probed = others.astype(np.float32)
    layers = (layer for rate in config.learning_rates for layer in _epochs(train, weights, config, rate))
    return np.stack([softmax(_logits(probed, layer)) for layer in layers])


def _epochs(train: Training, weights: np.ndarray, config: ProbeConfig, rate: float) -> Iterator[np.ndarray]:
    """(feature + 1, class) float32 layer after each epoch; the next epoch changes it in place."""
    features, labels = train.values.astype(np.float32), train.target
    rng, onehot = np.random.default_rng(train.seed), np.eye(train.classes, dtype=np.float32)
    share = weights.astype(np.float32)[labels]
    # Initialised like a linear layer of torch; the last row is the bias.
    bound = 1 / math.sqrt(features.shape[1])
    layer = rng.uniform(-bound, bound, (features.shape[1] + 1, train.classes)).astype(np.float32)
    velocity = np.zeros_like(layer)
    for epoch in range(config.epochs or 0):
        step = np.float32(rate * config.factor ** sum(epoch >= mark for mark in config.milestones))
        order = rng.permutation(len(features))
        for first in range(0, len(order), config.batch):
            rows = order[first : first + config.batch]
            x = features[rows]
            error = softmax(_logits(x, layer)) - onehot[labels[rows]]
            error *= (share[rows] / share[rows].sum())[:, None]
            velocity *= np.float32(config.momentum)
            velocity[:-1] += x.T @ error
            velocity[-1] += error.sum(0)
            layer -= step * velocity
        yield layer


def _logits(features: np.ndarray, layer: np.ndarray) -> np.ndarray:
    return features @ layer[:-1] + layer[-1]
