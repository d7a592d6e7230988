"""Resample neural activity and behaviour to other rates without aliasing, to bring several animals to one rate.

A new frame is a weighted mean of the recorded frames around its middle. The weights are a sinc with a Kaiser window,
with cut-off at half of the lower of the two rates (the filter of ``scipy.signal.resample_poly``, but at the real times
of the frames). The mean never crosses a gap of the clock or the border of two trials. Behaviour is resampled likewise,
but a sample is a moment and a frame an interval. A new label is that of the nearest recorded sample.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.alignment import by_time
from neural_action.recordings.recording import Recording
from neural_action.recordings.streams import GAP

if TYPE_CHECKING:
    import dask.array as da

#: Zero crossings of the sinc on each side, and beta of the Kaiser window, as in ``resample_poly``.
_CROSSINGS, _BETA = 10, 5.0
#: Sizes of a block: bytes of new frames, and weights.
_BLOCK_BYTES, _BLOCK_WEIGHTS = 8 << 20, 1 << 20


def resampled(
    recording: Recording, neural_rate: float | None, behavior_rate: float | None, where: str
) -> Recording:
    """The recording with frames (lazy) and behaviour samples at other rates; samples outside new frames are dropped.

    Args:
        recording: frames and samples on one clock.
        neural_rate: new frames per second; None: as recorded.
        behavior_rate: new behaviour samples per second; None: as recorded.
        where: the recording, for messages.

    Raises:
        InputError: no part between gaps is as long as a new frame, or fewer than 2 samples lie in new frames.
    """
    one, frames, samples = recording, recording.neural_time, recording.behavior_time
    # Samples of other trials never take part in a mean.
    trial = None if one.segment is None else one.segment[one.neural_index]
    if behavior_rate is not None and not _equal(one.behavior_rate, behavior_rate):
        values, samples, _ = at_rate(one.behavior, samples, behavior_rate, trial, moments=True)
        nearest = _nearest(one.behavior_time, samples)
        behavior = np.asarray(values)
        one = replace(one, behavior=behavior, labels=one.labels[nearest], behavior_rate=behavior_rate)
    if neural_rate is not None and not _equal(one.neural_rate, neural_rate):
        neural, frames, first = at_rate(one.neural, frames, neural_rate, one.segment)
        segment = None if one.segment is None else one.segment[first]
        one = replace(one, neural=neural, neural_rate=neural_rate, segment=segment)
    if one is recording:
        return one
    if not len(frames):
        raise InputError(
            f"{where}: convert.neural_rate {neural_rate:g}: no frame of {1 / one.neural_rate:g} s fits between the "
            f"gaps (recorded at {recording.neural_rate:.4g} /s), expected a higher rate"
        )
    kept, index = by_time(frames, samples, where)
    return replace(
        one,
        neural_time=frames,
        neural_index=index,
        behavior=one.behavior[kept],
        behavior_time=samples[kept],
        labels=one.labels[kept],
    )


def at_rate(
    values: Any, time: np.ndarray, rate: float, segment: np.ndarray | None = None, *, moments: bool = False
) -> tuple[da.Array, np.ndarray, np.ndarray]:
    """Resample frames to ``rate`` per second.

    Args:
        values: (frame, ...) numbers.
        time: (frame,) s, increasing.
        rate: new frames per second.
        segment: (frame,) trial of each frame, if there are several.
        moments: values are at their times, as samples of behaviour; otherwise each lasts until the next frame.

    Returns:
        New frames, lazy (new, ...) float32; their times, (new,) s; and for each the first recorded frame of its run,
        (new,).
    """
    period = float(np.median(np.diff(time))) if len(time) > 1 else 1 / rate
    runs = [_Run.of(time, start, stop, period, rate, moments) for start, stop in _runs(time, segment)]
    times, low, high, first = (
        np.concatenate([getattr(run, name) for run in runs]) for name in ("times", "low", "high", "first")
    )
    # Weights depend on distances between the middles of frames.
    middle = times if moments else times + 0.5 / rate - 0.5 * period
    plan = _Plan(time, middle, low, high, _reach(period, rate))
    return (plan.applied(values) if len(times) else values[:0]), times, first


def _equal(one: float, other: float) -> bool:
    return abs(one / other - 1) < 1e-6


def _reach(period: float, rate: float) -> float:
    """Half of the length of the filter, s."""
    return _CROSSINGS / min(rate, 1 / period)


def _nearest(time: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """(moment,) index of the nearest of the increasing times."""
    return np.searchsorted((time[1:] + time[:-1]) / 2, moments)


def _runs(time: np.ndarray, segment: np.ndarray | None) -> list[tuple[int, int]]:
    """First frame and end (exclusive) of each run of frames without a gap and within one trial."""
    if len(time) < 2:
        return [(0, len(time))]
    # As in ``alignment.by_time``, a frame lasts at most 1.5 frame periods.
    broken = np.diff(time) > GAP * float(np.median(np.diff(time)))
    if segment is not None:
        broken |= np.diff(segment) != 0
    edges = [0, *(np.flatnonzero(broken) + 1).tolist(), len(time)]
    return list(pairwise(edges))


@dataclass(frozen=True)
class _Run:
    """New frames of a run without a gap: their times (s), the range of recorded frames of each, and the first one."""

    times: np.ndarray
    low: np.ndarray
    high: np.ndarray
    first: np.ndarray

    @classmethod
    def of(cls, time: np.ndarray, start: int, stop: int, period: float, rate: float, moments: bool) -> _Run:
        clock = time[start:stop]
        if moments:
            count = int((clock[-1] - clock[0]) * rate + 1e-6) + 1
        else:
            count = int((clock[-1] + period - clock[0]) * rate + 1e-6)
        new = clock[0] + np.arange(count) / rate
        middle = new if moments else new + 0.5 / rate - 0.5 * period
        reach = _reach(period, rate)
        low = start + np.searchsorted(clock, middle - reach, side="right")
        high = start + np.searchsorted(clock, middle + reach)
        return cls(new, low, high, np.full(count, start))


@dataclass(frozen=True)
class _Plan:
    """Recorded times; for each new frame its middle (both s) and the range of recorded frames that it is made of."""

    time: np.ndarray
    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray
    reach: float

    def applied(self, values: Any) -> da.Array:
        """The new frames, lazily in blocks."""
        import dask.array as da
        from dask.delayed import delayed

        lazy = values if isinstance(values, da.Array) else da.from_array(values)
        form = lazy.shape[1:]
        taps = int((self.high - self.low).max())
        rows = max(1, min(_BLOCK_BYTES // (4 * max(1, int(np.prod(form)))), _BLOCK_WEIGHTS // max(1, taps)))
        blocks = []
        for start in range(0, len(self.middle), rows):
            part = slice(start, start + rows)
            low, high = int(self.low[part].min()), int(self.high[part].max())
            block = delayed(self._weighted)(lazy[low:high], part, low)
            blocks.append(da.from_delayed(block, (len(self.middle[part]), *form), np.float32))
        return da.concatenate(blocks)

    def _weighted(self, frames: np.ndarray, part: slice, start: int) -> np.ndarray:
        """New frames ``part`` from the recorded ones that begin with number ``start``."""
        from scipy.sparse import csr_array
        from scipy.special import i0

        middle, low, high = self.middle[part], self.low[part], self.high[part]
        taps = low[:, None] + np.arange(int((high - low).max()))
        inside = taps < high[:, None]
        distance = (middle[:, None] - self.time[np.minimum(taps, len(self.time) - 1)]) / self.reach
        window = i0(_BETA * np.sqrt(np.clip(1 - distance**2, 0, 1)))
        weight = np.where(inside, np.sinc(_CROSSINGS * distance) * window, 0.0)
        weight /= weight.sum(1, keepdims=True)
        row, tap = np.nonzero(inside)
        places = (row, taps[row, tap] - start)
        weights = csr_array((weight[row, tap].astype(np.float32), places), shape=(len(middle), len(frames)))
        flat = np.asarray(frames, np.float32).reshape(len(frames), int(np.prod(frames.shape[1:])))
        return np.asarray(weights @ flat, np.float32).reshape(len(middle), *frames.shape[1:])
