"""Fit the calcium kernel: how fluorescence decays once activity stops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from neural_action.calcium.kernel import KernelFit
from neural_action.calcium.rest import comparable, motion_energy, rest_threshold, rests_after_movement
from neural_action.calcium.rois import find_rois, traces
from neural_action.config.settings import CalciumSettings
from neural_action.errors import InputError
from neural_action.progress import progress

#: Decays that are tried, s.
DECAYS = np.geomspace(0.03, 12, 121)
#: Longest time over which a decay is followed, s. Later drift would look like a slow decay.
LONGEST = 4.0
#: Least number of rests, so that an interval over rests is meaningful.
LEAST_BOUTS = 3
#: Least number of frames of a rest.
LEAST_FRAMES = 5

Trial = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Segment:
    """Traces after activity has stopped.

    Attributes:
        recording: number of the recording; its segments have the same traces.
        time: (t,) float, s after activity stopped.
        values: (t, roi) float.
    """

    recording: int
    time: np.ndarray
    values: np.ndarray


def fit_kernel(trials: Sequence[Trial], settings: CalciumSettings) -> KernelFit:
    """Fit the decay of the calcium indicator to fluorescence after the animal stops moving.

    Rest is found from the motion of the pose (``rest``). In rests of at least ``rest_seconds``, from ``rest_delay``
    after movement stops, the traces of the strongest regions (``rois``; every unit of (t, unit) data) are fitted by
    ``fit_segments``. In contrast to fits of the autocovariance, this does not overestimate the decay because movement
    itself is correlated in time. The method is our choice, because the paper's appendix could not be read.

    Args:
        trials: (neural, neural_time, pose, pose_time) of each trial: neural (t, y, x) or (t, unit) float, time (t,) s,
            pose (n, ...), time (n,) s. Both clocks have the same zero.
        settings: delays, regions, bootstrap; ``rise`` is passed through, because rest does not determine it.

    Raises:
        InputError: too little rest, or traces that do not decay; the message says to set ``calcium.decay``.
    """
    energies = [motion_energy(pose, time, settings.behavior) for pose, time in _comparable(trials, settings)]
    threshold = rest_threshold(np.concatenate([np.zeros(0), *energies]))
    segments = []
    trial_energies = list(zip(trials, energies, strict=True))
    for number, ((neural, neural_time, _, pose_time), energy) in enumerate(
        progress(trial_energies, "traces at rest", "trial")
    ):
        bouts = (
            []
            if threshold is None
            else rests_after_movement(energy, pose_time, settings.rest_seconds, threshold)
        )
        if not bouts:
            continue
        values = _traces(neural, settings.rois)
        for start, stop in bouts:
            rows = decay_frames(neural_time, start, stop, settings.rest_delay)
            segments.append(Segment(number, neural_time[rows] - start, values[rows]))
    return replace(fit_segments(segments, settings), rise=settings.rise, threshold=threshold)


def decay_frames(neural_time: np.ndarray, start: float, stop: float, delay: float) -> slice:
    """The frames in which the decay is followed, for a rest from ``start`` to ``stop`` (s)."""
    return slice(*np.searchsorted(neural_time, [start + delay, min(stop, start + LONGEST)]))


def fit_segments(segments: Sequence[Segment], settings: CalciumSettings) -> KernelFit:
    """Fit offset + amplitude exp(-t / decay): one decay for all, an offset and an amplitude for each trace and segment.

    Amplitudes (>= 0) and offsets are solved in closed form for each decay (variable projection). The noise of each
    trace in each segment is unknown too: the decay minimises the sum of t log(residual), the negative log likelihood,
    so that traces disturbed by image motion or by activity at rest have little weight (our choice; in simulation,
    plain least squares overestimates the decay twice as much). The interval is a bootstrap over segments.

    Args:
        segments: traces after activity has stopped.
        settings: bootstrap and seed.

    Raises:
        InputError: too few segments, or traces that do not decay.
    """
    segments = [part for part in segments if len(part.time) >= LEAST_FRAMES and part.values.shape[1] > 0]
    what = f"rests of at least {settings.rest_seconds:g} s after movement (calcium.rest_seconds)"
    advice = "; set calcium.decay to the decay of the indicator in s"
    if len(segments) < LEAST_BOUTS:
        raise InputError(f"calcium: {len(segments)} {what}, expected at least {LEAST_BOUTS}{advice}")
    n_rois = sum({part.recording: part.values.shape[1] for part in segments}.values())
    segments = _in_noise_units(segments)
    # Residual of every segment at every decay; the bootstrap sums it over segments.
    residual = np.array(
        [
            [_residual(part, decay) for decay in DECAYS]
            for part in progress(segments, "fitting the kernel", "rest")
        ]
    )
    best = int(np.argmin(residual.sum(0)))
    if best in (0, len(DECAYS) - 1):
        raise InputError(
            f"calcium: no decay between {DECAYS[0]:g} and {DECAYS[-1]:g} s fits {len(segments)} {what}"
            f"{advice}"
        )
    # Imported here, because importing SciPy's optimisers is slow.
    from scipy.optimize import minimize_scalar

    refined = minimize_scalar(
        lambda log: sum(_residual(part, np.exp(log)) for part in segments),
        bounds=np.log(DECAYS[[best - 1, best + 1]]),
        method="bounded",
        options={"xatol": 1e-4},
    )
    decay = float(np.exp(refined.x))
    rng = np.random.default_rng(settings.seed)
    counts = rng.multinomial(len(segments), np.full(len(segments), 1 / len(segments)), settings.bootstrap)
    low, high = np.quantile([_minimum(curve) for curve in counts @ residual], [0.025, 0.975])
    return KernelFit(
        decay=decay,
        low=float(min(low, decay)),
        high=float(max(high, decay)),
        n_bouts=len(segments),
        n_rois=n_rois,
        **_average(segments, decay),
    )


def _comparable(trials: Sequence[Trial], settings: CalciumSettings) -> list[tuple[np.ndarray, np.ndarray]]:
    """Behaviour (n, feature) and time of each trial; velocities are divided by their root mean square."""
    behavior = [(np.asarray(pose, np.float32).reshape(len(pose), -1), time) for _, _, pose, time in trials]
    if settings.behavior == "positions" or not behavior:
        return behavior
    velocities = comparable([pose for pose, _ in behavior])
    return [(values, time) for values, (_, time) in zip(velocities, behavior, strict=True)]


def _traces(neural: np.ndarray, n: int) -> np.ndarray:
    """(t, roi) float32, without constant and non-finite traces."""
    neural = np.asarray(neural)
    values = traces(neural, find_rois(neural, n)) if neural.ndim == 3 else neural.astype(np.float32)
    return values[:, np.isfinite(values).all(0) & (np.ptp(values, axis=0) > 0)]


def _in_noise_units(segments: list[Segment]) -> list[Segment]:
    """Traces divided by their noise sd, estimated from frame differences in all segments of a recording."""
    scale = {}
    for number in {part.recording for part in segments}:
        own = [part.values for part in segments if part.recording == number]
        steps = np.concatenate([np.diff(values, axis=0) for values in own])
        noise = 1.4826 * np.median(np.abs(steps - np.median(steps, 0)), 0) / np.sqrt(2)
        # If most frames repeat the previous frame, the median is 0.
        spread = np.concatenate(own).std(0)
        scale[number] = np.maximum(noise, 1e-3 * spread + 1e-12).astype(np.float64)
    return [replace(part, values=part.values / scale[part.recording]) for part in segments]


def _project(segment: Segment, decay: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least squares of one segment for one decay: amplitude, offset and residual sum of squares, each (roi,).

    Negative amplitudes are set to 0.
    """
    mean = segment.values.mean(0)
    centered = segment.values - mean
    # The amplitude is defined at the first sample, because exp(-t / decay) may underflow.
    shape = np.exp(-(segment.time - segment.time[0]) / decay)
    basis = shape - shape.mean()
    amplitude = np.maximum(basis @ centered, 0) / (basis @ basis)
    explained = np.square(amplitude) * (basis @ basis)
    return amplitude, mean - amplitude * shape.mean(), np.square(centered).sum(0) - explained


def _residual(segment: Segment, decay: float) -> float:
    """Twice the negative log likelihood of a segment in units of noise, up to a constant."""
    samples = len(segment.time)
    # Residuals below a hundredth of the noise are chance.
    return float(samples * np.log(np.maximum(_project(segment, decay)[2], 1e-4 * samples)).sum())


def _minimum(curve: np.ndarray) -> float:
    """Decay (s) at the minimum of a curve over ``DECAYS``, from a parabola through three points around it."""
    at = int(np.clip(np.argmin(curve), 1, len(curve) - 2))
    left, middle, right = curve[at - 1 : at + 2]
    bend = left - 2 * middle + right
    shift = float(np.clip((left - right) / (2 * bend), -1, 1)) if bend > 0 else float(np.argmin(curve) - at)
    return float(DECAYS[at] * (DECAYS[1] / DECAYS[0]) ** shift)


def _average(segments: list[Segment], decay: float) -> dict:
    """Mean decay over all traces, each scaled by its fit, and the fitted curve; both are 1 at the first time."""
    step = max(float(np.median([np.median(np.diff(part.time)) for part in segments])), 1e-3)
    first = min(part.time[0] for part in segments)
    longest = max(part.time[-1] for part in segments)
    bins = int(np.ceil((min(longest, first + 5 * decay) - first) / step)) + 1
    sums, weights = np.zeros((len(segments), bins)), np.zeros((len(segments), bins))
    for row, part in enumerate(segments):
        amplitude, offset, _ = _project(part, decay)
        # Amplitude at the first time of all segments.
        amplitude = amplitude * np.exp((part.time[0] - first) / decay)
        values = (part.values - offset) @ amplitude
        place = np.round((part.time - first) / step).astype(int)
        keep = place < bins
        np.add.at(sums[row], place[keep], values[keep])
        np.add.at(weights[row], place[keep], float(amplitude @ amplitude))
    total = weights.sum(0)
    # Times that few bouts reach are left out.
    keep = total > 0.1 * total.max()
    mean = sums.sum(0)[keep] / total[keep]
    spread = np.sqrt(np.square(sums[:, keep] - weights[:, keep] * mean).sum(0)) / total[keep]
    times = first + step * np.arange(bins)[keep]
    return {
        "times": times.tolist(),
        "mean": mean.tolist(),
        "error": spread.tolist(),
        "curve": np.exp(-(times - first) / decay).tolist(),
    }
