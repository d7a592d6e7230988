"""A small network, trained like scikit-learn's ``MLPClassifier``, with the same random draws and updates.

It does not import scikit-learn, which takes 1.3 s, longer than the training. Tests compare the two.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from neural_action.evaluation.probes.probe import Probe, Training, class_weights, softmax

# Defaults of scikit-learn: batch size, learning rate and moments of Adam, L2 penalty.
_BATCH, _RATE, _FIRST, _SECOND, _EPSILON, _PENALTY = 200, 1e-3, 0.9, 0.999, 1e-8, 1e-4
# Early stopping (our choice): largest number of epochs, and epochs without a gain of _GAIN in accuracy.
_MOST, _PATIENCE, _GAIN = 100, 10, 1e-4


class Mlp(Probe):
    """Layers of ``hidden`` rectified units, trained by Adam for ``epochs`` or with early stopping."""

    output = "probabilities"

    def scores(self, train: Training, others: np.ndarray) -> np.ndarray:
        """(1, m, class) float64 probabilities; 0 for classes without training windows."""
        present, target = np.unique(train.target, return_inverse=True)
        weights = class_weights(train.target, train.classes, self.config.class_weight)[train.target]
        network = _Network([train.values.shape[1], *self.config.hidden, len(present)], train.seed)
        network.fit(train.values.astype(np.float32), target, weights.astype(np.float32), self.config.epochs)
        out = np.zeros((1, len(others), train.classes))
        out[0][:, present] = network(others.astype(np.float32))[-1]
        return out


class _Network:
    """A network whose weights and biases are in one vector, so that a step of Adam is a few operations."""

    def __init__(self, widths: list[int], seed: int):
        # The generator of scikit-learn, for equal draws.
        self.rng = np.random.RandomState(seed)
        shapes = list(pairwise(widths))
        sizes = [a * b for a, b in shapes] + [b for _, b in shapes]
        self.flat, self.gradient = (np.zeros(sum(sizes), np.float32) for _ in range(2))
        self.ends, self.shapes = np.cumsum(sizes), shapes
        self.weights, self.biases = self._views(self.flat)
        for (inward, outward), weight, bias in zip(shapes, self.weights, self.biases, strict=True):
            bound = math.sqrt(6 / (inward + outward))
            weight[:] = self.rng.uniform(-bound, bound, weight.shape)
            bias[:] = self.rng.uniform(-bound, bound, bias.shape)

    def _views(self, flat: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        parts = np.split(flat, self.ends[:-1])
        layers = len(self.shapes)
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=False)], parts[layers:]

    def __call__(self, x: np.ndarray) -> list[np.ndarray]:
        """The output of every layer for (m, feature) float32; the last is (m, class) probabilities."""
        layers = [x]
        for weight, bias in zip(self.weights, self.biases, strict=True):
            layers.append(layers[-1] @ weight)
            layers[-1] += bias
            if len(layers) <= len(self.weights):
                np.maximum(layers[-1], 0, out=layers[-1])
        layers[-1] = softmax(layers[-1])
        return layers

    def fit(self, x: np.ndarray, target: np.ndarray, weights: np.ndarray, epochs: int | None) -> None:
        """Train on (n, feature) float32, (n,) classes and (n,) weights; with early stopping if ``epochs`` is None."""
        if epochs is None:
            order = self.rng.permutation(len(x))
            # A tenth of the windows, but at least two.
            count = min(max(2, math.ceil(0.1 * len(x))), len(x) - 1)
            held, kept = order[:count], order[count:]
        else:
            held, kept = np.empty(0, np.int64), np.arange(len(x))
        first, second = np.zeros_like(self.flat), np.zeros_like(self.flat)
        slopes = self._views(self.gradient)
        best, best_flat, waited, step, shuffled = -math.inf, self.flat.copy(), 0, 0, kept
        for _ in range(epochs or _MOST):
            order = np.arange(len(kept))
            self.rng.shuffle(order)
            shuffled = shuffled[order]
            for begin in range(0, len(kept), _BATCH):
                rows = shuffled[begin : begin + _BATCH]
                self._backward(x[rows], target[rows], weights[rows], slopes)
                step += 1
                first += (1 - _FIRST) * (self.gradient - first)
                second += (1 - _SECOND) * (self.gradient**2 - second)
                rate = _RATE * math.sqrt(1 - _SECOND**step) / (1 - _FIRST**step)
                self.flat -= rate * first / (np.sqrt(second) + np.float32(_EPSILON))
            if epochs is None:
                hit = self(x[held])[-1].argmax(1) == target[held]
                accuracy = float(np.average(hit, weights=weights[held]))
                waited = waited + 1 if accuracy < best + _GAIN else 0
                if accuracy > best:
                    best, best_flat = accuracy, self.flat.copy()
                if waited > _PATIENCE:
                    break
        if epochs is None:
            self.flat[:] = best_flat

    def _backward(
        self,
        x: np.ndarray,
        target: np.ndarray,
        weights: np.ndarray,
        slopes: tuple[list[np.ndarray], list[np.ndarray]],
    ) -> None:
        """Write the gradient of the weighted cross-entropy plus the penalty into ``slopes``."""
        layers, total = self(x), weights.sum()
        error = layers[-1]
        error[np.arange(len(x)), target] -= 1
        error *= weights[:, None]
        for at in reversed(range(len(self.weights))):
            np.matmul(layers[at].T, error, out=slopes[0][at])
            slopes[0][at] += np.float32(_PENALTY) * self.weights[at]
            slopes[0][at] /= total
            np.sum(error, axis=0, out=slopes[1][at])
            slopes[1][at] /= total
            if at:
                error = error @ self.weights[at].T
                error *= layers[at] > 0
