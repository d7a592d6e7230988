"""Recordings that are well formed and cannot be right: no signal, another unit, clocks that contradict each other."""

from __future__ import annotations

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.recording import Recording
from neural_action.recordings.steps import least_baseline, sampled_frames

#: Values above this overflow float32 as soon as they are squared and summed over a window.
LARGEST = 1e15
#: How far, in s, a behaviour sample's neural frame may be from the sample by the two clocks, beside two frames (our
#: choice: nominal clocks drift less in minutes, a clock in another unit more).
MISALIGNED = 0.5
#: Times the median standard deviation of units that one of them may have (our choice).
WIDEST = 100


def doubtful_units(frames: np.ndarray, percentile: float | None) -> dict[str, np.ndarray]:
    """Why a unit's activity cannot be trusted -> (unit,) numbers of such units.

    Args:
        frames: (frame, unit) float32, evenly spaced frames as the file has them.
        percentile: of F0, where dF/F is computed (``convert.dff``); None where it is not.
    """
    constant = np.ptp(frames, axis=0) == 0
    reasons = {"is constant": np.flatnonzero(constant)}
    if percentile is not None:
        low = np.percentile(frames, percentile, axis=0) < least_baseline(frames)
        reasons[f"has a baseline (percentile {percentile:g}) that is not above 0, or hardly"] = (
            np.flatnonzero(low & ~constant)
        )
    sd = frames.std(0, dtype=np.float64)
    usual = float(np.median(sd))
    far = (sd > WIDEST * usual) & (usual > 0)
    reasons[f"varies more than {WIDEST} times as much as the median unit"] = np.flatnonzero(far)
    return {reason: units for reason, units in reasons.items() if len(units)}


def check_plausible(recording: Recording, where: str) -> None:
    """InputError naming ``where`` and what cannot be; neural activity is looked at in evenly spaced frames."""
    _check_signal(recording, where)
    for clock in ("neural", "behavior"):
        _check_rate(
            getattr(recording, f"{clock}_time"), getattr(recording, f"{clock}_rate"), f"{where}: {clock}"
        )
    _check_alignment(recording, where)


def _check_signal(recording: Recording, where: str) -> None:
    """Both signals change, and hold nothing that no instrument measures."""
    frames = np.asarray(sampled_frames(recording.neural))
    for name, values in (("neural activity", frames), ("behaviour", np.asarray(recording.behavior))):
        if values.size == 0:
            continue
        low, high = float(values.min()), float(values.max())
        if len(values) > 1 and low == high:
            raise InputError(f"{where}: {name} is {low:g} throughout, expected a signal")
        if max(-low, high) > LARGEST:
            raise InputError(
                f"{where}: {name} reaches {max(-low, high):g}, expected at most {LARGEST:g}: is the unit right?"
            )


def _check_rate(clock: np.ndarray, rate: float, what: str) -> None:
    """The clock ticks at its rate, give or take a factor of two."""
    period = float(np.median(np.diff(clock))) if len(clock) > 1 else 1 / rate
    if not 0.5 < period * rate < 2:
        raise InputError(
            f"{what}_time ticks every {period:g} s at {rate:g} a second, expected {1 / rate:g} s: is one of the two in "
            "another unit?"
        )


def _check_alignment(recording: Recording, where: str) -> None:
    """Index and clocks say the same, wherever there is a neural frame at the time of a sample."""
    frames, samples = recording.neural_time, recording.behavior_time
    period = float(np.median(np.diff(frames))) if len(frames) > 1 else np.inf
    after = np.clip(np.searchsorted(frames, samples), 1, max(1, len(frames) - 1)) % len(frames)
    near = np.minimum(np.abs(frames[after - 1] - samples), np.abs(frames[after] - samples))
    apart = np.where(near <= 1.5 * period, np.abs(frames[recording.neural_index] - samples), 0.0)
    at, most = int(np.argmax(apart)), MISALIGNED + 2 * period
    if apart[at] > most:
        raise InputError(
            f"{where}: neural_index puts sample {at} at frame {recording.neural_index[at]}, {apart[at]:.2f} s from it "
            f"by the clocks, expected at most {most:.2f} s: are the sampling rates right?"
        )
