"""Find rest from the motion of the pose, without labels."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.ndimage import uniform_filter1d

#: Time over which speed is computed, and over which its square is averaged, s (our choice).
SPEED_SECONDS = 0.05
SMOOTH_SECONDS = 0.15
#: Largest density of a valley, as a share of the lower of its two modes.
DEPTH = 0.6
#: Least duration of movement before a rest, s.
LEAST_MOVEMENT = 0.3


def comparable(velocities: Sequence[np.ndarray]) -> list[np.ndarray]:
    """(n, feature) velocities of each trial in units of their root mean square over all trials."""
    squares = np.nanmean(np.square(np.concatenate(velocities)), 0)
    scale = np.sqrt(np.where(squares > 0, squares, np.inf))
    return [values / scale for values in velocities]


def motion_energy(pose: np.ndarray, time: np.ndarray, behavior: str = "positions") -> np.ndarray:
    """Mean over features of squared speed, smoothed over 0.15 s (our choice).

    Speeds of positions are differences over 0.05 s, so that tracking noise, which is independent between samples, does
    not mask slow movements.

    Args:
        pose: (n, ...) float, all features in the same unit.
        time: (n,) s, increasing.
        behavior: "positions", or "velocities" if the features are speeds and 0 is rest.

    Returns:
        (n,) float64, in squared units of speed; NaN near poses that are not finite, and without features.
    """
    n = len(pose)
    if n < 2 or 0 in pose.shape:
        return np.full(n, np.nan)
    time = np.asarray(time, np.float64)
    step = float(np.median(np.diff(time)))
    pose = np.asarray(pose, np.float32).reshape(n, -1)
    if behavior == "velocities":
        energy = np.square(pose).mean(1, dtype=np.float64)
    else:
        half = max(1, round(SPEED_SECONDS / (2 * step)))
        at = np.arange(n)
        late, early = np.minimum(at + half, n - 1), np.maximum(at - half, 0)
        energy = np.square(pose[late] - pose[early]).mean(1, dtype=np.float64) / np.square(
            time[late] - time[early]
        )
    missing = ~np.isfinite(energy)
    width = max(1, round(SMOOTH_SECONDS / step)) | 1
    # Rounding of the running sum can give negative values without movement.
    smooth = np.maximum(uniform_filter1d(np.where(missing, 0, energy), width, mode="nearest"), 0)
    smooth[uniform_filter1d(missing.astype(np.float64), width, mode="nearest") > 1e-9] = np.nan
    return smooth


def rest_threshold(energy: np.ndarray) -> float | None:
    """The motion energy below which an animal rests, from the distribution of energies.

    Movement and the tracking noise of a resting animal differ by orders of magnitude, so log energy has several modes,
    and the lowest is rest. The threshold is the first valley above it (our choice). Unlike a split into two groups, it
    does not count slow grooming as rest; unlike a quantile, it does not assume how long an animal rests.

    Args:
        energy: (n,) energies of all trials; NaN is left out.

    Returns:
        The threshold, in the unit of the energy; None if the distribution has a single mode.
    """
    energy = energy[np.isfinite(energy)]
    moving = energy[energy > 0]
    if len(moving) == 0:
        return None
    # An energy of exactly 0 (a ball at rest) is a mode too; it is placed at the floor of the log scale.
    floor = max(float(np.quantile(moving, 0.01)), 1e-6 * float(moving.max()))
    logs = np.log10(np.maximum(energy, floor))
    bins = np.arange(logs.min() - 0.5, logs.max() + 0.55, 0.05)
    density = np.histogram(logs, bins)[0].astype(np.float64)
    taps = np.exp(-0.5 * (np.arange(-8, 9) / 2.0) ** 2)  # Gaussian of .1 decades
    density = np.convolve(density, taps / taps.sum(), mode="same") / len(logs)
    centers = (bins[:-1] + bins[1:]) / 2
    peaks = np.flatnonzero((density[1:-1] > density[:-2]) & (density[1:-1] >= density[2:])) + 1
    share = np.cumsum(density)
    for low in peaks:
        for high in peaks[peaks > low]:
            valley = low + int(np.argmin(density[low:high]))
            # Rest must be at least 2 % of the time, because a few frozen samples are no mode.
            if share[valley] > 0.02 and density[valley] < DEPTH * min(density[low], density[high]):
                return float(10 ** centers[valley])
    return None


def rest_bouts(
    energy: np.ndarray, time: np.ndarray, seconds: float, threshold: float
) -> list[tuple[int, int]]:
    """Bouts of at least ``seconds`` with energy at or below ``threshold``.

    Args:
        energy: (n,) from ``motion_energy``; NaN is not rest.
        time: (n,) s. A gap of more than 5 sample intervals ends a bout.
        seconds: least duration of a bout.
        threshold: threshold, in the unit of the energy.

    Returns:
        Half-open sample ranges (start, stop), in order. A bout at the start of a recording is included, although it is
        unknown when the movement before it stopped.
    """
    if len(energy) < 2:
        return []
    with np.errstate(invalid="ignore"):
        rest = energy <= threshold
    steps = np.diff(time)
    breaks = np.concatenate([[True], (steps > 5 * np.median(steps)) | (rest[1:] != rest[:-1]), [True]])
    edges = np.flatnonzero(breaks)
    return [
        (int(start), int(stop))
        for start, stop in pairwise(edges)
        if rest[start] and time[stop - 1] - time[start] >= seconds
    ]


def rests_after_movement(
    energy: np.ndarray, time: np.ndarray, seconds: float, threshold: float
) -> list[tuple[float, float]]:
    """Start and stop, s, of those ``rest_bouts`` that follow movement of at least ``LEAST_MOVEMENT``."""
    bouts = []
    for start, stop in rest_bouts(energy, time, seconds, threshold):
        before = energy[np.searchsorted(time, time[start] - LEAST_MOVEMENT) : start]
        if time[start] - time[0] >= LEAST_MOVEMENT and len(before) and np.all(before > threshold):
            bouts.append((float(time[start]), float(time[stop - 1])))
    return bouts
