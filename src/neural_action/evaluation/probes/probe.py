"""The interface of probes.

A probe is built from its configuration, learns from scaled training windows, and returns scores of other windows for
each of its penalties, so that validation can choose one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from neural_action.config.evaluation_settings import ProbeConfig

#: The output of a probe: probabilities of classes, share of each class among neighbours, (cos, sin) of a direction, or
#: values of behaviour variables.
Output = Literal["probabilities", "shares", "directions", "values"]


@dataclass(frozen=True)
class Training:
    """Training data of a probe; arrays are parallel.

    Attributes:
        values: (n, feature) float64, scaled.
        target: (n,) int64 classes, or (n, variable) float64 behaviour.
        classes: number of classes; 0 for behaviour.
        seed: seed of random draws.
    """

    values: np.ndarray
    target: np.ndarray
    classes: int
    seed: int = 0


class Probe(ABC):
    """A probe of one kind.

    Attributes:
        config: its settings.
        output: the kind of its output.
    """

    output: ClassVar[Output]

    def __init__(self, config: ProbeConfig):
        self.config = config

    @abstractmethod
    def scores(self, train: Training, others: np.ndarray) -> np.ndarray:
        """(penalty, m, column) float scores of (m, feature) scaled windows; of one penalty if there is no choice.

        Columns are classes, (cos, sin) or variables.
        """


def penalties(config: ProbeConfig) -> np.ndarray:
    """(penalty,) float64: 2 to each whole number from the first to the last of ``config.penalties``."""
    first, last = config.penalties
    return 2.0 ** np.arange(first, last + 1)


def class_weights(labels: np.ndarray, classes: int, kind: str) -> np.ndarray:
    """(class,) float64: 1 (``kind`` none), or inversely proportional to the class count, with mean 1 over windows."""
    if kind == "none":
        return np.ones(classes)
    counts = np.bincount(labels, minlength=classes)
    return np.where(counts > 0, len(labels) / (np.maximum(counts, 1) * max(1, (counts > 0).sum())), 0.0)


def softmax(logits: np.ndarray) -> np.ndarray:
    """``logits`` as probabilities along the last axis."""
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    raised /= raised.sum(-1, keepdims=True)
    return raised
