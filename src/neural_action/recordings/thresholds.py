"""Actions from thresholds on the animal's speed or on a feature, for recordings without annotation."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field
from scipy.ndimage import uniform_filter1d

from neural_action.errors import InputError
from neural_action.recordings.readers import ReaderOptions
from neural_action.recordings.recording import UNLABELLED


class ThresholdOptions(ReaderOptions):
    """Actions from thresholds ``cuts`` on the smoothed speed, or on the smoothed feature ``of``."""

    of: str = "speed"
    cuts: Annotated[list[float], Field(min_length=1)]
    smooth_seconds: Annotated[float, Field(ge=0)] = 0.5


def described(options: ThresholdOptions, names: tuple[str, ...]) -> str:
    """Phrase on thresholds on a recording with features ``names``."""
    of = options.of if options.of in names else "the speed of all behaviour, in its unit per second"
    cuts = ", ".join(f"{cut:g}" for cut in options.cuts)
    return f"thresholds {cuts} on {of}, smoothed over {options.smooth_seconds:g} s"


def speed(data: np.ndarray, time: np.ndarray, smooth: float) -> np.ndarray:
    """(sample,) float64: norm of the velocity, averaged over keypoints; NaN near gaps of the clock.

    Args:
        data: (sample, keypoint, axis) or (sample, feature), positions in one unit.
        time: (sample,) s, increasing.
        smooth: width over which positions are averaged before differentiation, s (our choice).
    """
    points = data.reshape(len(data), -1, data.shape[2] if data.ndim == 3 else data.shape[1]).astype(
        np.float64
    )
    smoothed = smoothed_over(points, time, smooth)
    velocity = np.gradient(smoothed, time, axis=0)
    out = np.sqrt(np.square(velocity).sum(2)).mean(1)
    out[near_gap(time, smooth)] = np.nan
    return out


def measured(
    of: str, data: np.ndarray, names: tuple[str, ...], time: np.ndarray, smooth: float
) -> np.ndarray:
    """(sample,) float64, the quantity to threshold; NaN near gaps of the clock.

    It is the smoothed feature ``of``; if there is no feature ``speed``, ``speed`` is the speed of the data. InputError
    for an unknown feature.
    """
    if of in names and data.ndim == 2:
        values = smoothed_over(data[:, names.index(of)].astype(np.float64), time, smooth)
        values[near_gap(time, smooth)] = np.nan
        return values
    if of != "speed":
        raise InputError(
            f"configuration convert.reader_options.thresholds.of: {of!r}, expected speed or one of {', '.join(names)}"
        )
    return speed(data, time, smooth)


def smoothed_over(values: np.ndarray, time: np.ndarray, seconds: float) -> np.ndarray:
    """Values smoothed along the first axis by a boxcar of about ``seconds``."""
    width = max(1, round(seconds / float(np.median(np.diff(time))))) | 1
    return uniform_filter1d(values, width, axis=0, mode="nearest")


def near_gap(time: np.ndarray, seconds: float) -> np.ndarray:
    """(sample,) bool: whether the boxcar or the difference crosses a gap of more than 1.5 sample periods."""
    steps = np.diff(time)
    period = float(np.median(steps))
    reach = round(seconds / period) // 2 + 1
    bad = np.zeros(len(time), bool)
    for at in np.flatnonzero(steps > 1.5 * period):
        bad[max(0, at - reach + 1) : at + reach + 1] = True
    return bad


def classes(values: np.ndarray, cuts: list[float]) -> np.ndarray:
    """(sample,) int16: 0 below the first cut, 1 from it to the second, and so on; NaN is unlabelled.

    InputError if ``cuts`` do not increase.
    """
    if sorted(set(cuts)) != list(cuts):
        raise InputError(
            f"configuration convert.reader_options.thresholds.cuts: {cuts}, expected increasing numbers"
        )
    numbers = np.searchsorted(cuts, values, side="right").astype(np.int16)
    numbers[~np.isfinite(values)] = UNLABELLED
    return numbers


def labelled(
    data: np.ndarray,
    names: tuple[str, ...],
    time: np.ndarray,
    of: str,
    cuts: list[float],
    smooth: float,
    class_names: tuple[str, ...] | None,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """(sample,) int16 classes of ``measured``, and their names, by default ``level_0`` and so on.

    InputError for an unknown feature, or if the number of names is not the number of cuts plus 1.
    """
    values = measured(of, data, names, time, smooth)
    found = class_names or tuple(f"level_{at}" for at in range(len(cuts) + 1))
    if len(found) != len(cuts) + 1:
        raise InputError(
            f"configuration convert.class_names: {len(found)} names, expected {len(cuts) + 1} for {len(cuts)} cuts"
        )
    return classes(values, cuts), found
