"""Behaviour that is missing: named, filled over short gaps, or left out."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from neural_action.errors import InputError
from neural_action.recordings.readers import ReaderOptions

Policy = Literal["refuse", "interpolate", "drop"]


class MissingOptions(ReaderOptions):
    """What becomes of missing values, ``longest_gap`` in s."""

    policy: Policy = "refuse"
    longest_gap: Annotated[float, Field(ge=0)] = 0.1


def impute(
    data: np.ndarray, time: np.ndarray, names: tuple[str, ...], policy: Policy, longest: float, where: str
) -> tuple[np.ndarray, np.ndarray]:
    """Behaviour without missing values, and the samples that are kept.

    ``refuse``: any missing value is an InputError. ``interpolate``: gaps of at most ``longest`` seconds between known
    values are filled linearly, and what is left is an error. ``drop``: the same, and samples with anything left are
    left out.

    Args:
        data: (sample, keypoint, axis) or (sample, feature) float32, NaN or infinite where missing.
        time: (sample,) s.
        names: of keypoints or features.
        policy: what is done.
        longest: s between the known values on both sides of a gap.
        where: the recording, for messages.

    Raises:
        InputError: missing values that the policy does not take, with the names of keypoints, how much of each is
            missing, its first sample and its longest gap.
    """
    missing = ~np.isfinite(data)
    if missing.any() and policy != "refuse":
        data = _filled(data, missing, time, longest)
        missing = ~np.isfinite(data)
    by_name = missing.reshape(len(data), len(names), -1).any(2)
    if not by_name.any():
        return data, np.arange(len(data))
    if policy == "drop":
        kept = np.flatnonzero(~by_name.any(1))
        if len(kept) > 1:
            return data[kept], kept
    raise InputError(f"{where}: {described(by_name, time, names)}; {_HINTS[policy]}")


_HINTS = {
    "refuse": "expected none, missing.policy interpolate (short gaps) or drop (leaves samples out), or exclude",
    "interpolate": "expected only gaps that missing.longest_gap allows, missing.policy drop, or exclude",
    "drop": "which leaves no sample; expected keypoints that are tracked, or exclude",
}


def described(missing: np.ndarray, time: np.ndarray, names: tuple[str, ...]) -> str:
    """What is missing, in a phrase: (sample, name) bool."""
    share = missing.mean(0)
    worst = [at for at in np.argsort(-share, kind="stable") if share[at]]
    shown = [
        f"{names[at]} ({share[at]:.1%}, first in sample {int(np.argmax(missing[:, at]))}, "
        f"longest gap {_longest(missing[:, at], time):.2f} s)"
        for at in worst[:5]
    ]
    more = f" and {len(worst) - 5} more" if len(worst) > 5 else ""
    return f"missing {', '.join(shown)}{more}"


def _longest(missing: np.ndarray, time: np.ndarray) -> float:
    """Longest time between known values, or to the end of the recording, around missing ones."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], missing.astype(np.int8), [0]])))
    starts, stops = edges[::2], edges[1::2]
    last = len(time) - 1
    return float(
        max(
            time[min(stop, last)] - time[max(start - 1, 0)] for start, stop in zip(starts, stops, strict=True)
        )
    )


def _filled(data: np.ndarray, missing: np.ndarray, time: np.ndarray, longest: float) -> np.ndarray:
    flat, gaps = data.reshape(len(data), -1).copy(), missing.reshape(len(data), -1)
    for column in np.flatnonzero(gaps.any(0)):
        known = np.flatnonzero(~gaps[:, column])
        if len(known) < 2:
            continue
        lost = np.flatnonzero(gaps[:, column])
        after = np.searchsorted(known, lost)
        inside = (after > 0) & (after < len(known))
        lost, after = lost[inside], after[inside]
        short = time[known[after]] - time[known[after - 1]] <= longest
        lost = lost[short]
        flat[lost, column] = np.interp(time[lost], time[known], flat[known, column])
    return flat.reshape(data.shape)
