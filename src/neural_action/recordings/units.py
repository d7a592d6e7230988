"""Find the unit of a clock (s, ms, samples) from the name of its column and from the other clock."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neural_action.errors import InputError

#: Names of columns of times and of video frames.
TIMES = (
    "time", "times", "timestamp", "timestamps", "time_s", "time (s)", "seconds", "time_ms", "time (ms)", "timestamp_ms",
    "timestamps_ms", "ms", "time_us", "time_ns", "time stamp", "time stamp (ms)", "sysclock",
)  # fmt: skip
FRAMES = ("frame", "frames", "frame_number", "frame number", "frame_idx", "frame_index", "frame_id", "fnum")
#: Last word of a column's name -> seconds per unit: ``time_ms``, ``Time (ms)``, ``timestamp [us]``.
NAMED = {"ms": 1e-3, "msec": 1e-3, "millis": 1e-3, "milliseconds": 1e-3, "us": 1e-6, "usec": 1e-6, "µs": 1e-6,
          "microseconds": 1e-6, "ns": 1e-9, "nanoseconds": 1e-9}  # fmt: skip
#: A clock is not in seconds if it lasts more than this many times the other, or if its median step is at least this
#: long, s (our choice).
_LONGER, _APART = 20.0, {"neural": 20.0, "behavior": 10.0}
_UNITS = (("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))
#: Times above these are Unix times in s (1973) or ms: no recording starts that late on its own clock.
EPOCH, _EPOCH_MS = 1e8, 1e11


def called(columns: Iterable[Any], names: Sequence[str]) -> str | None:
    """The first of ``columns`` that is in ``names``, ignoring case, blanks and brackets; None if there is none."""
    known = {_plain(name) for name in names}
    return next((str(column) for column in columns if _plain(column) in known), None)


def _plain(name: Any) -> str:
    return re.sub(r"[\s_()\[\]-]+", "_", str(name).lower()).strip("_")


def seconds_named(name: str) -> float:
    """Seconds per unit of a column called ``name``; 1 if the name has no unit."""
    words = [word for word in re.split(r"[^a-zµ]+", name.lower()) if word]
    return NAMED.get(words[-1], 1.0) if words else 1.0


def seconds_of_dates(values: np.ndarray, path: Path) -> np.ndarray:
    """(n,) float64 Unix time (s) of texts such as ``2024-03-01T09:00:00.125``. InputError if one is no date."""
    import pandas as pd

    try:
        dates = pd.to_datetime(pd.Series(values), format="ISO8601", utc=True)
    except (ValueError, TypeError):
        raise InputError(
            f"{path}: {values.dtype} values such as {values[0]!r}, expected numbers or dates"
        ) from None
    since = dates - pd.Timestamp(0, tz="UTC")
    return (since / pd.Timedelta(seconds=1)).to_numpy(np.float64)


def lasting(time: np.ndarray, unit: float, where: str) -> np.ndarray:
    """(row, 2) s, start and stop of each row: it lasts until the next row, but at most 1.5 median steps.

    InputError, naming ``where``, if times are not numeric, not finite, fewer than 2 or not increasing.

    Args:
        time: (row,) times.
        unit: seconds per unit of ``time``.
        where: the column, for messages.
    """
    if time.dtype.kind not in "iuf" or not np.isfinite(time).all() or len(time) < 2:
        raise InputError(
            f"{where} is {time.dtype} of shape {time.shape}, or has missing values; expected at least 2 finite times"
        )
    time = time.astype(np.float64) * unit
    steps = np.diff(time)
    if (steps <= 0).any():
        at = int(np.argmax(steps <= 0))
        raise InputError(
            f"{where} does not increase in row {at + 1} ({time[at]:g} s, then {time[at + 1]:g} s)"
        )
    usual = float(np.median(steps))
    return np.stack([time, time + np.minimum(np.r_[steps, usual], 1.5 * usual)], 1)


def check_seconds(neural: np.ndarray, behavior: np.ndarray, read: tuple[bool, bool], where: str) -> None:
    """InputError with the likely unit if a clock is not in seconds.

    Args:
        neural: (frame,) times that would be used, s.
        behavior: (sample,) times that would be used, s.
        read: whether each clock was read from a file without a given unit; other clocks are not checked.
        where: the recording, for messages.
    """
    spans = [float(clock[-1] - clock[0]) for clock in (neural, behavior)]
    for at, (name, clock) in enumerate((("neural", neural), ("behaviour", behavior))):
        other, key = spans[1 - at], "neural" if at == 0 else "behavior"
        if not read[at] or len(clock) < 3:
            continue
        step = float(np.median(np.diff(clock)))
        longer = other > 0 and spans[at] > _LONGER * other and step > 1
        if clock[0] > _EPOCH_MS or longer or step >= _APART[key]:
            likely = [unit for unit in _UNITS if other > 0 and 0.5 < spans[at] * unit[1] / other < 2]
            guess = (
                f"{likely[0][0]}, as it seems (clock.seconds: {likely[0][1]:g})"
                if likely
                else "samples or another unit"
            )
            raise InputError(
                f"{where}: {name} times step by {step:g} and last {spans[at]:g}, the other clock lasts {other:g} s; "
                f"expected seconds, not {guess}: set the unit with --option {key}.clock.seconds=UNIT (1 for seconds)"
            )
