"""Centring and scaling of features by training windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neural_action.config.evaluation_settings import Scale


@dataclass(frozen=True)
class Standard:
    """Mean and spread of training windows; a call centres and scales other windows.

    ``zscore`` divides each feature by its own standard deviation. ``centred`` divides all features by the root mean
    square of the standard deviations, which keeps the relative size of raw signals (z-scoring amplifies the noise of
    silent pixels).
    """

    mean: np.ndarray
    spread: np.ndarray | float

    @classmethod
    def of(cls, train: np.ndarray, scale: Scale) -> Standard:
        """Fit to (n, feature) windows. With ``zscore``, constant features become 0."""
        mean, sd = train.mean(0, dtype=np.float64), train.std(0, dtype=np.float64)
        if scale == "centred":
            return cls(mean, max(1e-12, float(np.sqrt(np.mean(sd**2)))))
        return cls(mean, np.where(sd > 1e-6 * max(1e-6, float(sd.max())), sd, np.inf))

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Scaled ``values``, float64 of the same shape."""
        return (values - self.mean) / self.spread
