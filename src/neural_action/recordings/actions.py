"""Assign actions to behaviour samples, from labels of video frames or of intervals."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.formats import Labels
from neural_action.recordings.recording import UNLABELLED


def samples_of(labels: Labels, frames: np.ndarray, time: np.ndarray, path: Path) -> np.ndarray:
    """(sample,) int16 class numbers, or ``UNLABELLED``.

    Args:
        labels: labels of video frames, or of intervals.
        frames: (sample,) video frame of each sample, from 0, increasing.
        time: (sample,) s on the clock of the behaviour.
        path: file of the labels, for messages.

    Raises:
        InputError: there are more labels than frames; the frames have gaps and there is one label for each sample, so
            that it is not clear which frame a label belongs to; a sample has two actions; or no sample is labelled.
    """
    if labels.intervals is not None:
        return _of_intervals(labels, labels.intervals, frames, time, path)
    numbers, video = labels.numbers, int(frames[-1]) + 1
    if len(numbers) > video:
        raise InputError(
            f"{path}: {len(numbers)} labels, expected at most {video}, one for each behaviour sample (video frame)"
        )
    if len(numbers) == len(frames) < video and not labels.by_frame:
        raise InputError(
            f"{path}: {len(numbers)} labels, one for each pose, but poses are of frames {frames[0]} to {frames[-1]} "
            "with gaps, so the frame of a label is not known; expected a column of frame numbers (options frame)"
        )
    out = np.full(len(frames), UNLABELLED, np.int16)
    # Annotations may end before the video, but not after it.
    there = frames < len(numbers)
    out[there] = numbers[frames[there]]
    if not (out != UNLABELLED).any():
        raise InputError(f"{path}: every frame is unlabelled, expected at least one label")
    return out


def _of_intervals(
    labels: Labels, intervals: np.ndarray, frames: np.ndarray, time: np.ndarray, path: Path
) -> np.ndarray:
    """Labels of the samples from the start of each interval to before its stop."""
    zero = 0.0
    if labels.of_video:
        # Time of the first video frame; the first sample may be a later frame.
        step = float(np.median(np.diff(time) / np.diff(frames))) if len(time) > 1 else 0.0
        zero = float(time[0] - frames[0] * step)
    intervals = intervals + zero
    out = np.full(len(time), UNLABELLED, np.int16)
    several = np.zeros(len(time), bool)
    # Times computed from two rates agree only up to rounding.
    slack = 1e-6 * float(np.median(np.diff(time))) if len(time) > 1 else 0.0
    first, last = (
        np.searchsorted(time, intervals[:, 0] - slack),
        np.searchsorted(time, intervals[:, 1] - slack),
    )
    for start, stop, number in zip(first, last, labels.numbers, strict=True):
        if number == UNLABELLED:
            continue
        there = out[start:stop]
        several[start:stop] |= (there != UNLABELLED) & (there != number)
        out[start:stop] = number
    if several.any() and labels.conflicts == "refuse":
        at = int(np.argmax(several))
        raise InputError(
            f"{path}: {int(several.sum())} samples have two actions at once, the first at {time[at] - zero:.3f} s, "
            "expected one; set conflicts: unlabelled to leave them out"
        )
    out[several] = UNLABELLED
    if len(intervals) and not (out != UNLABELLED).any():
        raise InputError(
            f"{path}: labels are from {intervals[:, 0].min():g} to {intervals[:, 1].max():g} s, but behaviour is from "
            f"{time[0]:g} to {time[-1]:g} s, so nothing is labelled; expected the same clock (options zero: video or "
            "clock)"
        )
    return out
