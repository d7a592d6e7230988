"""Check recordings for values that cannot be right: no signal, a wrong unit, clocks that contradict each other."""

from __future__ import annotations

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.recording import Recording
from neural_action.recordings.steps import least_baseline, sampled_frames

#: Larger values overflow float32 when they are squared and summed over a window.
LARGEST = 1e15
#: Maximum time (s), in addition to two frame periods, between a behaviour sample and its neural frame (our choice:
#: nominal clocks drift less within minutes, clocks in different units differ more).
MISALIGNED = 0.5
#: Maximum ratio of a unit's standard deviation to the median over units (our choice).
WIDEST = 100


def doubtful_units(frames: np.ndarray, percentile: float | None) -> dict[str, np.ndarray]:
    """Reason why activity cannot be trusted -> (n,) indices of the units.

    Args:
        frames: (frame, unit) float32, evenly spaced frames as in the file.
        percentile: percentile that is F0, if dF/F is computed (``convert.dff``); otherwise None.
    """
    constant = np.ptp(frames, axis=0) == 0
    reasons = {"is constant": np.flatnonzero(constant)}
    if percentile is not None:
        low = np.percentile(frames, percentile, axis=0) < least_baseline(frames)
        reasons[f"has a baseline (percentile {percentile:g}) at, below or barely above 0"] = np.flatnonzero(
            low & ~constant
        )
    sd = frames.std(0, dtype=np.float64)
    usual = float(np.median(sd))
    far = (sd > WIDEST * usual) & (usual > 0)
    reasons[f"varies more than {WIDEST} times as much as the median unit"] = np.flatnonzero(far)
    return {reason: units for reason, units in reasons.items() if len(units)}


def check_plausible(recording: Recording, where: str) -> None:
    """InputError naming ``where`` if signals, rates or alignment cannot be right; uses evenly spaced neural frames."""
    _check_signal(recording, where)
    for clock in ("neural", "behavior"):
        _check_rate(
            getattr(recording, f"{clock}_time"), getattr(recording, f"{clock}_rate"), f"{where}: {clock}"
        )
    _check_alignment(recording, where)


def _check_signal(recording: Recording, where: str) -> None:
    """InputError if a signal is constant or exceeds ``LARGEST``."""
    frames = np.asarray(sampled_frames(recording.neural))
    for name, values in (("neural activity", frames), ("behaviour", np.asarray(recording.behavior))):
        if values.size == 0:
            continue
        low, high = float(values.min()), float(values.max())
        if len(values) > 1 and low == high:
            raise InputError(f"{where}: {name} is {low:g} everywhere, expected a signal that varies")
        if max(-low, high) > LARGEST:
            raise InputError(
                f"{where}: {name} reaches {max(-low, high):g}, expected at most {LARGEST:g}: is the unit right?"
            )


def _check_rate(clock: np.ndarray, rate: float, what: str) -> None:
    """InputError if the median step of the clock differs from 1 / rate by a factor of two or more."""
    period = float(np.median(np.diff(clock))) if len(clock) > 1 else 1 / rate
    if not 0.5 < period * rate < 2:
        raise InputError(
            f"{what}_time has a median step of {period:g} s at a rate of {rate:g} /s, expected {1 / rate:g} s: is one "
            "of the two in another unit?"
        )


def _check_alignment(recording: Recording, where: str) -> None:
    """InputError if ``neural_index`` and the clocks disagree for a sample that has a neural frame nearby."""
    frames, samples = recording.neural_time, recording.behavior_time
    period = float(np.median(np.diff(frames))) if len(frames) > 1 else np.inf
    after = np.clip(np.searchsorted(frames, samples), 1, max(1, len(frames) - 1)) % len(frames)
    near = np.minimum(np.abs(frames[after - 1] - samples), np.abs(frames[after] - samples))
    apart = np.where(near <= 1.5 * period, np.abs(frames[recording.neural_index] - samples), 0.0)
    at, most = int(np.argmax(apart)), MISALIGNED + 2 * period
    if apart[at] > most:
        raise InputError(
            f"{where}: neural_index assigns sample {at} to frame {recording.neural_index[at]}, but the clocks put them "
            f"{apart[at]:.2f} s apart, expected at most {most:.2f} s: are the sampling rates right?"
        )
