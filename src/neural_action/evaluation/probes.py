"""Classifiers on frozen representations. Statistics for scaling come from the training clips alone."""

from __future__ import annotations

import math
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from neural_action.config.settings import ProbeSettings


def scale(train: np.ndarray, test: np.ndarray, *, by_feature: bool) -> tuple[np.ndarray, np.ndarray]:
    """Centre both by the training mean and divide by the training standard deviation, float32.

    ``by_feature`` z-scores every feature; otherwise one scale serves all, which keeps the relative size of raw
    signals (dF/F has one unit: z-scoring would lift silent pixels to the size of active ones).
    """
    mean, sd = train.mean(0), train.std(0)
    spread = np.maximum(sd, 1e-6) if by_feature else max(1e-6, float(np.sqrt(np.mean(sd**2))))
    return ((train - mean) / spread).astype(np.float32), ((test - mean) / spread).astype(np.float32)


def guess(count: int, classes: int, seed: int) -> np.ndarray:
    """Uniform random guesses: the chance row, drawn and scored like any other."""
    return np.random.default_rng(seed).integers(classes, size=count)


def linear_probe(
    train: np.ndarray, labels: np.ndarray, test: np.ndarray, classes: int, settings: ProbeSettings, seed: int
) -> np.ndarray:
    """Predicted classes of ``test`` by a linear classifier trained on scaled ``train``.

    ``sgd``: a randomly initialised linear layer trained by SGD, as in the paper (step size, number of steps and
    decay: our choice). ``logistic_regression``: scikit-learn's, L2 regularised by ``weight_decay``.
    """
    weights = class_weights(labels, classes, settings.class_weight)
    if settings.classifier == "logistic_regression":
        model = LogisticRegression(C=1 / (settings.weight_decay * len(labels)), max_iter=500)
        return model.fit(train, labels, sample_weight=weights[labels]).predict(test)
    return _sgd(train, labels, test, weights.astype(np.float32), settings, seed)


def _sgd(
    train: np.ndarray,
    labels: np.ndarray,
    test: np.ndarray,
    weights: np.ndarray,
    settings: ProbeSettings,
    seed: int,
) -> np.ndarray:
    """Softmax regression by SGD with momentum, weight decay and a cosine step size.

    The gradient of the weighted cross-entropy is written out: hundreds of probes of a few hundred small steps spend
    most of their time in automatic differentiation otherwise.
    """
    rng = np.random.default_rng(seed)
    # A constant feature is the bias; it decays with the rest.
    x, probe = (np.concatenate([part, np.ones((len(part), 1), np.float32)], axis=1) for part in (train, test))
    # The step size shrinks with the squared length of a scaled clip, so that one setting serves 128 embedding
    # dimensions and thousands of raw features alike.
    rate = settings.learning_rate * min(1.0, 128 / train.shape[1])
    bound = 1 / math.sqrt(train.shape[1])
    layer = rng.uniform(-bound, bound, (x.shape[1], len(weights))).astype(np.float32)
    velocity, onehot = np.zeros_like(layer), np.eye(len(weights), dtype=np.float32)
    for step in range(settings.steps):
        rows = rng.integers(len(x), size=min(settings.batch, len(x)))
        batch, true = x[rows], labels[rows]
        error = (softmax(batch @ layer) - onehot[true]) * (weights[true] / weights[true].sum())[:, None]
        velocity *= settings.momentum
        velocity += batch.T @ error + settings.weight_decay * layer
        layer -= rate * 0.5 * (1 + math.cos(math.pi * step / settings.steps)) * velocity
    return (probe @ layer).argmax(1)


def softmax(logits: np.ndarray) -> np.ndarray:
    """``logits`` as probabilities along the last axis."""
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def mlp_probe(train: np.ndarray, labels: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
    """Predicted classes by one hidden layer of 64 (scikit-learn, early stopping on training clips; our choice)."""
    model = MLPClassifier((64,), early_stopping=True, n_iter_no_change=10, max_iter=100, random_state=seed)
    return model.fit(train, labels).predict(test)


def supervised_mlp(
    train: np.ndarray, labels: np.ndarray, test: np.ndarray, classes: int, settings: ProbeSettings, seed: int
) -> np.ndarray:
    """Predicted classes by a network of ``mlp_hidden`` trained for ``mlp_epochs``: the paper's supervised baseline."""
    weights = class_weights(labels, classes, settings.class_weight)
    epochs = settings.mlp_epochs
    model = MLPClassifier(
        tuple(settings.mlp_hidden), max_iter=epochs, n_iter_no_change=epochs + 1, random_state=seed
    )
    with warnings.catch_warnings():
        # The number of epochs is set, not searched for: that it ends there is no news.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(train, labels, sample_weight=weights[labels])
    return model.predict(test)


def same_class_neighbors(
    train: np.ndarray, labels: np.ndarray, test: np.ndarray, test_labels: np.ndarray, k: int = 10
) -> float:
    """Mean fraction of each test clip's ``k`` nearest training clips that share its class (Euclidean)."""
    distances = (test**2).sum(1)[:, None] + (train**2).sum(1)[None] - 2 * test @ train.T
    nearest = np.argpartition(distances, min(k, len(train)) - 1, axis=1)[:, :k]
    return float(np.mean(labels[nearest] == test_labels[:, None]))


def class_weights(labels: np.ndarray, classes: int, kind: str) -> np.ndarray:
    """(classes,) float64: 1, or inversely proportional to each class's count, with mean 1 over the clips."""
    if kind == "none":
        return np.ones(classes)
    counts = np.bincount(labels, minlength=classes)
    return np.where(counts > 0, len(labels) / (np.maximum(counts, 1) * max(1, (counts > 0).sum())), 0.0)
