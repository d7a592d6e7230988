"""NWB: find the series that hold activity of cells, and join series of several imaging planes.

Programs that write NWB use the same types but different names: neuroconv has ``Fluorescence/{RoiResponseSeries,
Neuropil, Deconvolved, Denoised, Baseline}`` and ``DfOverF/RoiResponseSeries``, suite2p ``{Fluorescence, Neuropil,
Deconvolved}/plane<k>``, the Allen Institute ``{dff, corrected_fluorescence, demixed_trace, neuropil_trace}/traces``.
The kind of a series is inferred from the words in its name, its container and its table of ROIs.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.formats import Neural
from neural_action.recordings.formats.arrays import lazy, side_by_side
from neural_action.recordings.hdf5 import Dataset
from neural_action.recordings.patterns import covering

#: Kinds that count as activity of cells, the likelier first; and kinds that are read only if named.
KINDS = (
    "CorrectedFluorescence",
    "Fluorescence",
    "DfOverF",
    "RoiResponseSeries",
    "Denoised",
    "Units",
    "TwoPhotonSeries",
    "OnePhotonSeries",
)
UNASKED = ("Deconvolved", "Neuropil", "SecondChannel")
MOVIES = ("TwoPhotonSeries", "OnePhotonSeries")
_WORDS = {
    "Deconvolved": re.compile(r"deconv|spike|spks|event|inferred"),
    "Neuropil": re.compile(r"neuropil|fneu|backgro|baseline|residual|surround"),
    "SecondChannel": re.compile(
        r"chan(nel)?_?2(?!\d)|(?<![a-z])ch_?2(?!\d)|(?<![a-z])red(?![a-z])|tdtom|mcherry|anatomical"
    ),
    "DfOverF": re.compile(r"d_?f_?/?(o|over|by)?_?f|delta_?f|δf|z-?_?score"),
    "Denoised": re.compile(r"denois"),
}
_CORRECTED = re.compile(r"correct|subtract|minus")
#: Columns of a table of ROIs that mark cells: suite2p; neuroconv and CaImAn; the Allen Institute.
_CELLS = ("iscell", "is_cell", "Accepted", "accepted", "keep", "valid_roi")
_UNITS = {
    "DfOverF": "dF/F",
    "Denoised": "denoised fluorescence",
    "Deconvolved": "deconvolved events",
    "Neuropil": "neuropil fluorescence",
}


def kind_of(item: Any) -> str:
    """The kind of a RoiResponseSeries or a movie, one of ``KINDS`` and ``UNASKED``."""
    own, parent = type(item).__name__, item.parent
    rois = getattr(item, "rois", None)
    table = rois.table.name if rois is not None else ""
    text = f"{getattr(parent, 'name', '')} {item.name} {table}".lower()
    for kind in ("Deconvolved", "Neuropil", "SecondChannel"):
        if _WORDS[kind].search(text) and not (kind == "Neuropil" and _CORRECTED.search(text)):
            return kind
    if type(parent).__name__ == "DfOverF" or _WORDS["DfOverF"].search(f"{text} {item.unit}".lower()):
        return "DfOverF"
    if own in MOVIES:
        return own
    if _WORDS["Denoised"].search(text):
        return "Denoised"
    if _CORRECTED.search(text):
        return "CorrectedFluorescence"
    return "Fluorescence" if type(parent).__name__ == "Fluorescence" else own


def groups(found: Mapping[str, tuple[str, Any]]) -> list[tuple[str, str, list[str]]]:
    """Pattern, kind and names of each group of series that can be read as neural activity, the likeliest first.

    Series of one kind form a group if they are planes: their names differ only in numbers, or they share no ROI.
    """
    listed: list[tuple[str, str, list[str]]] = []
    for kind in (*KINDS, *UNASKED):
        own = sorted(name for name, (there, _) in found.items() if there == kind)
        pattern = covering(own) if len(own) > 1 else ""
        planes = pattern and kind not in MOVIES and sorted(fnmatch.filter(found, pattern)) == own
        if planes and (_numbered(own) or _apart([found[name][1] for name in own])):
            listed.append((pattern, kind, own))
        else:
            listed += [(name, kind, [name]) for name in own]
    return listed


def _numbered(names: list[str]) -> bool:
    return len({re.sub(r"\d+", "#", name) for name in names}) == 1


def _apart(items: list[Any]) -> bool:
    """Whether all series have ROIs and no two of them share one."""
    rois = [(id(item.rois.table), row) for item in items if getattr(item, "rois", None) is not None
            for row in np.unique(np.asarray(item.rois.data))]  # fmt: skip
    return bool(rois) and len(set(rois)) == len(rois) and all(getattr(item, "rois", None) for item in items)


def read(
    path: Path,
    parts: list[tuple[str, tuple[str, Any]]],
    cells: bool,
    clock: Callable[[Path, str, Any], tuple[np.ndarray | None, float | None]],
) -> Neural:
    """Series joined to lazy (frame, unit), or one movie (frame, y, x), in the unit of the file.

    Planes are scanned one after the other, so their clocks may differ by less than a frame (the first one is used) and
    their lengths by one frame (the shortest is used). InputError naming the file and the series if they differ by more,
    or if no cell is left.
    """
    data, names, units = [], [], 0
    first, time, rate = parts[0][0], *clock(path, parts[0][0], parts[0][1][1])
    for name, (kind, item) in parts:
        values, rows = _values(path, name, kind, item)
        if len(parts) > 1 and values.ndim != 2:
            raise InputError(f"{path}: {name} has shape {values.shape}, expected traces beside {first}")
        if values.ndim == 2:
            keep = _cells(path, name, item, rows) if cells else None
            units += values.shape[1]
            kept = np.arange(values.shape[1]) if keep is None else keep
            values = values if keep is None else values[:, keep]
            names += [name if values.ndim == 2 and len(rows) == 0 else f"{name}/{rows[at]}" for at in kept]
        _same_clock(path, (first, time, rate), (name, *clock(path, name, item)), len(values))
        data.append(values)
    lengths = [len(values) for values in data]
    if max(lengths) - min(lengths) > 1:
        raise InputError(
            f"{path}: {first} and others have {min(lengths)} to {max(lengths)} frames, expected the same number"
        )
    if data[0].ndim == 2 and not names:
        raise InputError(
            f"{path}: {first} has no cell among {units} units, expected at least one (every unit is read with --option "
            "neural.options.cells=false)"
        )
    whole = side_by_side(data)
    kind, item = parts[0][1]
    series = [name for name, _ in parts]
    listed = ", ".join(series) if len(series) < 5 else f"{series[0]} to {series[-1]}"
    planes = parts[0][1][1].data.shape[3:]
    movie = f"{listed}, mean of {planes[0]} planes" if planes else listed
    said = movie if whole.ndim == 3 else f"{listed}: {len(names)} of {units} units"
    unit = _UNITS.get(kind) or (
        f"{covering(series) if len(series) > 1 else first} ({item.unit})"
        if kind == "TimeSeries"
        else f"raw fluorescence ({item.unit})"
    )
    return Neural(whole, unit, None if time is None else time[: min(lengths)], rate, tuple(names), said)


def _values(path: Path, name: str, kind: str, item: Any) -> tuple[Any, np.ndarray]:
    """Lazy values of a series with time first, in its unit; and its rows in the table of ROIs, empty without one."""
    shape = tuple(item.data.shape)
    rois = getattr(item, "rois", None)
    rows = np.empty(0, int) if rois is None else np.asarray(rois.data, int)
    single = len(shape) == 1
    data = lazy(np.asarray(item.data) if single else Dataset(path, item.data.name, shape, item.data.dtype))
    if single:
        data = data[:, None]
    elif kind in MOVIES or len(shape) > 2:
        if len(shape) == 4:
            data = data.mean(3)
        data = data.transpose(0, 2, 1)  # NWB has (frame, x, y)
    elif len(rows) and shape[1] != len(rows):
        # Some programs, such as suite2p before 0.10, wrote (unit, frame).
        if shape[0] != len(rows):
            raise InputError(f"{path}: {name} has shape {shape}, expected {len(rows)} units as its rois say")
        data = data.T.rechunk((-1, len(rows)))
    scale, offset = float(item.conversion), float(getattr(item, "offset", 0) or 0)
    if (scale, offset) != (1.0, 0.0):
        data = data.astype(np.float32) * np.float32(scale) + np.float32(offset)
    return data, rows


def _cells(path: Path, name: str, item: Any, rows: np.ndarray) -> np.ndarray | None:
    """Indices of the units that the table of ROIs marks as cells; None if the table has no such marks."""
    table = item.rois.table if len(rows) else None
    column = next((column for column in _CELLS if table is not None and column in table.colnames), None)
    if table is None or column is None:
        return None
    marks = np.asarray(table[column][:])
    marks = marks[:, 0] if marks.ndim == 2 else marks
    if marks.dtype.kind not in "biuf" or rows.max(initial=0) >= len(marks):
        raise InputError(
            f"{path}: column {column} of the ROIs of {name} is {marks.dtype} of shape {marks.shape}, expected a number "
            f"for each of {len(rows)} units"
        )
    return np.flatnonzero(marks[rows] > 0.5)


def _same_clock(path: Path, first: tuple, other: tuple, count: int) -> None:
    """InputError unless the times of two series differ by less than a frame."""
    (one, time, rate), (name, own, own_rate) = first, other
    frames = np.arange(count)
    one_time = frames / rate if time is None else time[:count]
    own_time = frames / own_rate if own is None else own[:count]
    both = min(len(one_time), len(own_time))
    period = float(np.median(np.diff(one_time))) if both > 1 else np.inf
    if both and np.abs(one_time[:both] - own_time[:both]).max() >= period:
        raise InputError(f"{path}: {name} has another clock than {one}, expected the same clock")
