"""The clock of one stream: a rate, times in the file, a file of times, or pulses of ThorSync."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from neural_action.errors import InputError
from neural_action.recordings.formats import arrays, thorsync
from neural_action.recordings.readers import ReaderOptions
from neural_action.recordings.units import seconds_named

_WHERE = "convert.reader_options"


class ClockOptions(ReaderOptions):
    """Times of frames or samples, if the file's own clock is not used.

    Attributes:
        rate: frames or samples per second; with ``sync``, ticks per second if the file's settings are missing.
        start: time of the first frame or sample, s.
        times: file of times.
        column: column of ``times``.
        seconds: seconds per unit of times that are read; null: from the column's name, else 1.
        sync: ThorSync file.
        line: line of ``sync`` whose edges are the times.
        every: use every n-th edge.
        tolerance: allowed difference between the numbers of times and of frames, as a fraction; surplus ones at the
            end are not used.
    """

    rate: Annotated[float, Field(gt=0)] | None = None
    start: float = 0.0
    times: str | None = None
    column: str | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None
    sync: str | None = None
    line: str | None = None
    every: Annotated[int, Field(ge=1)] = 1
    tolerance: Annotated[float, Field(ge=0, le=1)] = 0.01

    @property
    def own_rate(self) -> float | None:
        """The rate of frames or samples; None with ``sync``, where ``rate`` is that of its ticks."""
        return None if self.sync is not None else self.rate


@dataclass(frozen=True)
class Clock:
    """Times of a stream.

    Attributes:
        time: (n,) float64 s; n may be smaller than the number of samples by the tolerance.
        how: phrase that says where they come from.
        read: whether they were read from a file without a given unit.
    """

    time: np.ndarray
    how: str
    read: bool


def clock_of(
    options: ClockOptions, found: Any, count: int, path: Path, role: str, find: Callable[[str, str], Path]
) -> Clock:
    """The clock of a stream.

    Args:
        options: clock options of the configuration.
        found: the ``Neural`` or ``Behavior`` that a format returned, with its own times, rate and video frames.
        count: number of frames or samples in it.
        path: its file.
        role: ``neural`` or ``behavior``.
        find: returns the file for a pattern and its key.

    Raises:
        InputError: there is no clock or no line, or the numbers of times and of frames differ by more than the
            tolerance.
    """
    key = f"configuration {_WHERE}.{role}.clock"
    frames = getattr(found, "frames", None)
    if options.sync is not None:
        if options.line is None:
            raise InputError(f"{key}.line: missing key, expected a line of {options.sync}")
        file = find(options.sync, f"{role}.clock.sync")
        pulses = thorsync.edge_times(file, options.line, options.rate, options.every)
        time, said = _matched(
            pulses, frames, count, options.tolerance, f"{file}: line {options.line!r}", "pulses", path
        )
        return Clock(time, f"pulses of {options.line}{said}", True)
    if options.times is not None:
        file = find(options.times, f"{role}.clock.times")
        column = arrays.time_column(file, options.column)
        unit = options.seconds or seconds_named(column or "")
        times = arrays.read_vector(file, column) * unit
        time, said = _matched(times, frames, count, options.tolerance, str(file), "times", path)
        shown = "" if unit == 1 else f" in units of {unit:g} s"
        of = f", column {column!r}" if column else ""
        return Clock(time, f"times of {file.name}{of}{shown}{said}", options.seconds is None)
    numbers = np.arange(count) if frames is None else frames
    counted = "" if frames is None or frames[-1] + 1 == count else ", frames as the file numbers them"
    said = f"; {found.said}" if getattr(found, "said", "") else ""
    if options.rate is not None:
        return Clock(
            options.start + numbers / options.rate, f"{options.rate:g} /s as given{counted}{said}", False
        )
    if found.time is not None:
        if len(found.time) != count:
            raise InputError(
                f"{path}: {len(found.time)} times, expected {count}, one for each frame or sample"
            )
        return Clock(
            np.asarray(found.time, np.float64) * (options.seconds or 1.0),
            f"times of the file{said}",
            options.seconds is None,
        )
    if found.rate is None:
        raise InputError(f"{path}: has no clock; expected {key}.rate, times or sync")
    return Clock(options.start + numbers / found.rate, f"{found.rate:g} /s of the file{counted}{said}", False)


def _matched(
    times: np.ndarray,
    frames: np.ndarray | None,
    count: int,
    tolerance: float,
    where: str,
    what: str,
    path: Path,
) -> tuple[np.ndarray, str]:
    """Times of the samples, and a phrase on surplus ones; there is one time for each video frame or each sample."""
    video = count if frames is None or len(times) == count else int(frames[-1]) + 1
    by_frame = video != count or (frames is not None and len(times) != count)
    more = len(times) - video
    if abs(more) > max(1.0, tolerance * video) or len(times) < 2:
        raise InputError(
            f"{where}: {len(times)} {what}, expected {video}, one for each frame of {path}: {abs(more) / video:.1%} "
            f"too {'many' if more > 0 else 'few'} (clock.tolerance allows {tolerance:.1%})"
        )
    said = (
        ""
        if not more
        else f", {len(times)} for {video} frames: the last {abs(more)} {what if more > 0 else 'frames'} are not used"
    )
    if not by_frame:
        return times[:count], said
    there = frames[frames < len(times)] if frames is not None else np.arange(min(count, len(times)))
    return times[there], said
