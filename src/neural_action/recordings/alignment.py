"""Align two clocks: find the neural frame of each behaviour sample."""

from __future__ import annotations

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.units import EPOCH

#: Two times closer than this fraction of the median step count as one that was written twice (our choice).
_TWICE = 1e-3


def by_time(neural: np.ndarray, behavior: np.ndarray, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Behaviour samples that lie in a neural frame, and the frame of each.

    A frame lasts from its time to that of the next frame, but at most 1.5 frame periods. Samples before the first
    frame, after the last one or in a gap have no frame.

    Args:
        neural: (frame,) s, increasing.
        behavior: (sample,) s on the same clock, increasing.
        where: the recording, for messages.

    Returns:
        (kept,) int64 sample numbers and (kept,) int32 frame numbers.

    Raises:
        InputError: a clock does not increase; the clocks do not overlap (with the time between them); or fewer than 2
            samples lie in a frame.
    """
    for name, clock in (("neural", neural), ("behaviour", behavior)):
        check_clock(name, clock, where)
    apart = max(behavior[0] - neural[-1], neural[0] - behavior[-1])
    if apart > 0:
        epoch = "; one of them is Unix time" if apart > EPOCH else ""
        raise InputError(
            f"{where}: neural frames from {neural[0]:.3f} to {neural[-1]:.3f} s and behaviour from "
            f"{behavior[0]:.3f} to {behavior[-1]:.3f} s do not overlap ({apart:.3f} s apart); expected clocks with the "
            f"same zero (align.offset is added to behaviour times){epoch}"
        )
    period = float(np.median(np.diff(neural))) if len(neural) > 1 else np.inf
    # Times computed from two rates agree only up to rounding.
    slack = 1e-6 * period if len(neural) > 1 else 0.0
    frame = np.searchsorted(neural, behavior + slack, side="right") - 1
    kept = np.flatnonzero((frame >= 0) & (behavior - neural[np.maximum(frame, 0)] < 1.5 * period))
    if len(kept) < 2:
        raise InputError(
            f"{where}: {len(kept)} of {len(behavior)} behaviour samples lie in a neural frame, expected at least 2"
        )
    return kept, frame[kept].astype(np.int32)


def by_index(
    neural: np.ndarray, behavior: np.ndarray, index: np.ndarray, where: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Align clocks with an unknown offset from the neural frame of each sample.

    The offset added to behaviour times is the median of the offsets that put each sample in the middle of its frame
    (our choice).

    Args:
        neural: (frame,) s, increasing.
        behavior: (sample,) s, increasing.
        index: (sample,) neural frame, -1 for none.
        where: the file of the index, for messages.

    Returns:
        (kept,) int64 sample numbers, (kept,) int32 frame numbers, (kept,) float64 s on the neural clock.

    Raises:
        InputError: a clock does not increase; the index has another length, lies outside the frames or decreases; or a
            sample is more than 1.5 frame periods from the middle of its frame, so the rates do not fit the index.
    """
    for name, clock in (("neural", neural), ("behaviour", behavior)):
        check_clock(name, clock, where)
    if len(index) != len(behavior):
        raise InputError(
            f"{where}: {len(index)} frame numbers, expected {len(behavior)}, one for each behaviour sample"
        )
    whole = index.astype(np.int64)
    if (whole != index).any() or whole.max() >= len(neural) or whole.min() < -1:
        at = int(np.argmax((whole != index) | (whole >= len(neural)) | (whole < -1)))
        raise InputError(f"{where}: frame {index[at]:g} at entry {at}, expected -1 to {len(neural) - 1}")
    kept = np.flatnonzero(whole >= 0)
    frame = whole[kept]
    if len(kept) < 2 or (np.diff(frame) < 0).any():
        raise InputError(
            f"{where}: frame numbers decrease, or fewer than 2 are >= 0, expected non-decreasing ones"
        )
    period = float(np.median(np.diff(neural)))
    offset = float(np.median(neural[frame] + period / 2 - behavior[kept]))
    time = behavior[kept] + offset
    far = np.abs(time - neural[frame] - period / 2)
    if far.max() > 1.5 * period:
        at = int(np.argmax(far))
        raise InputError(
            f"{where}: sample {kept[at]} is {far[at]:.3f} s from the middle of its frame {frame[at]} ({period:.3f} s "
            "long); expected rates of neural activity and behaviour that fit the frame numbers"
        )
    return kept, frame.astype(np.int32), time


def by_events(neural: np.ndarray, behavior: np.ndarray, where: str, tolerance: float) -> tuple[float, float]:
    """``offset`` (s) and ``drift`` that map behaviour times to the neural clock: time * drift + offset.

    With one common event, drift is 1; with two or more, both are fitted by least squares.

    Args:
        neural: (event,) s on the neural clock.
        behavior: (event,) s on the behaviour clock.
        where: the recording, for messages.
        tolerance: largest residual of an event after the fit, s.

    Raises:
        InputError: the numbers of events differ or are 0, or a residual is larger.
    """
    if len(neural) != len(behavior) or not len(neural):
        raise InputError(
            f"{where}: {len(neural)} events on the neural clock and {len(behavior)} on the behaviour clock, "
            "expected the same events on both"
        )
    if len(neural) == 1:
        return float(neural[0] - behavior[0]), 1.0
    drift, offset = np.polyfit(behavior, neural, 1)
    off = np.abs(behavior * drift + offset - neural)
    if off.max() > tolerance:
        at = int(np.argmax(off))
        raise InputError(
            f"{where}: event {at} is {off[at]:.3f} s off after fitting one clock to the other, expected at most "
            f"{tolerance:g} s; the events on the two clocks differ"
        )
    return float(offset), float(drift)


def check_clock(name: str, clock: np.ndarray, where: str) -> None:
    """InputError unless there are times, all finite and increasing by more than ``_TWICE`` of the median step."""
    if not len(clock) or not np.isfinite(clock).all():
        at = int(np.argmin(np.isfinite(clock))) if len(clock) else 0
        raise InputError(f"{where}: {name} times are NaN or missing at entry {at}, expected finite times")
    steps = np.diff(clock)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0))
        raise InputError(
            f"{where}: {name} times do not increase at entry {at + 1} ({clock[at]:g} s, then {clock[at + 1]:g} s)"
        )
    # Any speed between two such samples would be a thousand times too large.
    if len(steps) and steps.min() < _TWICE * np.median(steps):
        at, usual = int(np.argmin(steps)), float(np.median(steps))
        raise InputError(
            f"{where}: {name} times {at} and {at + 1} are {steps[at]:.3g} s apart, the median is {usual:.3g} s; "
            "expected one time for each frame or sample: remove one of the two, or give the rate"
        )
