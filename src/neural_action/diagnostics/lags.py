"""The lag between two signals of a trial: lagged correlation of one signal with its prediction from the other.

The prediction is fitted on other trials. This cross-fitting prevents fitting noise, and shows by how much the signals
of a trial are shifted against each other. At a positive lag, the predicting signal follows the predicted one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve
from scipy.ndimage import maximum_filter1d

from neural_action.diagnostics.finding import Severity

#: Ridge penalty as a share of the mean variance of the predictors (our choice).
RIDGE = 0.01


@dataclass(frozen=True)
class Pair:
    """Two signals of one trial on one evenly sampled clock; rows with a NaN are ignored.

    Attributes:
        group: the prediction is fitted within a group, usually the animal.
        signal: (n, k) float, the predicting signal.
        target: (n, c) float, the predicted signal.
    """

    group: str
    signal: np.ndarray
    target: np.ndarray


@dataclass(frozen=True)
class LagCurve:
    """Correlation of a trial's target with its prediction, over lags.

    Attributes:
        lags: (lag,) float, s.
        correlation: (lag,) float; NaN if the trial is too short.
        chance: 95 % quantile of the largest correlation over lags after circular shifts of more than two longest lags,
            over all trials.
    """

    lags: np.ndarray
    correlation: np.ndarray
    chance: float

    @property
    def peak(self) -> float:
        """Largest correlation; NaN if all are NaN."""
        return float(np.nanmax(self.correlation)) if np.isfinite(self.correlation).any() else float("nan")

    @property
    def lag(self) -> float:
        """Lag of the peak in s, from the parabola through the peak and its two neighbours; NaN without a peak."""
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
        """Correlation at ``lag`` (s), interpolated linearly."""
        return float(np.interp(lag, self.lags, self.correlation))

    @property
    def clear(self) -> bool:
        """Whether the peak is above chance and not at the longest lag."""
        if not self.peak > self.chance:
            return False
        return 0 < int(np.nanargmax(self.correlation)) < len(self.lags) - 1


def lag_curves(
    pairs: Sequence[Pair], rate: float, longest: float
) -> list[tuple[LagCurve, LagCurve, LagCurve]]:
    """Lag curves of each trial, of its first half and of its second half.

    The prediction for a trial is a ridge regression fitted on the other trials of its group, at the lag at which it
    explains most. In a group of one trial, each half is predicted from the other half.

    Args:
        pairs: the trials.
        rate: samples per second of the clock.
        longest: longest lag in either direction, s; check with ``too_short`` first.
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
    """A message if trials of these lengths (s) are too short for lag curves; None if most are long enough.

    Chance is measured at circular shifts of more than two longest lags in either direction, so the median trial must be
    longer than four longest lags.
    """
    median = float(np.median(seconds))
    if median > 4 * longest:
        return None
    return f"not checked: the median trial lasts {median:.3g} s, lags of {longest:g} s need more than {4 * longest:g} s"


def _centred(pair: Pair) -> tuple[np.ndarray, np.ndarray]:
    """Both signals minus their means; 0 in rows where either has a NaN."""
    used = np.isfinite(pair.signal).all(1) & np.isfinite(pair.target).all(1)
    out = []
    for values in (pair.signal, pair.target):
        values = np.where(used[:, None], values, 0.0).astype(np.float64)
        out.append(np.where(used[:, None], values - values.sum(0) / max(1, used.sum()), 0.0))
    return out[0], out[1]


def _overlap(length: int, step: int) -> tuple[slice, slice]:
    """Rows of signal and target that overlap at a lag of ``step`` samples."""
    step = int(np.clip(step, -length, length))
    return slice(max(0, step), length + min(0, step)), slice(max(0, -step), length - max(0, step))


def _moments(signal: np.ndarray, target: np.ndarray, steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(k, k) product of the signal with itself, and (lag, k, c) products with the target at each lag."""
    cross = np.empty((len(steps), signal.shape[1], target.shape[1]))
    for at, step in enumerate(steps):
        there, here = _overlap(len(signal), step)
        cross[at] = signal[there].T @ target[here]
    return signal.T @ signal, cross


def _weights(moments: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """(k, c) ridge weights at the lag at which they explain most variance."""
    square = sum((moment[0] for moment in moments), start=np.zeros(()))
    cross = sum((moment[1] for moment in moments), start=np.zeros(()))
    ridge = RIDGE * np.trace(square) / len(square) + 1e-12
    solved = solve(square + ridge * np.eye(len(square)), cross.transpose(1, 0, 2).reshape(len(square), -1))
    weights = solved.reshape(len(square), len(cross), -1).transpose(1, 0, 2)
    explained = (weights * cross).sum((1, 2))
    return weights[int(np.argmax(explained))]


def _far_peaks(predicted: np.ndarray, target: np.ndarray, longest: int) -> np.ndarray:
    """(shift,) largest correlation over lags, after each circular shift of the target by more than two longest lags."""
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
    """(lag,) correlation over all columns together, by Fourier transform; NaN if the trial is too short."""
    length = len(target)
    if length < max(4, steps[-1] + 1):
        return np.full(len(steps), np.nan)
    predicted, target = predicted - predicted.mean(0), target - target.mean(0)
    size = 2 * length
    product = np.fft.rfft(predicted, size, 0) * np.fft.rfft(target, size, 0).conj()
    sums = np.fft.irfft(product.sum(1), size)[steps]
    norm = np.sqrt((predicted**2).sum() * (target**2).sum())
    # Fewer rows overlap at a long lag, so the sum is scaled to the full length.
    meeting = np.maximum(1, length - np.abs(steps)) / length
    return sums / (norm * meeting) if norm > 0 else np.full(len(steps), np.nan)


def unclear(curve: LagCurve, clear: int, trials: int, share: float) -> tuple[Severity, str]:
    """Severity and message for a trial whose peak is not above chance.

    It is a warning if at least ``share`` of the trials have a clear peak, and a note otherwise.
    """
    at_end = curve.peak > curve.chance
    what = f"correlation {curve.peak:.2f}, " + (
        f"highest at the longest lag ({curve.lag:.1f} s)"
        if at_end
        else f"not above chance ({curve.chance:.2f})"
    )
    if clear >= share * trials and clear < trials:
        return (
            "warning",
            f"{what}, but {clear} of {trials} trials have a clear peak: is this trial misaligned?",
        )
    return "note", f"{what}: unclear"


def apart(curve: LagCurve, lag: float, tolerance: float, drop: float) -> bool:
    """Whether a curve peaks clearly away from ``lag``.

    The peak must be more than ``tolerance`` s away, and the correlation at ``lag`` must be lower than the peak by more
    than the share ``drop``, because the position of a broad peak is uncertain.
    """
    return abs(curve.lag - lag) > tolerance and curve.at(lag) < (1 - drop) * curve.peak
