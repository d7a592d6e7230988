"""The linear probe of pictures: softmax regression by SGD in epochs, its epoch chosen on validation; neighbours."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neural_action.errors import InputError
from neural_action.evaluation.probes.probe import softmax

#: Test pictures whose similarities to all training pictures are held at a time.
_ROWS = 1024


@dataclass(frozen=True)
class EpochProbeSettings:
    """SGD with momentum at ``learning_rate``, times ``factor`` from each of ``milestones`` (epochs) on.

    All but the choice on validation is the release's code (MYOW); it has no weight decay, and reports what it finds
    best on test.

    Attributes:
        learning_rates: tried in turn; validation chooses.
        refit: train once more, on training and validation pictures, to the epoch that was chosen.
    """

    learning_rates: tuple[float, ...] = (0.04,)
    epochs: int = 100
    milestones: tuple[int, ...] = (60, 80)
    factor: float = 0.1
    batch: int = 512
    momentum: float = 0.9
    refit: bool = True


@dataclass(frozen=True)
class Chosen:
    """What validation chose: (test, class) float32 logits, the rate, the epoch (from 1) and its accuracy there."""

    scores: np.ndarray
    learning_rate: float
    epoch: int
    validation: float


def epoch_probe(
    train: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    test: np.ndarray,
    classes: int,
    settings: EpochProbeSettings,
    seed: int,
) -> Chosen:
    """Logits of ``test`` by a linear layer on ``train``: features (n, feature) float32 and labels (n,).

    The rate and the epoch are those with the best accuracy on ``validation``, the first of equals; ``test`` is read
    once, after that. Raises InputError without a training or a validation picture.
    """
    for name, part in (("training", train), ("validation", validation)):
        if len(part[0]) == 0:
            raise InputError(f"no {name} pictures to fit and choose a probe with, expected some")
    best: tuple[float, float, int, np.ndarray] | None = None
    for rate in settings.learning_rates:
        for epoch, layer in _epochs(train, classes, settings, rate, settings.epochs, seed):
            right = float((_logits(validation[0], layer).argmax(1) == validation[1]).mean())
            if best is None or right > best[0]:
                best = right, rate, epoch, layer.copy()
    if best is None:
        raise InputError("a probe with no learning rate or no epochs, expected one at least")
    right, rate, epoch, layer = best
    if settings.refit:
        both = np.concatenate([train[0], validation[0]]), np.concatenate([train[1], validation[1]])
        *_, (_, layer) = _epochs(both, classes, settings, rate, epoch, seed)
    return Chosen(_logits(test, layer), rate, epoch, right)


def _epochs(
    data: tuple[np.ndarray, np.ndarray],
    classes: int,
    settings: EpochProbeSettings,
    rate: float,
    epochs: int,
    seed: int,
) -> Iterator[tuple[int, np.ndarray]]:
    """(epoch, (feature + 1, class) layer) after each of ``epochs``; the layer is changed in place by the next."""
    features, labels = data
    rng, onehot = np.random.default_rng(seed), np.eye(classes, dtype=np.float32)
    # As torch begins a linear layer; the last row is the bias.
    bound = 1 / math.sqrt(features.shape[1])
    layer = rng.uniform(-bound, bound, (features.shape[1] + 1, classes)).astype(np.float32)
    velocity = np.zeros_like(layer)
    for epoch in range(epochs):
        step = np.float32(rate * settings.factor ** sum(epoch >= mark for mark in settings.milestones))
        order = rng.permutation(len(features))
        for first in range(0, len(order), settings.batch):
            rows = order[first : first + settings.batch]
            x = features[rows]
            error = (softmax(_logits(x, layer)) - onehot[labels[rows]]) / np.float32(len(rows))
            velocity *= np.float32(settings.momentum)
            velocity[:-1] += x.T @ error
            velocity[-1] += error.sum(0)
            layer -= step * velocity
        yield epoch + 1, layer


def _logits(features: np.ndarray, layer: np.ndarray) -> np.ndarray:
    return features @ layer[:-1] + layer[-1]


def neighbor_votes(
    train: np.ndarray, labels: np.ndarray, test: np.ndarray, classes: int, k: int = 10
) -> np.ndarray:
    """(test, class) float32: the share of each class among the ``k`` nearest training pictures, by cosine similarity.

    Equal shares are told apart by the sum of similarities, which adds less than one vote. Raises InputError for fewer
    training pictures than ``k``.
    """
    if len(train) < k:
        raise InputError(f"{len(train)} pictures to look for neighbours among, expected at least k = {k}")
    unit = train / np.maximum(np.linalg.norm(train, axis=1, keepdims=True), 1e-12)
    out = np.zeros((len(test), classes), np.float32)
    for first in range(0, len(test), _ROWS):
        some = test[first : first + _ROWS]
        some = some / np.maximum(np.linalg.norm(some, axis=1, keepdims=True), 1e-12)
        similar = some @ unit.T
        nearest = np.argpartition(-similar, k - 1, axis=1)[:, :k]
        near = np.take_along_axis(similar, nearest, 1)
        rows = np.repeat(np.arange(len(some)), k)
        # Similarities are in [-1, 1]: the sum of k of them, halved and shared out, is below one vote.
        vote = (1 + 0.25 * near / k) / k
        np.add.at(out, (first + rows, labels[nearest].ravel()), vote.ravel())
    return out
