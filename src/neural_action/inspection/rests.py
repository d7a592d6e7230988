"""The rests that the calcium kernel would be fitted to, counted before anything is converted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from neural_action.calcium.fit import LEAST_BOUTS, LEAST_MOVEMENT, LONGEST
from neural_action.calcium.rest import motion_energy, rest_bouts, rest_threshold
from neural_action.config.settings import CalciumSettings
from neural_action.recordings.recording import Recording
from neural_action.recordings.steps import root_relative

#: Frames of a rest, at least: the fit leaves out shorter ones.
_LEAST_FRAMES = 5


@dataclass(frozen=True)
class Motion:
    """What rest is found from in a trial.

    Attributes:
        behavior: (sample, ...) float32 as it is stored.
        behavior_time: (sample,) s.
        neural_time: (frame,) s.
    """

    behavior: np.ndarray
    behavior_time: np.ndarray
    neural_time: np.ndarray

    @classmethod
    def of(cls, recording: Recording, relative: bool) -> Motion:
        """That of a recording; ``relative``: keypoints are stored relative to the root (``convert.root_relative``)."""
        behavior = np.asarray(recording.behavior, np.float32)
        behavior = root_relative(behavior) if relative else behavior
        return cls(behavior, recording.behavior_time, recording.neural_time)


@dataclass(frozen=True)
class Rests:
    """Rests after movement.

    Attributes:
        found: in the trials that were looked at.
        trials: how many of these there are.
        expected: in all trials that the fit of a run sees, if the others are alike.
    """

    found: int
    trials: int
    expected: float

    @property
    def enough(self) -> bool:
        """Whether the kernel can be fitted to those that are expected."""
        return self.expected >= LEAST_BOUTS


def count_rests(looked_at: Sequence[Motion], trials: int, visible: float, settings: CalciumSettings) -> Rests:
    """The rests that ``calcium.fit.fit_kernel`` would find.

    Args:
        looked_at: some trials of a dataset.
        trials: how many it has.
        visible: the share of them that a fit sees.
        settings: shortest rest, delay, and what behaviour holds.
    """
    energies = [
        motion_energy(behavior, motion.behavior_time, settings.behavior)
        for behavior, motion in zip(_comparable(looked_at, settings), looked_at, strict=True)
    ]
    threshold = rest_threshold(np.concatenate(energies))
    pairs = zip(looked_at, energies, strict=True)
    found = 0 if threshold is None else sum(_followed(*pair, threshold, settings) for pair in pairs)
    return Rests(found, len(looked_at), found * trials / len(looked_at) * visible)


def _comparable(looked_at: Sequence[Motion], settings: CalciumSettings) -> list[np.ndarray]:
    """Behaviour of each trial; velocities in units of their root mean square, as the fit has them."""
    behavior = [motion.behavior.reshape(len(motion.behavior), -1) for motion in looked_at]
    if settings.behavior == "positions":
        return behavior
    squares = np.nanmean(np.square(np.concatenate(behavior)), 0)
    return [values / np.sqrt(np.where(squares > 0, squares, np.inf)) for values in behavior]


def _followed(motion: Motion, energy: np.ndarray, threshold: float, settings: CalciumSettings) -> int:
    """Rests of a trial that follow movement and have frames enough."""
    time, count = motion.behavior_time, 0
    for first, end in rest_bouts(energy, time, settings.rest_seconds, threshold):
        start, stop = time[first], time[end - 1]
        before = energy[np.searchsorted(time, start - LEAST_MOVEMENT) : first]
        moved = start - time[0] >= LEAST_MOVEMENT and len(before) and np.all(before > threshold)
        edges = np.searchsorted(motion.neural_time, (start + settings.rest_delay, min(stop, start + LONGEST)))
        count += bool(moved) and edges[1] - edges[0] >= _LEAST_FRAMES
    return int(count)
