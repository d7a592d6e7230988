"""The calcium kernel: how fluorescence decays once activity stops."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from neural_action.calcium.rest import comparable, motion_energy, rest_threshold, rests_after_movement
from neural_action.calcium.rois import find_rois, traces
from neural_action.config.settings import CalciumSettings
from neural_action.errors import InputError
from neural_action.files import atomic_write
from neural_action.progress import progress

#: Decays looked at, s.
DECAYS = np.geomspace(0.03, 12, 121)
#: A decay is followed no longer than this, s: later there is drift, which passes for a slow decay.
LONGEST = 4.0
#: Fewest rests, so that an interval over them means something.
LEAST_BOUTS = 3
#: Fewest frames of a rest.
LEAST_FRAMES = 5

Trial = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class KernelFit:
    """A calcium kernel and how it was found.

    Attributes:
        decay: s, time to 1/e.
        rise: s, or None for a kernel that jumps up and decays.
        low, high: s, 95 % interval of the decay by bootstrap over bouts; None if configured.
        n_bouts: rests (or isolated bursts) that were followed.
        n_rois: distinct traces that were followed, over all trials.
        source: "rest", "spikes" or "configured".
        threshold: motion energy below which the animal rests (``rest.rest_threshold``), or None.
        times: s after movement stopped (after the last spike), of ``mean`` and ``curve``.
        mean: decays scaled to amplitude 1 and offset 0, averaged with the weights of the fit.
        error: standard error of ``mean`` over bouts.
        curve: the fitted curve at ``times``.
    """

    decay: float
    rise: float | None = None
    low: float | None = None
    high: float | None = None
    n_bouts: int = 0
    n_rois: int = 0
    source: str = "rest"
    threshold: float | None = None
    times: list[float] = field(default_factory=list)
    mean: list[float] = field(default_factory=list)
    error: list[float] = field(default_factory=list)
    curve: list[float] = field(default_factory=list)

    def response(self, rate: float, frames: int) -> np.ndarray:
        """(frames,) float32: ``kernel`` at ``rate`` frames per second, from an event in the first frame."""
        return kernel(self.decay, self.rise, rate, frames)

    def save(self, path: Path) -> None:
        """Write as JSON, whole or not at all."""
        with atomic_write(path) as partial:
            partial.write_text(json.dumps(asdict(self), indent=1, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: Path) -> KernelFit:
        """Read what ``save`` wrote. InputError if the file is something else."""
        try:
            fit = cls(**json.loads(Path(path).read_text()))
            if not (isinstance(fit.decay, int | float) and fit.decay > 0):
                raise ValueError(f"decay is {fit.decay!r}, expected seconds above 0")
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"{path}: cannot be read as a calcium kernel ({error})") from None
        return fit


def kernel(decay: float, rise: float | None, rate: float, frames: int) -> np.ndarray:
    """The response to one event at time 0: exp(-t / decay) - exp(-t / rise), scaled to a peak of 1.

    The usual shape of calcium transients; its parameters could not be read in the paper's appendix. The peak
    is that of the continuous curve, so that it does not depend on where frames fall. Without a rise it is
    exp(-t / decay).

    Args:
        decay: s.
        rise: s, shorter than the decay, or None.
        rate: frames per second.
        frames: how many.

    Returns:
        (frames,) float32; frame i is at time i / rate.

    Raises:
        InputError: a decay that is not positive, or a rise that is not between 0 and the decay.
    """
    if not decay > 0:
        raise InputError(f"calcium.decay: {decay!r}, expected seconds above 0")
    t = np.arange(frames) / rate
    if rise is None:
        return np.exp(-t / decay).astype(np.float32)
    if not 0 < rise < decay:
        raise InputError(f"calcium.rise: {rise!r}, expected seconds between 0 and the decay of {decay:g}")
    peak = np.log(decay / rise) * decay * rise / (decay - rise)
    top = np.exp(-peak / decay) - np.exp(-peak / rise)
    return ((np.exp(-t / decay) - np.exp(-t / rise)) / top).astype(np.float32)


def configured_kernel(settings: CalciumSettings) -> KernelFit:
    """The kernel of ``settings.decay`` and ``rise``, marked as configured. InputError without a decay."""
    if settings.decay is None:
        raise InputError("calcium.decay: null, expected seconds")
    kernel(settings.decay, settings.rise, 1.0, 1)
    times = np.linspace(0, 4 * settings.decay, 100)
    curve = kernel(settings.decay, settings.rise, 25 / settings.decay, 100)
    return KernelFit(
        settings.decay,
        settings.rise,
        source="configured",
        times=times.tolist(),
        curve=[float(value) for value in curve],
    )


@dataclass(frozen=True)
class Segment:
    """Traces while activity is over.

    Attributes:
        recording: number of the recording; its segments share their traces.
        time: (t,) s after activity stopped.
        values: (t, roi).
    """

    recording: int
    time: np.ndarray
    values: np.ndarray


def fit_kernel(trials: Sequence[Trial], settings: CalciumSettings) -> KernelFit:
    """Fit the decay of the indicator from what fluorescence does when the animal stops moving.

    Rest is found from the motion of the pose (``rest``). From ``rest_delay`` after movement stops, in rests
    of at least ``rest_seconds``, the traces of the strongest regions (``rois``; every unit of (t, unit) data)
    are fitted as in ``fit_segments``. Fits of autocovariance overestimate the decay, because bouts of
    movement are correlated themselves; this does not. The method is our choice: the paper's appendix could
    not be read.

    Args:
        trials: (neural, neural_time, pose, pose_time) each: neural (t, y, x) or (t, unit) float, s, (n, ...),
            s. The two clocks share a zero.
        settings: delays, regions, bootstrap; ``rise`` is passed through, as rest says nothing about it.

    Raises:
        InputError: too little rest, or traces that do not decay; it says to configure ``calcium.decay``.
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
    what = f"rests of at least {settings.rest_seconds:g} s after movement (calcium.rest_seconds)"
    fit = fit_segments(segments, settings, what)
    return replace(fit, rise=settings.rise, source="rest", threshold=threshold)


def decay_frames(neural_time: np.ndarray, start: float, stop: float, delay: float) -> slice:
    """The frames in which the decay is followed, of a rest from ``start`` to ``stop``, s."""
    return slice(*np.searchsorted(neural_time, [start + delay, min(stop, start + LONGEST)]))


def fit_segments(
    segments: Sequence[Segment],
    settings: CalciumSettings,
    what: str = "isolated bursts",
    source: str = "spikes",
) -> KernelFit:
    """Fit offset + amplitude exp(-t / decay): one decay, an offset and an amplitude a trace and segment.

    Amplitudes are not negative; amplitudes and offsets are solved for in closed form at each decay (variable
    projection). The noise of each trace in each segment is unknown too: the decay minimises the sum of
    t log(residual), its likelihood, so that a trace disturbed by image motion or by activity at rest counts
    little (our choice; plain least squares overestimates the decay by twice as much in simulation). The
    interval is a bootstrap over segments.

    Args:
        segments: traces while activity is over.
        settings: bootstrap and seed.
        what: a segment is, in messages.
        source: of the fit.

    Raises:
        InputError: too few segments, or traces that do not decay.
    """
    segments = [part for part in segments if len(part.time) >= LEAST_FRAMES and part.values.shape[1] > 0]
    advice = "; set calcium.decay to the decay of the indicator in s"
    if len(segments) < LEAST_BOUTS:
        raise InputError(f"calcium: {len(segments)} {what}, expected at least {LEAST_BOUTS}{advice}")
    n_rois = sum({part.recording: part.values.shape[1] for part in segments}.values())
    segments = _in_noise_units(segments)
    # How badly every decay fits every segment: the bootstrap only has to sum it.
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
    # Imported here: pretraining reads kernels, and need not wait for what fits them.
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
        source=source,
        **_average(segments, decay),
    )


def _comparable(trials: Sequence[Trial], settings: CalciumSettings) -> list[tuple[np.ndarray, np.ndarray]]:
    """Behaviour and time of each trial; velocities in units of their root mean square, to compare them."""
    behavior = [(np.asarray(pose, np.float32).reshape(len(pose), -1), time) for _, _, pose, time in trials]
    if settings.behavior == "positions" or not behavior:
        return behavior
    velocities = comparable([pose for pose, _ in behavior])
    return [(values, time) for values, (_, time) in zip(velocities, behavior, strict=True)]


def _traces(neural: np.ndarray, n: int) -> np.ndarray:
    """(t, roi) float32 without constant or missing traces."""
    neural = np.asarray(neural)
    values = traces(neural, find_rois(neural, n)) if neural.ndim == 3 else neural.astype(np.float32)
    return values[:, np.isfinite(values).all(0) & (np.ptp(values, axis=0) > 0)]


def _in_noise_units(segments: list[Segment]) -> list[Segment]:
    """Traces divided by their noise sd, from differences of frames in all segments of a recording."""
    scale = {}
    for number in {part.recording for part in segments}:
        own = [part.values for part in segments if part.recording == number]
        steps = np.concatenate([np.diff(values, axis=0) for values in own])
        noise = 1.4826 * np.median(np.abs(steps - np.median(steps, 0)), 0) / np.sqrt(2)
        # Where most frames repeat the one before there is no median to go by.
        spread = np.concatenate(own).std(0)
        scale[number] = np.maximum(noise, 1e-3 * spread + 1e-12).astype(np.float64)
    return [replace(part, values=part.values / scale[part.recording]) for part in segments]


def _project(segment: Segment, decay: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least squares of one segment at one decay: amplitude, offset, residual sum of squares, each (roi,).

    Amplitudes below 0 are set to 0.
    """
    mean = segment.values.mean(0)
    centered = segment.values - mean
    # Amplitude is that at the first sample: exp of a long time over a short decay would vanish.
    shape = np.exp(-(segment.time - segment.time[0]) / decay)
    basis = shape - shape.mean()
    amplitude = np.maximum(basis @ centered, 0) / (basis @ basis)
    explained = np.square(amplitude) * (basis @ basis)
    return amplitude, mean - amplitude * shape.mean(), np.square(centered).sum(0) - explained


def _residual(segment: Segment, decay: float) -> float:
    """Twice the negative log likelihood of a segment in units of noise, up to a constant."""
    samples = len(segment.time)
    # Below a hundredth of the noise a fit is an accident.
    return float(samples * np.log(np.maximum(_project(segment, decay)[2], 1e-4 * samples)).sum())


def _minimum(curve: np.ndarray) -> float:
    """Decay at the minimum of a curve over ``DECAYS``, by a parabola through the three lowest points."""
    at = int(np.clip(np.argmin(curve), 1, len(curve) - 2))
    left, middle, right = curve[at - 1 : at + 2]
    bend = left - 2 * middle + right
    shift = float(np.clip((left - right) / (2 * bend), -1, 1)) if bend > 0 else float(np.argmin(curve) - at)
    return float(DECAYS[at] * (DECAYS[1] / DECAYS[0]) ** shift)


def _average(segments: list[Segment], decay: float) -> dict:
    """Mean decay over all traces, each scaled by its fit, and the curve; both 1 at the first time."""
    step = max(float(np.median([np.median(np.diff(part.time)) for part in segments])), 1e-3)
    first = min(part.time[0] for part in segments)
    longest = max(part.time[-1] for part in segments)
    bins = int(np.ceil((min(longest, first + 5 * decay) - first) / step)) + 1
    sums, weights = np.zeros((len(segments), bins)), np.zeros((len(segments), bins))
    for row, part in enumerate(segments):
        amplitude, offset, _ = _project(part, decay)
        # At the common first time, not at this segment's.
        amplitude = amplitude * np.exp((part.time[0] - first) / decay)
        values = (part.values - offset) @ amplitude
        place = np.round((part.time - first) / step).astype(int)
        keep = place < bins
        np.add.at(sums[row], place[keep], values[keep])
        np.add.at(weights[row], place[keep], float(amplitude @ amplitude))
    total = weights.sum(0)
    # A time that few bouts reach is not an average.
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
