"""ThorSync: times of edges of a line in ``Episode001.h5``, for the clock of a movie or of cameras.

Lines lie in the groups DI, CI and AI, one sample a tick; the tick rate stands in ``ThorRealTimeDataSettings.xml``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.hdf5 import members, opened, read_numbers

EXPECTED = "a ThorSync HDF5 (Episode001.h5) with lines in DI, CI or AI"
_SETTINGS = "ThorRealTimeDataSettings.xml"


def recognise(path: Path) -> str | None:
    """An HDF5 with the groups DI or CI."""
    if path.suffix not in (".h5", ".hdf5") or not path.is_file():
        return None
    try:
        return f"ThorSync, lines {', '.join(lines(path))}" if lines(path) else None
    except InputError:
        return None


def files(path: Path) -> list[Path]:
    """The HDF5, and the settings beside it."""
    beside = path.parent / _SETTINGS
    return [path, *([beside] if beside.is_file() else [])]


def lines(path: Path) -> list[str]:
    """Names of the lines. InputError if the file cannot be read."""
    with opened(path, EXPECTED) as file:
        return list(_lines(file))


def edge_times(path: Path, line: str, rate: float | None = None, every: int = 1) -> np.ndarray:
    """(edge,) float64 s: when ``line`` rises, or a counter counts, every ``every``-th time.

    An analogue line rises where it crosses half of its range (our choice). A counter that steps by n in one tick counts
    n times there.

    Args:
        path: the HDF5.
        line: such as ``Frame Counter``, ``Frame Out``, ``Cameras``.
        rate: ticks per second; None reads the settings beside the file.
        every: scans a frame, for a counter that counts scans of planes.

    Raises:
        InputError: no such line (with those that there are), no edge, no tick rate.
    """
    rate = _rate(path) if rate is None else rate
    with opened(path, EXPECTED) as file:
        found = _lines(file)
        if line not in found:
            raise InputError(f"{path}: no line {line!r}, found {', '.join(found) or 'none'}")
        group, item = found[line]
        values = read_numbers(path, f"{group}/{line}", item).ravel()
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise InputError(f"{path}: line {line!r} holds NaN or infinity")
    if group == "AI" and len(values):
        values = values > values.min() / 2 + values.max() / 2
    steps: np.ndarray = np.diff(values.astype(np.int64))
    ticks = np.flatnonzero(steps > 0) + 1
    if group == "CI":
        # More than there are ticks could not all be frames, however many would fill the memory.
        if steps[ticks - 1].astype(np.float64).sum() > len(values) * every:
            raise InputError(
                f"{path}: line {line!r} counts to {values.max()} in {len(values)} ticks, expected at most "
                f"{every} a tick"
            )
        ticks = np.repeat(ticks, steps[ticks - 1])
    ticks = ticks[::every]
    if len(ticks) == 0:
        raise InputError(
            f"{path}: line {line!r} never rises in {len(values)} ticks, expected an edge a frame"
        )
    # Scans that are counted in one tick share its time; frames must not.
    if (np.diff(ticks) == 0).any():
        raise InputError(
            f"{path}: line {line!r} counts several frames in tick {ticks[np.argmin(np.diff(ticks))]}"
        )
    return ticks / rate


def _lines(file: Any) -> dict[str, tuple[str, Any]]:
    """Line -> its group and its samples; of a name in two groups, the first."""
    found: dict[str, tuple[str, Any]] = {}
    for group in ("DI", "CI", "AI"):
        for line, item in members(members(file).get(group)).items():
            found.setdefault(line, (group, item))
    return found


def _rate(path: Path) -> float:
    settings = path.parent / _SETTINGS
    if not settings.is_file():
        raise InputError(f"{settings}: no such file, expected the sampling rate in it, or clock.rate")
    try:
        boards = ElementTree.parse(settings).getroot().iter("AcquireBoard")
        rates = [
            float(rate.attrib["rate"])
            for board in boards
            if board.attrib.get("active") == "1"
            for rate in board.iter("SampleRate")
            if rate.attrib.get("enable") == "1"
        ]
    except (ElementTree.ParseError, KeyError, ValueError) as error:
        raise InputError(f"{settings}: cannot be read ({type(error).__name__}: {error})") from None
    if len(rates) != 1 or not rates[0] > 0:
        raise InputError(f"{settings}: {len(rates)} sampling rates of active boards, expected one")
    return rates[0]
