"""Windows: consecutive neural frames with the poses at the same times, never across a gap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neural_action.config.settings import WindowSettings
from neural_action.datasets.dataset import Dataset, TrialRows
from neural_action.errors import InputError


@dataclass(frozen=True)
class Windows:
    """A table of windows; arrays are parallel.

    Attributes:
        start: (window,) int64, first neural frame, a row number of ``Dataset.neural``.
        pose: (window, poses) int64, row numbers of ``Dataset.pose``.
        animal: (window,) int64, number of the animal.
        role: (window,) str: train, validation or test in the split; empty without one.
        sees_input: (window,) bool, whether pretraining may see it.
        sees_label: (window,) bool, whether its label may be used for training.
        label: (window,) int64, class at the window's centre; -1 unlabelled.
        trial: (window,) int64, row number of ``Dataset.trials``.
        time: (window,) float64 s, the window's centre.
        frames: number of neural frames of a window.
    """

    start: np.ndarray
    pose: np.ndarray
    animal: np.ndarray
    role: np.ndarray
    sees_input: np.ndarray
    sees_label: np.ndarray
    label: np.ndarray
    trial: np.ndarray
    time: np.ndarray
    frames: int

    def __len__(self) -> int:
        return len(self.start)

    def take(self, rows: np.ndarray) -> Windows:
        """The windows at ``rows`` (indices or a mask)."""
        arrays = {name: value[rows] for name, value in vars(self).items() if name != "frames"}
        return Windows(**arrays, frames=self.frames)


def window_table(dataset: Dataset, settings: WindowSettings, *, stride: int) -> Windows:
    """All windows that start at a multiple of ``stride`` frames of their trial and have no gap.

    A window has ``settings.frames`` consecutive frames. Its ``settings.poses`` poses are those nearest in time to the
    centres of equal parts of the window (32 frames and 8 poses: the authors' code). A window is left out if two
    consecutive frames are more than 1.5 frame periods apart, or if a pose is more than 1.5 periods of the slower clock
    away from its time. Raises InputError if no window is left, or none of some animal.
    """
    parts = [_trial_windows(dataset, at, trial, settings, stride) for at, trial in enumerate(dataset.trials)]
    arrays = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in vars(parts[0])
        if name != "frames"
    }
    windows = Windows(**arrays, frames=settings.frames)
    if len(windows) == 0:
        raise InputError(
            f"windows.frames: no trial has {settings.frames} consecutive neural frames with behaviour beside them"
        )
    if missing := sorted(set(range(len(dataset.animals))) - set(windows.animal.tolist())):
        raise InputError(
            f"windows.frames: no trial of {dataset.animals[missing[0]]} has {settings.frames} consecutive neural "
            "frames with behaviour beside them"
        )
    return windows


def _trial_windows(
    dataset: Dataset, at: int, trial: TrialRows, settings: WindowSettings, stride: int
) -> Windows:
    clock, pose_clock = dataset.neural_time[trial.frames], dataset.pose_time[trial.samples]
    first = unbroken(clock, settings.frames, stride)
    if len(pose_clock) == 0 or (len(pose_clock) < 2 and settings.frames > 1):
        first = first[:0]
    # A trial of a single frame has no period.
    period = np.median(np.diff(clock)) if len(clock) > 1 else 1 / dataset.neural_rate

    part = settings.frames / settings.poses
    moments = clock[first][:, None] + (np.arange(settings.poses) + 0.5) * part * period - 0.5 * period
    rows = nearest(pose_clock, moments)
    slack = 1.5 * (max(period, np.median(np.diff(pose_clock))) if len(pose_clock) > 1 else period)
    covered = (np.abs(pose_clock[rows] - moments) <= slack).all(1) if len(first) else np.zeros(0, bool)
    first, rows = first[covered], rows[covered]

    centre = clock[first] + 0.5 * (settings.frames - 1) * period
    count = len(first)
    return Windows(
        first.astype(np.int64) + trial.frames.start,
        rows.astype(np.int64) + trial.samples.start,
        np.full(count, dataset.animals.index(trial.animal)),
        np.full(count, trial.role, "U10"),
        np.full(count, trial.sees_input),
        np.full(count, trial.sees_label),
        dataset.labels[trial.samples][nearest(pose_clock, centre)].astype(np.int64),
        np.full(count, at),
        centre,
        settings.frames,
    )


def unbroken(clock: np.ndarray, frames: int, stride: int) -> np.ndarray:
    """(window,) int64: first frames, at multiples of ``stride``, of ``frames`` consecutive frames without a gap.

    ``clock`` is (frame,) s. A gap is an interval of more than 1.5 times the median interval.
    """
    first = np.arange(0, len(clock) - frames + 1, stride)
    if len(first) == 0 or len(clock) < 2:
        return first
    bridges = np.concatenate([[0], np.cumsum(np.diff(clock) > 1.5 * np.median(np.diff(clock)))])
    return first[bridges[first + frames - 1] == bridges[first]]


def nearest(clock: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Index of the entry of ``clock`` (increasing, not empty) nearest to each of ``moments``."""
    if len(clock) == 1:
        return np.zeros(np.shape(moments), np.int64)
    right = np.clip(np.searchsorted(clock, moments), 1, max(1, len(clock) - 1))
    return right - (moments - clock[right - 1] < clock[np.minimum(right, len(clock) - 1)] - moments)
