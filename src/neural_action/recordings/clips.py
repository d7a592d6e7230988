"""Clips: windows of neural frames with the poses of the same moments, never across a gap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neural_action.config.settings import ClipSettings
from neural_action.errors import InputError
from neural_action.recordings.cohort import Cohort, TrialSpan


@dataclass(frozen=True)
class Clips:
    """A table of clips; rows are parallel.

    Attributes:
        start: (clip,) int64, first neural frame, a row number of ``Cohort.neural``.
        pose: (clip, poses) int64, row numbers of ``Cohort.pose``.
        animal: (clip,) int64, number of the animal.
        fold: (clip,) int64, the fold in which the clip's trial is tested.
        visible: (clip,) bool, whether pretraining may see the trial.
        label: (clip,) int64, class at the clip's centre; -1 unlabelled.
        trial: (clip,) int64, row number of ``Cohort.trials``.
        time: (clip,) float64 s, the clip's centre.
        frames: neural frames a clip.
    """

    start: np.ndarray
    pose: np.ndarray
    animal: np.ndarray
    fold: np.ndarray
    visible: np.ndarray
    label: np.ndarray
    trial: np.ndarray
    time: np.ndarray
    frames: int

    def __len__(self) -> int:
        return len(self.start)

    def take(self, rows: np.ndarray) -> Clips:
        """The clips at ``rows`` (indices or a mask)."""
        arrays = {name: value[rows] for name, value in vars(self).items() if name != "frames"}
        return Clips(**arrays, frames=self.frames)


def clip_table(cohort: Cohort, settings: ClipSettings, *, stride: int) -> Clips:
    """Every clip that starts on a multiple of ``stride`` frames of its trial and bridges no gap.

    A clip is ``settings.frames`` consecutive frames; its ``settings.poses`` poses are those nearest in time to the
    centres of as many equal parts of it (32 frames and 8 poses: the authors' code). A clip is dropped when two of
    its frames are further apart than 1.5 frame periods or a pose is further from its moment than 1.5 periods of
    the slower clock. Raises InputError if no clip is left.
    """
    parts = [_trial_clips(cohort, at, span, settings, stride) for at, span in enumerate(cohort.trials)]
    clips = Clips(*(np.concatenate(columns) for columns in zip(*parts, strict=True)), frames=settings.frames)
    if len(clips) == 0:
        raise InputError(
            f"clips.frames: no trial has {settings.frames} consecutive neural frames with behaviour beside them"
        )
    return clips


def _trial_clips(cohort: Cohort, at: int, span: TrialSpan, settings: ClipSettings, stride: int) -> tuple:
    clock, pose_clock = cohort.neural_time[span.frames], cohort.pose_time[span.samples]
    first = np.arange(0, len(clock) - settings.frames + 1, stride)
    if len(pose_clock) < 2 or len(first) == 0:
        first = first[:0]
    period = np.median(np.diff(clock)) if len(clock) > 1 else np.inf
    bridges = np.concatenate([[0], np.cumsum(np.diff(clock) > 1.5 * period)])
    first = first[bridges[first + settings.frames - 1] == bridges[first]]

    part = settings.frames / settings.poses
    moments = clock[first][:, None] + (np.arange(settings.poses) + 0.5) * part * period - 0.5 * period
    samples = nearest(pose_clock, moments)
    slack = 1.5 * max(period, np.median(np.diff(pose_clock))) if len(pose_clock) > 1 else 0.0
    covered = (np.abs(pose_clock[samples] - moments) <= slack).all(1) if len(first) else np.zeros(0, bool)
    first, samples = first[covered], samples[covered]

    centre = clock[first] + 0.5 * (settings.frames - 1) * period
    count = len(first)
    return (
        first.astype(np.int64) + span.frames.start,
        samples.astype(np.int64) + span.samples.start,
        np.full(count, cohort.animals.index(span.animal)),
        np.full(count, span.fold),
        np.full(count, span.visible),
        cohort.labels[span.samples][nearest(pose_clock, centre)].astype(np.int64),
        np.full(count, at),
        centre,
    )


def nearest(clock: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Index of the entry of ``clock`` nearest to each moment."""
    right = np.clip(np.searchsorted(clock, moments), 1, max(1, len(clock) - 1))
    return right - (moments - clock[right - 1] < clock[np.minimum(right, len(clock) - 1)] - moments)
