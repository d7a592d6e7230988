"""Bring series with different clocks to one clock: keypoints of a pose, or features of behaviour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.alignment import check_clock
from neural_action.recordings.streams import GAP, rate_of, same_rate

#: Times closer than this fraction of the smallest step count as one (our choice).
_SAME = 0.5


def on_one_clock(
    series: Sequence[np.ndarray], clocks: Sequence[np.ndarray], names: Sequence[str], where: str
) -> tuple[list[np.ndarray], np.ndarray, str]:
    """The series at common times, NaN where a series has no sample nearby.

    If rates differ, the common times are those of the fastest series, so that nothing is lost or aliased. Otherwise
    they are the times of all series; of times closer than half a step, the first is kept. A series keeps its values at
    its own times, and is interpolated linearly between two samples that are at most 1.5 of its steps apart (our
    choice).

    Args:
        series: each (n, ...) float32; n may differ.
        clocks: (n,) s for each series.
        names: names of the series, for messages.
        where: the file, for messages.

    Returns:
        The series, each (m, ...) float32; (m,) float64 s; and a phrase on what was done, "" if all had the same clock.

    Raises:
        InputError: a series has another number of samples than of times, a clock does not increase, or series do not
            overlap.
    """
    for name, values, clock in zip(names, series, clocks, strict=True):
        if len(values) != len(clock):
            raise InputError(
                f"{where}: {name} has {len(clock)} times, expected {len(values)}, one for each sample"
            )
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
            f"{where}: {late} starts at {first:g} s, after {early} has ended ({last:g} s); expected series that overlap"
        )
    rates = [rate_of(clock) for clock in clocks]
    fastest = int(np.argmax(rates))
    if not all(same_rate(rate, rates[fastest]) for rate in rates if rate):
        moved = [_at(values, clock, clocks[fastest]) for values, clock in zip(series, clocks, strict=True)]
        shown = ", ".join(f"{name} {rate:.4g} /s" for name, rate in zip(names, rates, strict=True))
        said = f"rates differ ({shown}): interpolated to the times of {names[fastest]}, missing in gaps"
        return moved, clocks[fastest], said
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
        f"{', '.join(names)} have different clocks: interpolated to one, missing where a series has no sample",
    )


def _at(values: np.ndarray, clock: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Values at other times: linear between samples at most ``GAP`` steps apart, NaN elsewhere."""
    step = float(np.median(np.diff(clock)))
    after = np.clip(np.searchsorted(clock, time), 1, len(clock) - 1)
    before = after - 1
    share = (time - clock[before]) / (clock[after] - clock[before])
    # Differences from rounding of times are ignored.
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
