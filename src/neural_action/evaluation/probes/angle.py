"""Ridge regression of (cos, sin) of classes that are directions on a circle, as Azabou et al. decode reaches."""

from __future__ import annotations

import numpy as np

from neural_action.evaluation.probes.probe import Probe, Training, penalties
from neural_action.evaluation.probes.ridge import ridge_path


class Angle(Probe):
    """Class k of n is the direction 2 pi k / n. The paper uses AdamW with as many weight decays, which comes close."""

    output = "directions"

    def scores(self, train: Training, others: np.ndarray) -> np.ndarray:
        """(penalty, m, 2) cosines and sines, not normalised to length 1."""
        target = directions(train.classes)[train.target]
        return ridge_path(train.values, target, others, penalties(self.config))


def directions(classes: int) -> np.ndarray:
    """(class, 2) cosine and sine of each class."""
    angles = 2 * np.pi * np.arange(classes) / classes
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def angles_of(output: np.ndarray) -> np.ndarray:
    """(...,) angles in [0, 2 pi) of (..., 2) cosines and sines."""
    return np.arctan2(output[..., 1], output[..., 0]) % (2 * np.pi)


def direction_classes(angles: np.ndarray, classes: int) -> np.ndarray:
    """(...,) int64: the class whose direction is nearest to each angle (rad)."""
    return np.rint(angles * classes / (2 * np.pi)).astype(np.int64) % classes


def angle_errors(angles: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Absolute difference of each angle to the direction of its class, rad, in [0, pi]."""
    difference = np.abs(angles - 2 * np.pi * labels / classes) % (2 * np.pi)
    return np.minimum(difference, 2 * np.pi - difference)
