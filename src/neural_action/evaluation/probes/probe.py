"""What every probe takes and gives.

A probe is made from its configuration. It learns from scaled training windows and gives scores of others: for
every penalty it knows, so that validation can choose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import numpy as np

from neural_action.config.evaluation_settings import ProbeConfig

#: What the numbers of a probe are: probabilities of classes, shares of neighbours in each class, (cos, sin) of a
#: direction, or values of behaviour variables.
Output = Literal["probabilities", "shares", "directions", "values"]


@dataclass(frozen=True)
class Training:
    """What a probe learns from; arrays are parallel.

    Attributes:
        values: (n, feature) float64, scaled.
        target: (n,) int64 classes, or (n, variable) float64 behaviour.
        classes: number of classes; 0 for behaviour.
        seed: of random draws.
    """

    values: np.ndarray
    target: np.ndarray
    classes: int
    seed: int = 0


class Probe(Protocol):
    """A probe of one kind.

    Attributes:
        output: what its numbers are.
    """

    output: ClassVar[Output]

    def __init__(self, config: ProbeConfig): ...

    def scores(self, train: Training, others: np.ndarray) -> np.ndarray:
        """(penalty, m, column) float for (m, feature) scaled windows; one penalty where it has none to choose.

        Columns are the classes, (cos, sin), or the variables.
        """
        ...


def penalties(config: ProbeConfig) -> np.ndarray:
    """(penalty,) float64: two to each whole number from the first to the last."""
    first, last = config.penalties
    return 2.0 ** np.arange(first, last + 1)


def class_weights(labels: np.ndarray, classes: int, kind: str) -> np.ndarray:
    """(classes,) float64: 1, or inversely proportional to each class's count, with mean 1 over the windows."""
    if kind == "none":
        return np.ones(classes)
    counts = np.bincount(labels, minlength=classes)
    return np.where(counts > 0, len(labels) / (np.maximum(counts, 1) * max(1, (counts > 0).sum())), 0.0)


def softmax(logits: np.ndarray) -> np.ndarray:
    """``logits`` as probabilities along the last axis."""
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    raised /= raised.sum(-1, keepdims=True)
    return raised
