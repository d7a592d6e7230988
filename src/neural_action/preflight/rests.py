"""The rests that the calcium kernel would be fitted to, counted before anything is converted."""

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
    """What rest is found from in a trial.

    Attributes:
        values: (sample,) motion energy of positions; (sample, feature) velocities as they are, for what their energy is
            depends on all trials.
        behavior_time: (sample,) s.
        neural_time: (frame,) s.
    """

    values: np.ndarray
    behavior_time: np.ndarray
    neural_time: np.ndarray

    @classmethod
    def of(cls, recording: Recording, relative: bool, behavior: str) -> Motion:
        """That of a recording.

        Args:
            recording: as its reader gives it.
            relative: keypoints are stored relative to the root (``convert.root_relative``).
            behavior: whether behaviour holds positions or velocities (``calcium.behavior``).
        """
        values, time = np.asarray(recording.behavior, np.float32), recording.behavior_time
        values = root_relative(values) if relative else values
        values = motion_energy(values, time) if behavior == "positions" else values.reshape(len(values), -1)
        return cls(values, time, recording.neural_time)

    def between(self, start: float, stop: float) -> Motion:
        """That of the part from ``start`` to before ``stop``, s."""
        samples = slice(*np.searchsorted(self.behavior_time, (start, stop)))
        frames = slice(*np.searchsorted(self.neural_time, (start, stop)))
        return Motion(self.values[samples], self.behavior_time[samples], self.neural_time[frames])


@dataclass(frozen=True)
class Rests:
    """Rests after movement.

    Attributes:
        found: in the trials that were looked at.
        trials: how many of these there are.
        fewest: in the trials that one run sees, the fewest of all runs; were the other trials like those looked at.
    """

    found: int
    trials: int
    fewest: float

    @property
    def enough(self) -> bool:
        """Whether every run could fit its kernel."""
        return self.fewest >= LEAST_BOUTS


def count_rests(
    looked_at: Mapping[Trial, Motion],
    trials: Sequence[Trial],
    split: SplitSettings,
    settings: CalciumSettings,
) -> Rests:
    """The rests that ``calcium.fit.fit_kernel`` would find.

    Args:
        looked_at: some trials, by animal and name.
        trials: all trials of the dataset.
        split: says which of them a run sees.
        settings: shortest rest, delay, and what behaviour holds.
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
    """Motion energy of each trial; of velocities in units of their root mean square, as the fit has them."""
    if settings.behavior == "positions":
        return [motion.values for motion in motions]
    velocities = comparable([motion.values for motion in motions])
    return [
        motion_energy(values, motion.behavior_time, "velocities")
        for values, motion in zip(velocities, motions, strict=True)
    ]


def _followed(motion: Motion, energy: np.ndarray, threshold: float, settings: CalciumSettings) -> int:
    """Rests of a trial that follow movement and have frames enough."""
    count = 0
    for rest in rests_after_movement(energy, motion.behavior_time, settings.rest_seconds, threshold):
        rows = decay_frames(motion.neural_time, *rest, settings.rest_delay)
        count += int(rows.stop - rows.start >= LEAST_FRAMES)
    return count
