"""Seconds, milliseconds, samples: what a clock counts, from the name of its column and from the other clock."""

from __future__ import annotations

import re

import numpy as np

from neural_action.errors import InputError

#: Seconds per unit, by how names end: ``time_ms``, ``Time (ms)``, ``timestamp [us]``.
_NAMED = {"ms": 1e-3, "msec": 1e-3, "millis": 1e-3, "milliseconds": 1e-3, "us": 1e-6, "usec": 1e-6, "µs": 1e-6,
          "microseconds": 1e-6, "ns": 1e-9, "nanoseconds": 1e-9}  # fmt: skip
#: One clock that lasts so much longer than the other counts something else than seconds (our choice), as does one whose
#: whole numbers are further apart than this, s.
_LONGER, _APART = 20.0, 20.0
_UNITS = (("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9))
#: s since 1970 in 1973, and the same in ms: no recording starts later on a clock of its own.
EPOCH, _EPOCH_MS = 1e8, 1e11


def seconds_named(name: str) -> float:
    """Seconds per unit of a column called so; 1 where its name says nothing."""
    words = [word for word in re.split(r"[^a-zµ]+", name.lower()) if word]
    return _NAMED.get(words[-1], 1.0) if words else 1.0


def check_seconds(neural: np.ndarray, behavior: np.ndarray, read: tuple[bool, bool], where: str) -> None:
    """InputError that names the likely unit if a clock does not count seconds.

    Args:
        neural, behavior: (n,) times as they would be taken, s.
        read: whether each was read from a file; a rate that was given is believed.
        where: the recording, for messages.
    """
    spans = [float(clock[-1] - clock[0]) for clock in (neural, behavior)]
    for at, (name, clock) in enumerate((("neural", neural), ("behaviour", behavior))):
        other, key = spans[1 - at], "neural" if at == 0 else "behavior"
        if not read[at] or len(clock) < 3:
            continue
        step = float(np.median(np.diff(clock)))
        whole = bool((clock == np.round(clock)).all())
        longer = other > 0 and spans[at] > _LONGER * other and step > 1
        if clock[0] > _EPOCH_MS or longer or (whole and step > _APART):
            likely = [unit for unit in _UNITS if other > 0 and 0.5 < spans[at] * unit[1] / other < 2]
            guess = (
                f"{likely[0][0]}, as it seems (seconds: {likely[0][1]:g})"
                if likely
                else "samples or another unit"
            )
            raise InputError(
                f"{where}: {name} times step by {step:g} and last {spans[at]:g}, the other clock lasts {other:g} s; "
                f"expected seconds, not {guess}: say it as {key}.clock.seconds with clock.times, or as time_unit of an "
                "array"
            )
