"""ThorSync: times of the edges of a line in ``Episode001.h5``, the clock of a movie or of cameras.

Lines are in the groups DI, CI and AI, with one sample for each tick; ``ThorRealTimeDataSettings.xml`` holds the tick
rate.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from neural_action.errors import InputError, reading
from neural_action.recordings.hdf5 import members, opened, read_numbers

EXPECTED = "a ThorSync HDF5 (Episode001.h5) with lines in DI, CI or AI"
_SETTINGS = "ThorRealTimeDataSettings.xml"


def recognise(path: Path) -> str | None:
    """Recognise an HDF5 with lines in DI, CI or AI."""
    if path.suffix not in (".h5", ".hdf5") or not path.is_file():
        return None
    try:
        return f"ThorSync, lines {', '.join(lines(path))}" if lines(path) else None
    except InputError:
        return None


def files(path: Path) -> list[Path]:
    """The HDF5, and the file of settings in its folder, if there is one."""
    beside = path.parent / _SETTINGS
    return [path, *([beside] if beside.is_file() else [])]


def lines(path: Path) -> list[str]:
    """Names of the lines. InputError if the file cannot be read."""
    with opened(path, EXPECTED) as file:
        return list(_lines(file))


def edge_times(path: Path, line: str, rate: float | None = None, every: int = 1) -> np.ndarray:
    """(edge,) float64 s: times at which ``line`` rises or a counter counts; every n-th of them with ``every`` n.

    An analogue line rises where it crosses the middle of its range (our choice). A step of a counter by n in one tick
    counts as n edges.

    Args:
        path: the HDF5.
        line: name of the line, such as ``Frame Counter``, ``Frame Out``, ``Cameras``.
        rate: ticks per second; None reads it from the settings in the same folder.
        every: scans in a frame, for a counter that counts scans of planes.

    Raises:
        InputError: there is no such line (with the existing ones), no edge or no tick rate; values are not finite; or
            several edges fall in one tick.
    """
    rate = _rate(path) if rate is None else rate
    with opened(path, EXPECTED) as file:
        found = _lines(file)
        if line not in found:
            raise InputError(f"{path}: no line {line!r}, found {', '.join(found) or 'none'}")
        group, item = found[line]
        values = read_numbers(path, f"{group}/{line}", item).ravel()
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise InputError(f"{path}: line {line!r} holds NaN or infinity, expected finite values")
    if group == "AI" and len(values):
        values = values > values.min() / 2 + values.max() / 2
    steps: np.ndarray = np.diff(values.astype(np.int64))
    ticks = np.flatnonzero(steps > 0) + 1
    if group == "CI":
        # More counts than ticks cannot all be frames, and could fill the memory.
        if steps[ticks - 1].astype(np.float64).sum() > len(values) * every:
            raise InputError(
                f"{path}: line {line!r} counts to {values.max()} in {len(values)} ticks, expected at most "
                f"{every} in each tick"
            )
        ticks = np.repeat(ticks, steps[ticks - 1])
    ticks = ticks[::every]
    if len(ticks) == 0:
        raise InputError(
            f"{path}: line {line!r} never rises in {len(values)} ticks, expected an edge for each frame"
        )
    # Scans counted in one tick have the same time, but frames must differ.
    if (np.diff(ticks) == 0).any():
        raise InputError(
            f"{path}: line {line!r} counts several frames in tick {ticks[np.argmin(np.diff(ticks))]}, expected one"
        )
    return ticks / rate


def _lines(file: Any) -> dict[str, tuple[str, Any]]:
    """Line -> its group and its samples; if a name is in two groups, the first group."""
    found: dict[str, tuple[str, Any]] = {}
    for group in ("DI", "CI", "AI"):
        for line, item in members(members(file).get(group)).items():
            found.setdefault(line, (group, item))
    return found


def _rate(path: Path) -> float:
    settings = path.parent / _SETTINGS
    if not settings.is_file():
        raise InputError(f"{settings}: no such file, expected it with the sampling rate, or clock.rate")
    with reading(settings, "settings of ThorSync", ElementTree.ParseError, KeyError, ValueError):
        boards = ElementTree.parse(settings).getroot().iter("AcquireBoard")
        rates = [
            float(rate.attrib["rate"])
            for board in boards
            if board.attrib.get("active") == "1"
            for rate in board.iter("SampleRate")
            if rate.attrib.get("enable") == "1"
        ]
    if len(rates) != 1 or not rates[0] > 0:
        raise InputError(f"{settings}: {len(rates)} sampling rates of active boards, expected one")
    return rates[0]
