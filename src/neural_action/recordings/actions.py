"""Actions of behaviour samples, from labels of video frames or of intervals."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.formats import Labels
from neural_action.recordings.recording import UNLABELLED


def samples_of(labels: Labels, frames: np.ndarray, time: np.ndarray, path: Path) -> np.ndarray:
    """(sample,) int8 class numbers, ``UNLABELLED`` where there is none.

    Args:
        labels: of every video frame, or of intervals.
        frames: (sample,) the video frame of each sample, from 0, increasing.
        time: (sample,) s on the clock of the behaviour.
        path: their file, for messages.

    Raises:
        InputError: more labels than frames; as many labels as samples of a video with gaps, which may be meant either
            way; two actions at once; nothing that is labelled.
    """
    if labels.intervals is not None:
        return _of_intervals(labels, labels.intervals, frames, time, path)
    numbers, video = labels.numbers, int(frames[-1]) + 1
    if len(numbers) > video:
        raise InputError(
            f"{path}: {len(numbers)} labels, expected at most {video}, one a behaviour sample (video frame)"
        )
    if len(numbers) == len(frames) < video and not labels.by_frame:
        raise InputError(
            f"{path}: {len(numbers)} labels, as many as poses, but these are of frames {frames[0]} to {frames[-1]} "
            "with gaps: of which frame a label is is not known; expected a column of frame numbers (options frame)"
        )
    out = np.full(len(frames), UNLABELLED, np.int8)
    # Annotations may end before the video does, never after.
    there = frames < len(numbers)
    out[there] = numbers[frames[there]]
    if not (out != UNLABELLED).any():
        raise InputError(f"{path}: every frame is unlabelled")
    return out


def _of_intervals(
    labels: Labels, intervals: np.ndarray, frames: np.ndarray, time: np.ndarray, path: Path
) -> np.ndarray:
    """Samples from the start of an interval to before its stop."""
    zero = 0.0
    if labels.of_video:
        # The first frame of the video, which the first sample need not be.
        step = float(np.median(np.diff(time) / np.diff(frames))) if len(time) > 1 else 0.0
        zero = float(time[0] - frames[0] * step)
    intervals = intervals + zero
    out = np.full(len(time), UNLABELLED, np.int8)
    several = np.zeros(len(time), bool)
    # Times made from two rates coincide up to rounding.
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
            "expected one; conflicts: unlabelled leaves them out"
        )
    out[several] = UNLABELLED
    if len(intervals) and not (out != UNLABELLED).any():
        raise InputError(
            f"{path}: labels from {intervals[:, 0].min():g} to {intervals[:, 1].max():g} s, but behaviour is from "
            f"{time[0]:g} to {time[-1]:g} s: nothing is labelled; expected one clock (options zero: video or clock)"
        )
    return out
