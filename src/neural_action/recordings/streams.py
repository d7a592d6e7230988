"""Summary of each stream of a recording before samples are left out, for ``neural-action check``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

#: A step longer than this many median steps is a gap (our choice).
GAP = 1.5
#: Rates that differ by at most this fraction count as equal: half a frame in a window of 2 s at 25 /s (our choice).
SAME_RATE = 0.01
#: Unit of numbers whose file does not state one.
NOT_STATED = "as given"


def same_rate(one: float, other: float) -> bool:
    """Whether two rates (per second) count as equal."""
    return abs(one - other) <= SAME_RATE * max(one, other)


def rate_of(time: np.ndarray) -> float:
    """Samples per second from (n,) times in s: the mean step without gaps; 0 for a single sample.

    The median step would be wrong by 1 % for 30 samples per second with times in whole ms.
    """
    steps = np.diff(time)
    if not len(steps):
        return 0.0
    usual = float(np.median(steps))
    mean = float(steps[(steps <= GAP * usual) & (steps >= usual / GAP)].mean()) if usual > 0 else 0.0
    return 1 / mean if mean > 0 else 0.0


def origin(path: Path, source: str = "", unit: str = "") -> str:
    """Phrase on a file below the raw folder, which data of it were read, and their unit."""
    stated = "unit not stated" if unit == NOT_STATED else unit
    return ", ".join(filter(None, (path.as_posix(), source, stated)))


@dataclass(frozen=True)
class Stream:
    """One stream of a recording.

    Attributes:
        name: neural, behavior or labels.
        start, stop: time of the first and the last sample on the clock of the neural frames, s.
        count: number of samples.
        rate: samples per second (``rate_of``).
        gaps: number of steps longer than ``GAP`` median steps.
        longest: longest step, s.
        how: where its times come from, and how it was aligned.
    """

    name: str
    start: float
    stop: float
    count: int
    rate: float
    gaps: int
    longest: float
    how: str

    @classmethod
    def of(cls, name: str, time: np.ndarray, how: str) -> Stream:
        """The stream of (n,) times in s, n > 0."""
        steps = np.diff(time)
        usual = float(np.median(steps)) if len(steps) else 0.0
        gaps = int((steps > GAP * usual).sum()) if len(steps) else 0
        longest = float(steps.max()) if len(steps) else 0.0
        return cls(
            name,
            float(time[0]),
            float(time[-1]),
            len(time),
            rate_of(time),
            gaps,
            longest,
            how,
        )
