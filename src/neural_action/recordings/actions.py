"""Assign actions to behaviour samples, from labels of video frames or of intervals."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.formats import Labels
from neural_action.recordings.recording import UNLABELLED

#: Labels are not in seconds if they last more than this many times as long as the behaviour, and if in another unit
#: their last stop is at this part of its end (our choice).
_LONGER, _FITS = 3.0, (0.8, 1.05)


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
    step = _step(frames, time)
    time, zero = _clock(labels, frames, time)
    intervals = intervals + zero
    if not (labels.in_frames or labels.stated):
        _check_seconds(intervals, time, step, path)
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
        unit = "frames" if labels.in_frames else "s"
        raise InputError(
            f"{path}: labels are from {intervals[:, 0].min():g} to {intervals[:, 1].max():g} {unit}, but behaviour is "
            f"from {time[0]:g} to {time[-1]:g} {unit}, so nothing is labelled; expected the same clock (options zero: "
            "video or clock)"
        )
    return out


def outside(labels: Labels, frames: np.ndarray, time: np.ndarray) -> str:
    """Phrase on labelled intervals that lie wholly before or after the behaviour; "" if there are none.

    Arguments as ``samples_of``.
    """
    if labels.intervals is None:
        return ""
    time, zero = _clock(labels, frames, time)
    own = labels.intervals[labels.numbers != UNLABELLED] + zero
    count = int(((own[:, 1] <= time[0]) | (own[:, 0] > time[-1])).sum())
    return f"; {count} of {len(own)} intervals lie outside the behaviour" if count else ""


def _step(frames: np.ndarray, time: np.ndarray) -> float:
    """Time from one video frame to the next; 0 for a single sample."""
    return float(np.median(np.diff(time) / np.diff(frames))) if len(time) > 1 else 0.0


def _clock(labels: Labels, frames: np.ndarray, time: np.ndarray) -> tuple[np.ndarray, float]:
    """(sample,) clock of the samples in the unit of the intervals, and where the zero of the intervals is on it."""
    if labels.in_frames:
        return frames.astype(np.float64), 0.0
    # The first sample may be a later frame than the first.
    return time, float(time[0] - frames[0] * _step(frames, time)) if labels.of_video else 0.0


def _check_seconds(intervals: np.ndarray, time: np.ndarray, step: float, path: Path) -> None:
    """InputError if intervals last much longer than the behaviour and would fit it in ms or in video frames."""
    last, end = float(intervals[:, 1].max(initial=0)), float(time[-1])
    if last <= _LONGER * end or end <= 0:
        return
    for name, unit in (("ms", 1e-3), ("video frames", step)):
        if _FITS[0] < last * unit / end < _FITS[1]:
            raise InputError(
                f"{path}: labels last to {last:g} s, but behaviour to {end:g} s; expected seconds, not {name}, as it "
                f"seems: set the unit with --option labels.options.seconds={unit:g} (1 for seconds)"
            )
