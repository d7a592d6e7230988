"""At which lag two signals of a trial go together: correlation of one with its prediction from the other.

The prediction is fitted on other trials, so that a trial cannot fit its own noise, and a trial that is shifted against
the others shows where its signals would meet. A positive lag: the predicting signal follows the predicted one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve
from scipy.ndimage import maximum_filter1d

from neural_action.diagnostics.finding import Severity

#: Of ridge regression, as a share of the mean variance of the predictors (our choice).
RIDGE = 0.01


@dataclass(frozen=True)
class Pair:
    """Two signals of one trial on one evenly sampled clock; rows with a NaN take no part.

    Attributes:
        group: trials of one group share a prediction; usually the animal.
        signal: (n, k) float, what is predicted from.
        target: (n, c) float, what is predicted.
    """

    group: str
    signal: np.ndarray
    target: np.ndarray


@dataclass(frozen=True)
class LagCurve:
    """Correlation of a trial's target with its prediction, over lags.

    Attributes:
        lags: (lag,) s.
        correlation: (lag,); NaN where too little overlaps.
        chance: what the correlation, largest over lags, stays below in 95 % of shifts in a circle that no lag undoes,
            of all trials together.
    """

    lags: np.ndarray
    correlation: np.ndarray
    chance: float

    @property
    def peak(self) -> float:
        """Largest correlation; NaN without any."""
        return float(np.nanmax(self.correlation)) if np.isfinite(self.correlation).any() else float("nan")

    @property
    def lag(self) -> float:
        """Lag of the peak, s, by the parabola through it and its two neighbours; NaN without any."""
        if not np.isfinite(self.peak):
            return float("nan")
        at = int(np.nanargmax(self.correlation))
        if not 0 < at < len(self.lags) - 1:
            return float(self.lags[at])
        before, here, after = self.correlation[at - 1 : at + 2]
        bend = before - 2 * here + after
        shift = 0.5 * (before - after) / bend if np.isfinite(bend) and bend < 0 else 0.0
        return float(self.lags[at] + shift * (self.lags[1] - self.lags[0]))

    def at(self, lag: float) -> float:
        """Correlation at a lag (s) between those that were looked at."""
        return float(np.interp(lag, self.lags, self.correlation))

    @property
    def clear(self) -> bool:
        """Whether the peak is above chance and not at the end of the lags."""
        if not self.peak > self.chance:
            return False
        return 0 < int(np.nanargmax(self.correlation)) < len(self.lags) - 1


def lag_curves(
    pairs: Sequence[Pair], rate: float, longest: float
) -> list[tuple[LagCurve, LagCurve, LagCurve]]:
    """Of each trial, and of its first and second half.

    The prediction for a trial is a ridge regression on the other trials of its group, at the lag that suits these best
    (for a group of one trial: on the other half of it).

    Args:
        pairs: trials.
        rate: of the shared clock, 1/s.
        longest: lag, s, to either side; trials that ``too_short`` names have none.
    """
    steps = np.arange(-round(longest * rate), round(longest * rate) + 1)
    parts = [_centred(pair) for pair in pairs]
    moments = [_moments(signal, target, steps) for signal, target in parts]
    predictions = []
    for at, pair in enumerate(pairs):
        others = [k for k, other in enumerate(pairs) if other.group == pair.group and k != at]
        signal, target = parts[at]
        half = len(signal) // 2
        if others:
            predictions.append(signal @ _weights([moments[k] for k in others]))
        else:
            first, second = (
                _weights([_moments(signal[rows], target[rows], steps)])
                for rows in (slice(None, half), slice(half, None))
            )
            predictions.append(np.concatenate([signal[:half] @ second, signal[half:] @ first]))
    kinds = []
    for cut in (lambda n: slice(None), lambda n: slice(None, n // 2), lambda n: slice(n // 2, None)):
        made = [
            (predicted[cut(len(predicted))], target[cut(len(target))])
            for predicted, (_, target) in zip(predictions, parts, strict=True)
        ]
        far = np.concatenate([_far_peaks(*one, int(steps[-1])) for one in made])
        chance = float(np.quantile(far, 0.95)) if len(far) else float("nan")
        kinds.append([LagCurve(steps / rate, _correlations(*one, steps), chance) for one in made])
    return list(zip(*kinds, strict=True))


def too_short(seconds: Sequence[float], longest: float) -> str | None:
    """Why lags cannot be looked at in trials of so many seconds; None if they can in most.

    Chance is what correlations come to at shifts that no lag undoes: a trial has to hold two of the longest to either
    side.
    """
    median = float(np.median(seconds))
    if median > 4 * longest:
        return None
    return f"not checked: half of the trials are shorter than {median:.3g} s, too short for lags of {longest:g} s"


def _centred(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """Both signals about their means, 0 where either is missing."""
    used = np.isfinite(pair.signal).all(1) & np.isfinite(pair.target).all(1)
    out = []
    for values in (pair.signal, pair.target):
        values = np.where(used[:, None], values, 0.0).astype(np.float64)
        out.append(np.where(used[:, None], values - values.sum(0) / max(1, used.sum()), 0.0))
    return out[0], out[1]


def _overlap(length: int, step: int) -> tuple[slice, slice]:
    """Rows of the signal and of the target that meet at a lag of ``step`` samples."""
    step = int(np.clip(step, -length, length))
    return slice(max(0, step), length + min(0, step)), slice(max(0, -step), length - max(0, step))


def _moments(signal: np.ndarray, target: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(k, k) products of the signal with itself and (lag, k, c) with the target at each lag."""
    cross = np.empty((len(steps), signal.shape[1], target.shape[1]))
    for at, step in enumerate(steps):
        there, here = _overlap(len(signal), step)
        cross[at] = signal[there].T @ target[here]
    return signal.T @ signal, cross


def _weights(moments: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """(k, c) ridge weights at the lag at which they explain most."""
    square = sum((moment[0] for moment in moments), start=np.zeros(()))
    cross = sum((moment[1] for moment in moments), start=np.zeros(()))
    ridge = RIDGE * np.trace(square) / len(square) + 1e-12
    solved = solve(square + ridge * np.eye(len(square)), cross.transpose(1, 0, 2).reshape(len(square), -1))
    weights = solved.reshape(len(square), len(cross), -1).transpose(1, 0, 2)
    explained = (weights * cross).sum((1, 2))
    return weights[int(np.argmax(explained))]


def _far_peaks(predicted: np.ndarray, target: np.ndarray, longest: int) -> np.ndarray:
    """(shift,) largest correlation over the lags, after each shift of the target in a circle by more than two lags."""
    length = len(target)
    far = slice(2 * longest + 1, length - 2 * longest)
    if far.stop <= far.start:
        return np.empty(0)
    predicted, target = predicted - predicted.mean(0), target - target.mean(0)
    norm = np.sqrt((predicted**2).sum() * (target**2).sum())
    if norm == 0:
        return np.empty(0)
    product = np.fft.rfft(predicted, axis=0) * np.fft.rfft(target, axis=0).conj()
    circle = np.fft.irfft(product.sum(1), length) / norm
    return maximum_filter1d(circle, 2 * longest + 1, mode="wrap")[far]


def _correlations(predicted: np.ndarray, target: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """(lag,) correlation over all columns together, each centred where both are there; by Fourier transform."""
    length = len(target)
    if length < max(4, steps[-1] + 1):
        return np.full(len(steps), np.nan)
    predicted, target = predicted - predicted.mean(0), target - target.mean(0)
    size = 2 * length
    product = np.fft.rfft(predicted, size, 0) * np.fft.rfft(target, size, 0).conj()
    sums = np.fft.irfft(product.sum(1), size)[steps]
    norm = np.sqrt((predicted**2).sum() * (target**2).sum())
    # Fewer rows meet at a long lag: the sum is what it would be of all.
    meeting = np.maximum(1, length - np.abs(steps)) / length
    return sums / (norm * meeting) if norm > 0 else np.full(len(steps), np.nan)


def unclear(curve: LagCurve, clear: int, trials: int, share: float) -> tuple[Severity, str]:
    """Severity and message for a trial whose peak is not above chance.

    Where nearly all trials (``share``) are above it, one that is not is suspicious; otherwise it tells nothing.
    """
    at_end = curve.peak > curve.chance
    what = f"correlation {curve.peak:.2f}, " + (
        f"highest at the longest lag ({curve.lag:.1f} s)"
        if at_end
        else f"not above chance ({curve.chance:.2f})"
    )
    if clear >= share * trials and clear < trials:
        return "warning", f"{what}, while {clear} of {trials} trials peak above it: is this one out of step?"
    return "note", f"{what}: cannot be told"


def apart(curve: LagCurve, lag: float, tolerance: float, drop: float) -> bool:
    """Whether a curve peaks elsewhere than at ``lag``.

    Further away than ``tolerance`` s, and so that at ``lag`` it has lost more than the share ``drop`` of its peak: a
    broad peak says little about where it is.
    """
    return abs(curve.lag - lag) > tolerance and curve.at(lag) < (1 - drop) * curve.peak
