"""Missing values: refuse them, interpolate over short gaps, or drop the samples."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from neural_action.errors import InputError
from neural_action.recordings.readers import ReaderOptions

Policy = Literal["refuse", "interpolate", "drop"]


class MissingOptions(ReaderOptions):
    """How missing values are treated; ``longest_gap`` in s."""

    policy: Policy = "refuse"
    longest_gap: Annotated[float, Field(ge=0)] = 0.1


def impute(
    data: np.ndarray, time: np.ndarray, names: tuple[str, ...], policy: Policy, longest: float, where: str
) -> tuple[np.ndarray, np.ndarray]:
    """Data without missing values, and the indices of the samples that are kept.

    ``refuse``: any missing value raises InputError. ``interpolate``: gaps of at most ``longest`` seconds between known
    values are filled linearly; any other missing value raises InputError. ``drop``: fills the same gaps, and drops
    samples that still have missing values.

    Args:
        data: (sample, keypoint, axis) or (sample, feature) float32, NaN or infinite if missing.
        time: (sample,) s.
        names: names of keypoints or features.
        policy: the policy.
        longest: longest time between the known values on both sides of a gap that is filled, s.
        where: the recording, for messages.

    Raises:
        InputError: the policy does not allow the missing values, or ``drop`` leaves fewer than 2 samples. The message
            gives names, share missing, first missing sample and longest gap.
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
    "refuse": "expected none; set missing.policy to interpolate (short gaps) or drop (samples), or use exclude",
    "interpolate": "expected gaps of at most missing.longest_gap; set missing.policy to drop, or use exclude",
    "drop": "no sample is complete, expected tracked keypoints; use exclude",
}


def described(missing: np.ndarray, time: np.ndarray, names: tuple[str, ...]) -> str:
    """Phrase on what is missing, worst names first, from (sample, name) bool."""
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
    """Length (s) of the longest gap: from the known value before it, or the start, to the one after it, or the end."""
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
