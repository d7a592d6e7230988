"""NWB in HDF5, read with pynwb: neural series, spike times, behaviour, poses and intervals.

Extensions are read with the specifications stored in the file, so ndx-pose need not be installed.
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

from neural_action.config.kinds import Section
from neural_action.errors import InputError, needed
from neural_action.files import most_bytes
from neural_action.recordings.formats import (
    Behavior,
    Labels,
    Neural,
    _roi_series,
    as_classes,
)
from neural_action.recordings.hdf5 import opened
from neural_action.recordings.nwb_behavior import Clock, joined, likelihood, pose, several

EXPECTED = "an NWB file (HDF5) with a neural series, behaviour or intervals"
#: Types that may be neural activity (see ``_roi_series``), and types of behaviour, the likelier first.
_NEURAL = ("RoiResponseSeries", "Units", *_roi_series.MOVIES)
_BEHAVIOR = ("PoseEstimation", "SpatialSeries", "TimeSeries")
#: Mark of entries of ``contents`` that likely are no movement.
UNLIKELY = " (likely no movement)"
#: Columns of Units in which spike sorters and curators write a judgement.
_JUDGED = ("quality", "KSLabel", "group", "default_qc", "label")
#: Minimum number of numbered TimeSeries of one name that may be neural activity (our choice).
NUMBERED = 5


class Options(Section):
    """Options of this format.

    Attributes:
        series: names of series, or patterns such as ``Activity_*``, as ``neural-action init`` lists them; several
            series with the same clock are joined. null: the only series; for neural activity, the only one of the
            likeliest kind (first fluorescence of cells, then dF/F, units, movies; never neuropil or deconvolved
            events), with all its planes.
        cells: for neural activity, read only units that the table of ROIs marks as cells, if it marks any.
        bin: width of a bin for spike times, s; rates are in spikes per second.
        intervals: table of intervals with the labels, such as ``trials``.
        column: column of this table that names the action.
        unlabelled: values of this column that are no class.
        seconds: seconds per unit of the intervals' times, if a file breaks the standard; null: 1.
        conflicts: samples in intervals of two actions are an error (``refuse``) or ``unlabelled``.
        min_confidence: keypoints of an ndx-pose with a lower confidence are missing.
        exclude: keypoints or features to leave out.
    """

    series: list[str] | None = None
    cells: bool = True
    bin: Annotated[float, Field(gt=0)] = 0.05
    intervals: str = "trials"
    column: str | None = None
    unlabelled: list[str] = Field(default_factory=list)
    seconds: Annotated[float, Field(gt=0)] | None = None
    conflicts: Literal["refuse", "unlabelled"] = "refuse"
    min_confidence: Annotated[float, Field(ge=0)] = 0.0
    exclude: list[str] = Field(default_factory=list)


def recognise(path: Path) -> str | None:
    """Recognise a file .nwb; ``contents`` lists what it holds."""
    return "NWB" if path.suffix == ".nwb" and path.is_file() else None


def contents(path: Path) -> dict[str, list[str]]:
    """Role (neural, behavior, labels) -> entries ``name: kind shape`` that can be read, the likeliest first.

    ``NUMBERED`` or more series of one name with numbers are listed once as neural activity, by a pattern, and so are
    the planes of one kind. InputError if the file cannot be read.
    """
    with _opened(path) as file:
        found = _series(file)
        shown = {
            "neural": [
                f"{pattern}: {kind} {', '.join(_shape(found[name][1]) for name in names)}"
                for pattern, kind, names in _roi_series.groups(found)
            ],
            "behavior": [
                f"{name}: {kind} {_shape(item)}{UNLIKELY if likelihood(name, item) == 2 else ''}"
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
    """``general/subject/subject_id`` of an NWB file, or None if it has none. InputError if it cannot be read."""
    with opened(path, EXPECTED, "NWB") as file:
        item = file.get("general/subject/subject_id")
        value = None if item is None or not hasattr(item, "dtype") else np.asarray(item[()]).ravel()
    if value is None or not len(value):
        return None
    first = value[0]
    return first.decode(errors="replace") if isinstance(first, bytes) else str(first)


def neural(path: Path, options: Options) -> Neural:
    """(frame, unit) or (frame, y, x), lazy; spike times are binned into rates.

    InputError naming the file: there is no such series (with the existing ones), there are several and none is chosen,
    or there is no clock, no spike or no cell.
    """
    with _opened(path) as file:
        found = _series(file)
        if options.series is None:
            known = [group for group in _roi_series.groups(found) if group[1] in _roi_series.KINDS]
            best = [names for _, kind, names in known if kind == known[0][1]]
            if len(best) != 1:
                names = ", ".join(f"{name} ({kind})" for name, (kind, _) in found.items()) or "none"
                raise InputError(
                    f"{path}: {len(best)} neural series, expected one; choose it with options series: {names}"
                )
            parts = [(name, found[name]) for name in best[0]]
        else:
            parts = _chosen(path, found, options.series, "neural series")
        if parts[0][1][0] == "Units":
            return _rates(path, parts[0][1][1], options)
        return _roi_series.read(path, parts, options.cells, _clock)


def behavior(path: Path, options: Options) -> Behavior:
    """(sample, feature), or (sample, keypoint, axis) of an ndx-pose, float32 in the unit of the file.

    Each series and keypoint may have its own clock. InputError as ``neural``, and if there are several poses and none
    is chosen, or series do not overlap in time.
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
                f"{path}: series {', '.join(name for name, _ in parts)}, expected one pose, or series without a pose"
            )
        if chosen:
            return pose(path, parts[0][1][1], options.exclude, options.min_confidence, _clock)
        return joined(path, [(name, item) for name, (_, item) in parts], options.exclude, _clock)


def labels(path: Path, options: Options, class_names: tuple[str, ...] | None) -> Labels:
    """Intervals with the action in ``column``. InputError naming the file and its tables or columns."""
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
        names,
        numbers,
        intervals * (options.seconds or 1.0),
        conflicts=options.conflicts,
        stated=options.seconds is not None,
        said="start_time and stop_time",
        source=f"column {options.column} of the intervals {options.intervals}",
    )


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    pynwb = needed("pynwb", "nwb", f"{path}: reading it")
    with opened(path, EXPECTED, "NWB"):  # Opened as HDF5 first, which checks the size that datasets claim.
        pass
    with warnings.catch_warnings():
        # pynwb warns about files of earlier versions of the standard; what they lack is checked here.
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
    """Name -> (kind, series) of every series that may be neural activity or behaviour."""
    listed: list[tuple[str, str, Any]] = []
    taken: set[str] = set()
    for item in sorted(file.objects.values(), key=lambda item: item.name):
        kind = type(item).__name__
        if kind == "PoseEstimation":
            taken.update(series.object_id for series in item.pose_estimation_series.values())
            listed.append((item.name, kind, item))
    for item in sorted(file.objects.values(), key=lambda item: item.name):
        kind = type(item).__name__
        if item.object_id in taken or kind in ("PoseEstimation", "PoseEstimationSeries"):
            continue
        name = item.name
        if kind == "Units":
            if "spike_times" not in item.colnames:
                continue
        elif kind in (*_NEURAL, *_BEHAVIOR):
            # A movie in external files has a shape of zeros.
            if not getattr(item.data, "shape", ()) or 0 in item.data.shape:
                continue
        else:
            continue
        if kind == "RoiResponseSeries":
            # Always named with its container, because plane0 occurs in both Fluorescence and Neuropil.
            name = f"{item.parent.name}/{item.name}"
        if kind in ("RoiResponseSeries", *_roi_series.MOVIES):
            kind = _roi_series.kind_of(item)
        listed.append((name, kind, item))
    times = Counter(name for name, _, _ in listed)
    return {_place(item) if times[name] > 1 else name: (kind, item) for name, kind, item in listed}


def _place(item: Any) -> str:
    """The name of an item after those of all containers that hold it, without the file."""
    held_by = getattr(item, "parent", None)
    within = held_by is not None and type(held_by).__name__ != "NWBFile"
    return f"{_place(held_by)}/{item.name}" if within else item.name


def _likelier(found: dict[str, tuple[str, Any]]) -> list[tuple[str, tuple[str, Any]]]:
    """The series, those of behaviour with a name of movement first; others keep their order."""
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
                f"{path}: {len(found)} {what}, expected one; choose it with options series: {names}"
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


def _clock(path: Path, name: str, item: Any) -> Clock:
    """Times of a series in s, and its rate; only the rate if it starts at 0. InputError if it has neither."""
    if item.timestamps is not None:
        return np.asarray(item.timestamps, np.float64), None
    if item.rate is None or not item.rate > 0:
        raise InputError(f"{path}: {name} has no clock, expected timestamps or a rate")
    if not item.starting_time:
        return None, float(item.rate)
    return item.starting_time + np.arange(len(item.data)) / item.rate, float(item.rate)


def _rates(path: Path, units: Any, options: Options) -> Neural:
    """(bin, unit) float32 spikes per second from the first spike to the last.

    Bins that lie outside the intervals in which a unit was observed (``obs_intervals``) are left out.
    """
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
            "a file of this size; expected spike times in seconds"
        )
    count = int(bins)
    rates = np.zeros((count, len(spikes)), np.float32)
    for at, times in enumerate(spikes):
        np.add.at(rates[:, at], ((times - first) / options.bin).astype(np.int64), 1 / options.bin)
    time = first + (np.arange(count) + 0.5) * options.bin
    said = f"{units.name}: {len(spikes)} units{_judged(units)}, bins of {options.bin:g} s"
    if "obs_intervals" in units.colnames:
        kept = np.ones(count, bool)
        for at in range(len(spikes)):
            spans = np.asarray(units["obs_intervals"][at], np.float64).reshape(-1, 2)
            inside = np.zeros(count, bool)
            for start, stop in spans:
                inside |= (time >= start) & (time < stop)
            kept &= inside | (len(spans) == 0)
        if not kept.any():
            raise InputError(
                f"{path}: no time lies in the obs_intervals of all {len(spikes)} units, expected some"
            )
        rates, time = rates[kept], time[kept]
        said += "" if kept.all() else f", {int((~kept).sum())} bins outside obs_intervals left out"
    return Neural(rates, "spikes per second", time, 1 / options.bin, source=said)


def _judged(units: Any) -> str:
    """Phrase on how many units a sorter or curator judged how; "" without such a column."""
    column = next((name for name in _JUDGED if name in units.colnames), None)
    if column is None:
        return ""
    counts = Counter(map(str, units[column][:]))
    shown = ", ".join(f"{count} {value}" for value, count in counts.most_common(5))
    return (
        f" (all, whatever their {column}: {shown})"
        if len(counts) > 1
        else f" ({column} {next(iter(counts))})"
    )
