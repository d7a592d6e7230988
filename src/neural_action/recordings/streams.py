"""What each stream of a recording was before the clocks were put on one zero: for ``neural-action check``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: A step of so many usual ones is a gap.
GAP = 1.5


@dataclass(frozen=True)
class Stream:
    """One stream of a recording.

    Attributes:
        name: neural, behavior or labels.
        start, stop: s on the clock of the neural frames, of the first and the last sample.
        count: samples.
        rate: the usual one, samples per second.
        gaps: steps longer than ``GAP`` usual ones.
        longest: s of the longest step.
        how: where its times come from, and what was done to put it beside the others.
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
        """That of (n,) times in s, n > 0."""
        steps = np.diff(time)
        usual = float(np.median(steps)) if len(steps) else 0.0
        gaps = int((steps > GAP * usual).sum()) if len(steps) else 0
        longest = float(steps.max()) if len(steps) else 0.0
        return cls(
            name,
            float(time[0]),
            float(time[-1]),
            len(time),
            1 / usual if usual > 0 else 0.0,
            gaps,
            longest,
            how,
        )
