"""Series with clocks of their own on one clock: keypoints of a pose, features of behaviour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.alignment import check_clock
from neural_action.recordings.streams import GAP

#: Times closer than this part of a step are one moment.
_SAME = 0.5


def on_one_clock(
    series: Sequence[np.ndarray], clocks: Sequence[np.ndarray], names: Sequence[str], where: str
) -> tuple[list[np.ndarray], np.ndarray, str]:
    """The series at common times, NaN where one has no sample near.

    The common times are those of all series; of times closer than half a step the first counts. A series has its own
    values at its own times, and linear ones between two samples that are at most 1.5 of its steps apart (our choice).

    Args:
        series: each (n, ...) float32, n may differ.
        clocks: (n,) s of each.
        names: of the series, for messages.
        where: the file, for messages.

    Returns:
        the series, each (m, ...) float32; (m,) float64 s; what was done, in a phrase, empty where all had one clock.

    Raises:
        InputError: a clock that runs backwards, or series that do not overlap.
    """
    for name, values, clock in zip(names, series, clocks, strict=True):
        if len(values) != len(clock):
            raise InputError(f"{where}: {name} has {len(values)} samples and {len(clock)} times")
        check_clock(name, clock, where)
    if all(
        len(clock) == len(clocks[0]) and np.allclose(clock, clocks[0], rtol=0, atol=1e-9) for clock in clocks
    ):
        return list(series), clocks[0], ""
    first, last = max(clock[0] for clock in clocks), min(clock[-1] for clock in clocks)
    if first > last:
        late = names[int(np.argmax([c[0] for c in clocks]))]
        early = names[int(np.argmin([c[-1] for c in clocks]))]
        raise InputError(
            f"{where}: {late} starts at {first:g} s, when {early} has ended ({last:g} s); expected series that overlap"
        )
    step = min(float(np.median(np.diff(clock))) for clock in clocks if len(clock) > 1)
    every = np.sort(np.concatenate(list(clocks)))
    kept = [every[0]]
    for moment in every[1:]:
        if moment - kept[-1] >= _SAME * step:
            kept.append(moment)
    time = np.array(kept)
    moved = [_at(values, clock, time) for values, clock in zip(series, clocks, strict=True)]
    return (
        moved,
        time,
        f"{', '.join(names)} have clocks of their own: brought to one, missing where one has no sample",
    )


def _at(values: np.ndarray, clock: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Values at other times: linear between near samples, NaN elsewhere."""
    step = float(np.median(np.diff(clock)))
    after = np.clip(np.searchsorted(clock, time), 1, len(clock) - 1)
    before = after - 1
    share = (time - clock[before]) / (clock[after] - clock[before])
    # Rounding of times is no reason to look at the neighbour.
    share = np.where(np.abs(share) < 1e-6, 0.0, np.where(np.abs(share - 1) < 1e-6, 1.0, share))
    shaped = share.reshape(-1, *[1] * (values.ndim - 1))
    between = np.where(
        shaped == 0,
        values[before],
        np.where(shaped == 1, values[after], values[before] * (1 - shaped) + values[after] * shaped),
    )
    near = (
        (share == 0)
        | (share == 1)
        | ((share > 0) & (share < 1) & (clock[after] - clock[before] <= GAP * step))
    )
    return np.where(near.reshape(shaped.shape), between, np.nan).astype(np.float32)
