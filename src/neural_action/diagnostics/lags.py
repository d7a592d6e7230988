"""At which lag two signals of a trial go together: correlation of one with its prediction from the other.

The prediction is fitted on other trials, so that a trial cannot fit its own noise, and a trial that is shifted against
the others shows where its signals would meet. A positive lag: the predicting signal follows the predicted one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve

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
        chance: the correlation, largest over lags, that 95 % of targets shifted in a circle stay below.
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

    @property
    def clear(self) -> bool:
        """Whether the peak is above chance and not at the end of the lags."""
        if not self.peak > self.chance:
            return False
        return 0 < int(np.nanargmax(self.correlation)) < len(self.lags) - 1


def lag_curves(
    pairs: Sequence[Pair], rate: float, longest: float, shifts: int, seed: int
) -> list[tuple[LagCurve, LagCurve, LagCurve]]:
    """Of each trial, and of its first and second half.

    The prediction for a trial is a ridge regression on the other trials of its group, at the lag that suits these best
    (for a group of one trial: on the other half of it).

    Args:
        pairs: trials.
        rate: of the shared clock, 1/s.
        longest: lag, s, to either side.
        shifts: shifted targets that chance is estimated from.
        seed: of the shifts.
    """
    steps = np.arange(-round(longest * rate), round(longest * rate) + 1)
    rng = np.random.default_rng(seed)
    parts = [_centred(pair) for pair in pairs]
    moments = [_moments(signal, target, steps) for signal, target in parts]
    curves = []
    for at, pair in enumerate(pairs):
        others = [k for k, other in enumerate(pairs) if other.group == pair.group and k != at]
        signal, target = parts[at]
        half = len(signal) // 2
        if others:
            predicted = signal @ _weights([moments[k] for k in others])
        else:
            first, second = (
                _weights([_moments(signal[rows], target[rows], steps)])
                for rows in (slice(None, half), slice(half, None))
            )
            predicted = np.concatenate([signal[:half] @ second, signal[half:] @ first])
        ranges = (slice(None), slice(None, half), slice(half, None))
        curves.append(
            tuple(_curve(predicted[rows], target[rows], steps, rate, shifts, rng) for rows in ranges)
        )
    return curves


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
    square = sum(moment[0] for moment in moments)
    cross = sum(moment[1] for moment in moments)
    ridge = RIDGE * np.trace(square) / len(square) + 1e-12
    solved = solve(square + ridge * np.eye(len(square)), cross.transpose(1, 0, 2).reshape(len(square), -1))
    weights = solved.reshape(len(square), len(cross), -1).transpose(1, 0, 2)
    explained = (weights * cross).sum((1, 2))
    return weights[int(np.argmax(explained))]


def _curve(
    predicted: np.ndarray,
    target: np.ndarray,
    steps: np.ndarray,
    rate: float,
    shifts: int,
    rng: np.random.Generator,
) -> LagCurve:
    correlation = _correlations(predicted, target, steps)
    longest, length = int(steps[-1]), len(target)
    chance = float("nan")
    # Shifts that no lag undoes.
    far = np.arange(2 * longest + 1, length - 2 * longest)
    if len(far):
        drawn = rng.choice(far, min(shifts, len(far)), replace=False)
        peaks = [np.max(_correlations(predicted, np.roll(target, by, 0), steps)) for by in drawn]
        chance = float(np.quantile(peaks, 0.95))
    return LagCurve(steps / rate, correlation, chance)


def _correlations(predicted: np.ndarray, target: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """(lag,) correlation over all columns together, each centred where both are there; by Fourier transform."""
    length = len(target)
    if length < 4:
        return np.full(len(steps), np.nan)
    predicted, target = predicted - predicted.mean(0), target - target.mean(0)
    size = 2 * length
    product = np.fft.rfft(predicted, size, 0) * np.fft.rfft(target, size, 0).conj()
    sums = np.fft.irfft(product.sum(1), size)[steps]
    norm = np.sqrt((predicted**2).sum() * (target**2).sum())
    # Fewer rows meet at a long lag: the sum is what it would be of all.
    meeting = np.maximum(1, length - np.abs(steps)) / length
    return sums / (norm * meeting) if norm > 0 else np.full(len(steps), np.nan)
