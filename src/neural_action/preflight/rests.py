"""Count the rests to which the calcium kernel would be fitted, before anything is converted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from neural_action.calcium.fit import LEAST_BOUTS, LEAST_FRAMES, decay_frames
from neural_action.calcium.rest import comparable, motion_energy, rest_threshold, rests_after_movement
from neural_action.config.settings import CalciumSettings, SplitSettings
from neural_action.datasets.protocols import seen_trials
from neural_action.datasets.split_table import Trial
from neural_action.recordings.recording import Recording
from neural_action.recordings.steps import root_relative


@dataclass(frozen=True)
class Motion:
    """Motion of a trial, from which its rests are found.

    Attributes:
        values: (sample,) motion energy of positions, or (sample, feature) velocities, whose energy depends on all
            trials.
        behavior_time: (sample,) s.
        neural_time: (frame,) s.
    """

    values: np.ndarray
    behavior_time: np.ndarray
    neural_time: np.ndarray

    @classmethod
    def of(cls, recording: Recording, relative: bool, behavior: str) -> Motion:
        """The motion of a recording.

        Args:
            recording: as its reader returns it.
            relative: whether keypoints are stored relative to the root (``convert.root_relative``).
            behavior: ``positions`` or ``velocities`` (``calcium.behavior``).
        """
        values, time = np.asarray(recording.behavior, np.float32), recording.behavior_time
        values = root_relative(values) if relative else values
        values = motion_energy(values, time) if behavior == "positions" else values.reshape(len(values), -1)
        return cls(values, time, recording.neural_time)

    def between(self, start: float, stop: float) -> Motion:
        """The motion from ``start`` to before ``stop`` (s)."""
        samples = slice(*np.searchsorted(self.behavior_time, (start, stop)))
        frames = slice(*np.searchsorted(self.neural_time, (start, stop)))
        return Motion(self.values[samples], self.behavior_time[samples], self.neural_time[frames])


@dataclass(frozen=True)
class Rests:
    """Rests after movement.

    Attributes:
        found: number of rests in the trials that were read.
        trials: number of trials that were read.
        fewest: expected number of rests that one run sees, for the run with the fewest; trials that were not read
            count with the mean of those that were.
    """

    found: int
    trials: int
    fewest: float

    @property
    def enough(self) -> bool:
        """Whether every run has enough rests (``LEAST_BOUTS``) to fit its kernel."""
        return self.fewest >= LEAST_BOUTS


def count_rests(
    looked_at: Mapping[Trial, Motion],
    trials: Sequence[Trial],
    split: SplitSettings,
    settings: CalciumSettings,
) -> Rests:
    """Count the rests that ``calcium.fit.fit_kernel`` would find.

    Args:
        looked_at: (animal, trial) -> motion of the trials that were read.
        trials: all trials of the dataset.
        split: determines which trials a run sees.
        settings: shortest rest, delay, and whether behaviour holds positions or velocities.
    """
    motions = list(looked_at.values())
    energies = _energies(motions, settings)
    threshold = rest_threshold(np.concatenate(energies))
    counts = {
        trial: 0 if threshold is None else _followed(motion, energy, threshold, settings)
        for (trial, motion), energy in zip(looked_at.items(), energies, strict=True)
    }
    fewest = np.inf
    for seen in seen_trials(trials, split):
        own = [counts[trial] for trial in seen if trial in counts]
        if own:
            fewest = min(fewest, sum(own) * len(seen) / len(own))
    return Rests(sum(counts.values()), len(counts), float(fewest))


def _energies(motions: Sequence[Motion], settings: CalciumSettings) -> list[np.ndarray]:
    """Motion energy of each trial; velocities are divided by their root mean square, as in the fit."""
    if settings.behavior == "positions":
        return [motion.values for motion in motions]
    velocities = comparable([motion.values for motion in motions])
    return [
        motion_energy(values, motion.behavior_time, "velocities")
        for values, motion in zip(velocities, motions, strict=True)
    ]


def _followed(motion: Motion, energy: np.ndarray, threshold: float, settings: CalciumSettings) -> int:
    """Number of rests in a trial that follow movement and have at least ``LEAST_FRAMES`` frames."""
    count = 0
    for rest in rests_after_movement(energy, motion.behavior_time, settings.rest_seconds, threshold):
        rows = decay_frames(motion.neural_time, *rest, settings.rest_delay)
        count += int(rows.stop - rows.start >= LEAST_FRAMES)
    return count
