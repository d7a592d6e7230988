"""NWB over HDF5, read by pynwb: neural series, spike times, behaviour, poses and intervals.

Extensions are read by the specifications that the file carries, so that ndx-pose need not be installed.
"""

from __future__ import annotations

import fnmatch
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from neural_action.errors import InputError
from neural_action.files import most_bytes
from neural_action.recordings.formats import (
    Behavior,
    FormatOptions,
    Labels,
    Neural,
    _roi_series,
    as_classes,
    needs,
)
from neural_action.recordings.hdf5 import opened
from neural_action.recordings.nwb_behavior import Clock, joined, likelihood, pose, several

EXPECTED = "an NWB file (HDF5) with a neural series, behaviour or intervals"
#: What may be neural activity (see ``_roi_series``); what is taken for behaviour, the likelier first.
_NEURAL = ("RoiResponseSeries", "Units", *_roi_series.MOVIES)
_BEHAVIOR = ("PoseEstimation", "SpatialSeries", "TimeSeries")
NUMBERED = 5


class Options(FormatOptions):
    """Options of this format.

    Attributes:
        series: names of the series, or patterns such as ``Activity_*``, as ``neural-action init`` lists them;
            several of one clock are joined. null: the only one, of neural activity the only one of the likeliest kind
            (fluorescence of cells before dF/F, units, movies; never neuropil or deconvolved events), all its planes.
        cells: of neural activity, only units that the table of ROIs marks as cells, where it does.
        bin: of spike times, seconds a bin; rates are spikes per second.
        intervals: of labels, the table of intervals, such as ``trials``.
        column: of labels, the column that names the action.
        unlabelled: values of it that are no class.
        conflicts: samples in two intervals of different actions are an error, or ``unlabelled``.
        min_confidence: keypoints of an ndx-pose below it are missing.
        exclude: keypoints or features that are left out.
    """

    series: list[str] | None = None
    cells: bool = True
    bin: Annotated[float, Field(gt=0)] = 0.05
    intervals: str = "trials"
    column: str | None = None
    unlabelled: list[str] = Field(default_factory=list)
    conflicts: Literal["refuse", "unlabelled"] = "refuse"
    min_confidence: Annotated[float, Field(ge=0)] = 0.0
    exclude: list[str] = Field(default_factory=list)


def recognise(path: Path) -> str | None:
    """A file .nwb; what is in it is listed by ``contents``."""
    return "NWB" if path.suffix == ".nwb" and path.is_file() else None


def files(path: Path) -> list[Path]:
    """The one file."""
    return [path]


def contents(path: Path) -> dict[str, list[str]]:
    """What can be read, the likeliest first: neural, behavior and labels (intervals), each with kind and shape.

    Single traces in numbered series (``NUMBERED`` or more of one name) count as neural activity, once, by pattern, and
    so do the planes of one kind.
    """
    with _opened(path) as file:
        found = _series(file)
        shown = {
            "neural": [
                f"{pattern}: {kind} {', '.join(_shape(found[name][1]) for name in names)}"
                for pattern, kind, names in _roi_series.groups(found)
            ],
            "behavior": [
                f"{name}: {kind} {_shape(item)}"
                for wanted in _BEHAVIOR
                for name, (kind, item) in _likelier(found)
                if kind == wanted
            ],
        }
        plain = [name for name, (kind, _) in found.items() if kind == "TimeSeries"]
        stems = Counter(match[1] for name in plain if (match := re.fullmatch(r"(.*?)\d+", name)))
        for stem, count in stems.items():
            if count >= NUMBERED:
                shown["neural"].append(f"{stem}*: TimeSeries {count} series")
                shown["behavior"] = [entry for entry in shown["behavior"] if not entry.startswith(stem)]
        tables = dict(file.intervals or {})
        shown["labels"] = [f"{name}: {', '.join(table.colnames)}" for name, table in tables.items()]
        return shown


def subject(path: Path) -> str | None:
    """The subject's identifier, if the file has one."""
    with _opened(path) as file:
        return file.subject.subject_id if file.subject is not None else None


def neural(path: Path, options: Options) -> Neural:
    """(frame, unit) or (frame, y, x), lazy; spike times are binned into rates.

    Raises InputError naming the file: no such series (with those that there are), several and no choice, no clock, no
    spikes, no cells.
    """
    with _opened(path) as file:
        found = _series(file)
        if options.series is None:
            known = [group for group in _roi_series.groups(found) if group[1] in _roi_series.KINDS]
            best = [names for _, kind, names in known if kind == known[0][1]]
            if len(best) != 1:
                names = ", ".join(f"{name} ({kind})" for name, (kind, _) in found.items()) or "none"
                raise InputError(
                    f"{path}: {len(best)} neural series, expected one, or its name in options series: {names}"
                )
            parts = [(name, found[name]) for name in best[0]]
        else:
            parts = _chosen(path, found, options.series, "neural series")
        if parts[0][1][0] == "Units":
            return _rates(path, parts[0][1][1], options)
        return _roi_series.read(path, parts, options.cells, _clock)


def behavior(path: Path, options: Options) -> Behavior:
    """(sample, feature), or (sample, keypoint, axis) of an ndx-pose, float32 in the unit of the file.

    Every series and keypoint goes by its own clock. Raises InputError naming the file: as ``neural``, several poses and
    no choice, or series that do not overlap in time.
    """
    with _opened(path) as file:
        found = {name: item for name, item in _series(file).items() if item[0] in _BEHAVIOR}
        poses = [name for name, (kind, _) in found.items() if kind == "PoseEstimation"]
        if options.series is None and poses:
            if len(poses) > 1:
                raise several(path, poses, "PoseEstimation")
            found = {name: found[name] for name in poses}
        parts = _chosen(path, found, options.series, "behaviour series")
        chosen = [name for name, (kind, _) in parts if kind == "PoseEstimation"]
        if len(chosen) > 1:
            raise several(path, chosen, "PoseEstimation")
        if chosen and len(parts) > 1:
            raise InputError(
                f"{path}: series {', '.join(name for name, _ in parts)}, expected a pose or series, not both"
            )
        if chosen:
            return pose(path, parts[0][1][1], options.exclude, options.min_confidence, _clock)
        return joined(path, [(name, item) for name, (_, item) in parts], options.exclude, _clock)


def labels(path: Path, options: Options, class_names: tuple[str, ...] | None) -> Labels:
    """Intervals with the action named in ``column``. InputError names the file, and the tables or columns there are."""
    with _opened(path) as file:
        tables = dict(file.intervals or {})
        if file.trials is not None:
            tables["trials"] = file.trials
        if options.intervals not in tables:
            found = ", ".join(tables) or "none"
            raise InputError(f"{path}: no intervals {options.intervals!r}, found {found}")
        table = tables[options.intervals]
        if options.column not in table.colnames:
            raise InputError(
                f"{path}: {options.intervals} has no column {options.column!r}, found {', '.join(table.colnames)}"
            )
        values = [str(value) for value in table[options.column][:]]
        numbers, names = as_classes(values, class_names, options.unlabelled, path)
        intervals = np.stack(
            [np.asarray(table[name][:], np.float64) for name in ("start_time", "stop_time")], 1
        )
    return Labels(
        names, numbers, intervals, conflicts=options.conflicts, said=f"intervals of {options.intervals}"
    )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    pynwb = needs("pynwb", "nwb", path)
    with opened(
        path, EXPECTED, "NWB"
    ):  # as HDF5 first: what a dataset claims is looked at before any is read
        pass
    with warnings.catch_warnings():
        # Files of earlier versions of the standard are warned about at length; what they lack is checked here.
        warnings.simplefilter("ignore")
        try:
            with pynwb.NWBHDF5IO(path, "r", load_namespaces=True) as io:
                yield io.read()
        except InputError:
            raise
        except (
            Exception
        ) as error:  # pynwb, hdmf and h5py raise whatever a damaged file trips, at every access
            reason = str(error)[:200]
            raise InputError(f"{path}: cannot be read as NWB ({type(error).__name__}: {reason})") from error


def _series(file: Any) -> dict[str, tuple[str, Any]]:
    """Name -> (kind, series) of everything that may be neural activity or behaviour."""
    found: dict[str, tuple[str, Any]] = {}
    taken: set[str] = set()
    for item in sorted(file.objects.values(), key=lambda item: item.name):
        kind = type(item).__name__
        if kind == "PoseEstimation":
            taken.update(series.object_id for series in item.pose_estimation_series.values())
            found[item.name] = (kind, item)
    for item in sorted(file.objects.values(), key=lambda item: item.name):
        kind = type(item).__name__
        if item.object_id in taken or kind in ("PoseEstimation", "PoseEstimationSeries"):
            continue
        name = item.name if item.name not in found else f"{item.parent.name}/{item.name}"
        if kind == "Units":
            if "spike_times" not in item.colnames:
                continue
        elif kind in (*_NEURAL, *_BEHAVIOR):
            # A movie in files of its own has a shape of zeros.
            if not getattr(item.data, "shape", ()) or 0 in item.data.shape:
                continue
        else:
            continue
        if kind == "RoiResponseSeries":
            # Always with its container: of plane0 in Fluorescence and in Neuropil neither is the first.
            name = f"{item.parent.name}/{item.name}"
            name = name if name not in found else f"{item.parent.parent.name}/{name}"
        if kind in ("RoiResponseSeries", *_roi_series.MOVIES):
            kind = _roi_series.kind_of(item)
        found[name] = (kind, item)
    return found


def _likelier(found: dict[str, tuple[str, Any]]) -> list[tuple[str, tuple[str, Any]]]:
    """Series of behaviour with what is called like movement first; others in their order."""
    return sorted(
        found.items(), key=lambda one: likelihood(one[0], one[1][1]) if one[1][0] in _BEHAVIOR else 0
    )


def _shape(item: Any) -> str:
    if hasattr(item, "data"):
        return str(tuple(item.data.shape))
    return (
        f"({len(item)} units)"
        if hasattr(item, "colnames")
        else f"({len(item.pose_estimation_series)} keypoints)"
    )


def _chosen(
    path: Path, found: dict[str, tuple[str, Any]], wanted: list[str] | None, what: str
) -> list[tuple[str, tuple[str, Any]]]:
    names = ", ".join(f"{name} ({kind})" for name, (kind, _) in found.items()) or "none"
    if wanted is None:
        if len(found) != 1:
            raise InputError(
                f"{path}: {len(found)} {what}, expected one, or its name in options series: {names}"
            )
        return list(found.items())
    chosen: dict[str, tuple[str, Any]] = {}
    for pattern in wanted:
        matching = fnmatch.filter(found, pattern)
        if not matching:
            matching = [name for name in found if fnmatch.fnmatch(name.rsplit("/", 1)[-1], pattern)]
            if len(matching) > 1 and not re.search(r"[*?\[]", pattern):
                raise InputError(
                    f"{path}: {what} {pattern!r} are {', '.join(matching)}, expected one of them"
                )
        if not matching:
            raise InputError(f"{path}: no {what} {pattern!r}, found {names}")
        chosen.update((name, found[name]) for name in sorted(matching))
    return list(chosen.items())


def _joined(
    path: Path, parts: list[tuple[str, tuple[str, Any]]]
) -> tuple[np.ndarray, list[str], np.ndarray | None, float | None]:
    """Series of one clock side by side, (n, column) float32 in their unit; names; times or rate."""
    values, names = [], []
    first = parts[0][0]
    time, rate = _clock(path, first, parts[0][1][1])
    for name, (_, item) in parts:
        data = np.asarray(item.data, np.float32) * np.float32(item.conversion)
        data = data.reshape(len(data), -1)
        names += [name] if data.shape[1] == 1 else [f"{name}_{at}" for at in range(data.shape[1])]
        values.append(data)
        own_time, own_rate = _clock(path, name, item)
        # Of a series that starts at 0 the times are not made: one that starts later has another clock.
        neither = time is None and own_time is None
        both = time is not None and own_time is not None and np.array_equal(own_time, time)
        if own_rate != rate or not (neither or both) or len(data) != len(values[0]):
            raise InputError(f"{path}: {name} has another clock than {first}, expected series of one clock")
    return np.concatenate(values, 1), names, time, rate


def _clock(path: Path, name: str, item: Any) -> Clock:
    """Times of a series in s, or its rate where it starts at 0."""
    if item.timestamps is not None:
        return np.asarray(item.timestamps, np.float64), None
    if item.rate is None or not item.rate > 0:
        raise InputError(f"{path}: {name} has neither timestamps nor a rate")
    if not item.starting_time:
        return None, float(item.rate)
    return item.starting_time + np.arange(len(item.data)) / item.rate, float(item.rate)


def _rates(path: Path, units: Any, options: Options) -> Neural:
    """(bin, unit) float32 spikes per second from the first spike to the last."""
    spikes = [np.asarray(units["spike_times"][at], np.float64) for at in range(len(units))]
    there = [times for times in spikes if len(times)]
    if not there:
        raise InputError(f"{path}: units without spikes, expected spike times")
    first = min(times.min() for times in there)
    last = max(times.max() for times in there)
    if not np.isfinite([first, last]).all():
        raise InputError(f"{path}: spike times from {first} to {last} s, expected finite ones")
    bins = np.ceil((last - first) / options.bin) + 1
    if bins * len(spikes) * 4 > most_bytes(path):
        raise InputError(
            f"{path}: spike times from {first:g} to {last:g} s are {bins:g} bins of {options.bin:g} s, too many for "
            "a file of this size; expected seconds"
        )
    count = int(bins)
    rates = np.zeros((count, len(spikes)), np.float32)
    for at, times in enumerate(spikes):
        np.add.at(rates[:, at], ((times - first) / options.bin).astype(np.int64), 1 / options.bin)
    time = first + (np.arange(count) + 0.5) * options.bin
    return Neural(rates, "spikes per second", time, 1 / options.bin)
