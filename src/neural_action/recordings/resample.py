"""Resample neural activity to another rate without aliasing, to bring several animals to one rate.

A new frame is a weighted mean of the recorded frames around its middle. The weights are a sinc with a Kaiser window,
with cut-off at half of the lower of the two rates (the filter of ``scipy.signal.resample_poly``, but at the real times
of the frames). The mean never crosses a gap of the clock or the border of two trials.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.recording import Recording

if TYPE_CHECKING:
    import dask.array as da
    from scipy.sparse import csr_array

#: Rates that differ by at most this fraction count as equal: half a frame in a window of 2 s at 25 /s (our choice).
SAME_RATE = 0.01
#: Zero crossings of the sinc on each side, and beta of the Kaiser window, as in ``resample_poly``.
_CROSSINGS, _BETA = 10, 5.0
#: A step of the clock longer than this many frame periods is a gap; a frame lasts at most as long (as in
#: ``alignment.by_time``).
_GAP = 1.5
_BLOCK_BYTES = 8 << 20


def same_rate(one: float, other: float) -> bool:
    """Whether two rates (per second) count as equal."""
    return abs(one - other) <= SAME_RATE * max(one, other)


def resampled(recording: Recording, rate: float, where: str) -> Recording:
    """The recording with neural frames at ``rate`` per second (lazy); behaviour samples outside new frames are dropped.

    Args:
        recording: frames and samples on one clock.
        rate: new frames per second.
        where: the recording, for messages.

    Raises:
        InputError: no part between gaps is as long as a new frame, or no new frame has a behaviour sample.
    """
    if abs(recording.neural_rate / rate - 1) < 1e-6:
        return recording
    neural, times, first = at_rate(recording.neural, recording.neural_time, rate, recording.segment)
    samples = recording.behavior_time
    if len(times):
        frame = np.searchsorted(times, samples + 1e-6 / rate, side="right") - 1
        kept = np.flatnonzero((frame >= 0) & (samples - times[np.maximum(frame, 0)] < _GAP / rate))
    if not len(times) or not len(kept):
        raise InputError(
            f"{where}: convert.neural_rate {rate:g}: no frame of {1 / rate:g} s with behaviour fits between the gaps "
            f"(recorded at {recording.neural_rate:.4g} /s), expected a higher rate"
        )
    return replace(
        recording,
        neural=neural,
        neural_time=times,
        neural_rate=rate,
        neural_index=frame[kept].astype(np.int32),
        behavior=recording.behavior[kept],
        behavior_time=samples[kept],
        labels=recording.labels[kept],
        segment=None if recording.segment is None else recording.segment[first],
    )


def at_rate(
    neural: Any, time: np.ndarray, rate: float, segment: np.ndarray | None = None
) -> tuple[da.Array, np.ndarray, np.ndarray]:
    """Resample frames to ``rate`` per second.

    Args:
        neural: (frame, ...) numbers.
        time: (frame,) s, increasing.
        rate: new frames per second.
        segment: (frame,) trial of each frame, if there are several.

    Returns:
        New frames, lazy (new, ...) float32; their times, (new,) s; and for each the first recorded frame of its run,
        (new,).
    """
    times, weights, first = _plan(time, _runs(time, segment), rate)
    return (_applied(neural, weights) if len(times) else neural[:0]), times, first


def _runs(time: np.ndarray, segment: np.ndarray | None) -> list[tuple[int, int]]:
    """First frame and end (exclusive) of each run of frames without a gap and within one trial."""
    if len(time) < 2:
        return [(0, len(time))]
    broken = np.diff(time) > _GAP * float(np.median(np.diff(time)))
    if segment is not None:
        broken |= np.diff(segment) != 0
    edges = [0, *(np.flatnonzero(broken) + 1).tolist(), len(time)]
    return list(pairwise(edges))


def _plan(
    time: np.ndarray, runs: list[tuple[int, int]], rate: float
) -> tuple[np.ndarray, csr_array, np.ndarray]:
    """Times of new frames, (new, recorded) weights of the recorded ones, and the first frame of each one's run."""
    from scipy.sparse import csr_array
    from scipy.special import i0

    period = float(np.median(np.diff(time))) if len(time) > 1 else 1 / rate
    # A frame starts at its time; weights depend on distances between the middles of frames.
    reach = _CROSSINGS / min(rate, 1 / period)
    times: list[np.ndarray] = []
    first, rows, columns, values = [], [], [], []
    for start, stop in runs:
        clock = time[start:stop]
        count = int((clock[-1] + period - clock[0]) * rate + 1e-6)
        new = clock[0] + np.arange(count) / rate
        middle = new + 0.5 / rate - 0.5 * period
        low, high = (
            np.searchsorted(clock, middle - reach, side="right"),
            np.searchsorted(clock, middle + reach),
        )
        taps = low[:, None] + np.arange(int((high - low).max(initial=0)))
        inside = taps < high[:, None]
        distance = (middle[:, None] - clock[np.minimum(taps, len(clock) - 1)]) / reach
        window = i0(_BETA * np.sqrt(np.clip(1 - distance**2, 0, 1)))
        weight = np.where(inside, np.sinc(_CROSSINGS * distance) * window, 0.0)
        weight /= weight.sum(1, keepdims=True)
        row, tap = np.nonzero(inside)
        rows.append(row + sum(map(len, times)))
        columns.append(start + taps[row, tap])
        values.append(weight[row, tap])
        times.append(new)
        first.append(np.full(count, start))
    shape = (sum(map(len, times)), len(time))
    places = (np.concatenate(rows), np.concatenate(columns))
    weights = csr_array((np.concatenate(values).astype(np.float32), places), shape=shape)
    return np.concatenate(times), weights, np.concatenate(first)


def _applied(neural: Any, weights: csr_array) -> da.Array:
    """``weights`` @ frames, lazily in blocks of new frames."""
    import dask.array as da
    from dask.delayed import delayed

    lazy = neural if isinstance(neural, da.Array) else da.from_array(neural)
    form = lazy.shape[1:]
    rows = max(1, _BLOCK_BYTES // (4 * int(np.prod(form))))
    blocks = []
    for start in range(0, weights.shape[0], rows):
        part = weights[start : start + rows]
        low, high = int(part.indices.min()), int(part.indices.max()) + 1
        block = delayed(_weighted)(lazy[low:high], part[:, low:high])
        blocks.append(da.from_delayed(block, (part.shape[0], *form), np.float32))
    return da.concatenate(blocks)


def _weighted(frames: np.ndarray, weights: csr_array) -> np.ndarray:
    flat = np.asarray(frames, np.float32).reshape(len(frames), -1)
    return np.asarray(weights @ flat, np.float32).reshape(-1, *frames.shape[1:])
