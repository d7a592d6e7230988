"""Probe by nearest neighbours among training windows."""

from __future__ import annotations

import numpy as np

from neural_action.evaluation.probes.probe import Probe, Training

#: Number of distances in memory at a time.
_DISTANCES = 1 << 26


class Knn(Probe):
    """Share of each class among the ``neighbors`` nearest training windows (Euclidean)."""

    output = "shares"

    def scores(self, train: Training, others: np.ndarray) -> np.ndarray:
        """(1, m, class) float64 shares; over all training windows if there are fewer than ``neighbors``."""
        target = np.eye(train.classes)[train.target]
        known, probed = train.values.astype(np.float32), others.astype(np.float32)
        count = min(self.config.neighbors, len(known))
        length, some = (known**2).sum(1)[None], max(1, _DISTANCES // len(known))
        out = np.empty((1, len(probed), train.classes))
        for first in range(0, len(probed), some):
            rows = slice(first, first + some)
            # Without the squared length of the probed window, which does not change the order.
            distances = length - 2 * probed[rows] @ known.T
            nearest = np.argpartition(distances, count - 1, axis=1)[:, :count]
            out[0, rows] = target[nearest].mean(1)
        return out
