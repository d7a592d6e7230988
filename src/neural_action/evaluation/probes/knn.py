"""Nearest neighbours among training windows."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from neural_action.config.evaluation_settings import ProbeConfig
from neural_action.evaluation.probes.probe import Output, Training

#: Distances that are held at a time.
_DISTANCES = 1 << 26


class Knn:
    """The share of the ``neighbors`` nearest training windows (Euclidean) that are of each class."""

    output: ClassVar[Output] = "shares"

    def __init__(self, config: ProbeConfig):
        self.config = config

    def scores(self, train: Training, others: np.ndarray) -> np.ndarray:
        """(1, m, class); of all training windows where there are fewer than ``neighbors``."""
        known, probed = train.values.astype(np.float32), others.astype(np.float32)
        count, onehot = min(self.config.neighbors, len(known)), np.eye(train.classes)
        length, some = (known**2).sum(1)[None], max(1, _DISTANCES // len(known))
        out = np.empty((1, len(probed), train.classes))
        for first in range(0, len(probed), some):
            rows = slice(first, first + some)
            # The squared length of a probed window is the same for all that it is compared with.
            distances = length - 2 * probed[rows] @ known.T
            nearest = np.argpartition(distances, count - 1, axis=1)[:, :count]
            out[0, rows] = onehot[train.target[nearest]].mean(1)
        return out
