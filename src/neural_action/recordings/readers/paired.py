"""Reader of a neural file and a behaviour file of any two formats (``recordings/formats/``), aligned.

The sheet says what a recording is; ``neural.path``, ``behavior.path`` and ``labels.path`` where its files are, as
patterns below the raw folder in which ``{path}``, ``{animal}`` and ``{trial}`` stand for the row of the sheet. Where a
pattern is left out, the recording is itself the file. config/README.md explains every option.
"""

from __future__ import annotations

import glob
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from neural_action.errors import InputError
from neural_action.recordings import alignment, missing, patterns, thresholds
from neural_action.recordings.formats import (
    Behavior,
    FormatOptions,
    Labels,
    Neural,
    arrays,
    load_format,
    thorsync,
)
from neural_action.recordings.readers import ReaderOptions, hidden
from neural_action.recordings.recording import UNLABELLED, Recording
from neural_action.recordings.sheet import SheetRow

if TYPE_CHECKING:
    import dask.array as da

EXPECTED = "recordings that match convert.reader_options.recordings"
_WHERE = "convert.reader_options"
#: What is cut off a file's name to name a trial; folders may have dots in their names.
_SUFFIXES = (".nwb", ".h5", ".hdf5", ".npy", ".npz", ".csv", ".parquet", ".yaml", ".yml", ".tif", ".tiff")
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


class ClockOptions(ReaderOptions):
    """Times of frames or samples, if not those of the file: ``rate`` from ``start`` s on, a file of ``times`` (with a
    ``column``, in units of ``seconds``), or every ``every``-th edge of a ``line`` of the ThorSync file ``sync``, whose
    ticks come at ``rate`` where its settings were not kept."""

    rate: Annotated[float, Field(gt=0)] | None = None
    start: float = 0.0
    times: str | None = None
    column: str | None = None
    seconds: Annotated[float, Field(gt=0)] = 1.0
    sync: str | None = None
    line: str | None = None
    every: Annotated[int, Field(ge=1)] = 1


class MissingOptions(ReaderOptions):
    """What becomes of missing values, see ``recordings/missing.py``; ``longest_gap`` in s."""

    policy: missing.Policy = "refuse"
    longest_gap: Annotated[float, Field(ge=0)] = 0.1


class SourceOptions(ReaderOptions):
    """A file of a format, its clock, and what becomes of missing values."""

    format: str
    path: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    clock: ClockOptions = ClockOptions()
    missing: MissingOptions = MissingOptions()


class LabelOptions(ReaderOptions):
    """A file of actions."""

    format: str
    path: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)


class ThresholdOptions(ReaderOptions):
    """Actions by thresholds (``cuts``) on the speed of the behaviour, or on one of its features, smoothed."""

    of: str = "speed"
    cuts: Annotated[list[float], Field(min_length=1)]
    smooth_seconds: Annotated[float, Field(ge=0)] = 0.5


class AlignOptions(ReaderOptions):
    """How the clocks get one zero: ``timestamps`` (plus ``offset`` s), a ``frame_index`` file, or a ``trigger``: events
    that both clocks saw, as numbers of seconds or files of times."""

    by: Literal["timestamps", "frame_index", "trigger"] = "timestamps"
    offset: float = 0.0
    index: str | None = None
    column: str | None = None
    neural_events: list[float] | str | None = None
    behavior_events: list[float] | str | None = None
    tolerance: Annotated[float, Field(gt=0)] = 0.05


class CutOptions(ReaderOptions):
    """Trials cut from a long recording: pieces of ``seconds`` with ``gap`` seconds left out between them."""

    seconds: Annotated[float, Field(gt=0)]
    gap: Annotated[float, Field(ge=0)] = 2.0


class Options(ReaderOptions):
    """Options of this reader.

    Attributes:
        recordings: pattern below the raw folder of what a recording is, a file or a folder.
        names: regular expression on that path with groups ``animal`` and ``trial``; null: folder and file name.
        neural, behavior: what is read.
        labels: actions from a file; or
        thresholds: from the behaviour itself; neither: everything is unlabelled.
        align: how the two clocks get one zero.
        cut: trials from long recordings, when the sheet is written.
    """

    recordings: str = "*"
    names: str | None = None
    neural: SourceOptions
    behavior: SourceOptions
    labels: LabelOptions | None = None
    thresholds: ThresholdOptions | None = None
    align: AlignOptions = AlignOptions()
    cut: CutOptions | None = None


def scan(folder: Path, options: Options) -> list[SheetRow]:
    """Every path that matches ``recordings``; with ``cut``, a row for each piece that both clocks cover."""
    rows = []
    paths = [
        path.relative_to(folder)
        for path in patterns.below(folder, options.recordings, f"{_WHERE}.recordings")
        if not hidden(path, folder)
    ]
    for path, found in zip(paths, _searched(paths, options.names), strict=True):
        animal, trial = names(path, options.names, found)
        rows.append(SheetRow(animal, trial, path.as_posix()))
    if options.cut is None:
        return rows
    return [piece for row in rows for piece in pieces(folder, row, options)]


def files(root: Path, row: SheetRow, options: Options) -> list[Path]:
    """The raw files of a recording: neural, behaviour, labels, clocks and events."""
    root, found = Path(root), []
    for role in ("neural", "behavior", "labels"):
        source = getattr(options, role)
        if source is None:
            continue
        module = load_format(source.format, role, f"{_WHERE}.{role}")
        found += module.files(path_of(root, row, source.path, f"{role}.path"))
        if role != "labels":
            clock = source.clock
            if clock.times:
                found.append(path_of(root, row, clock.times, f"{role}.clock.times"))
            if clock.sync:
                found += thorsync.files(path_of(root, row, clock.sync, f"{role}.clock.sync"))
    align = options.align
    for key in ("index", "neural_events", "behavior_events"):
        if isinstance(getattr(align, key), str):
            found.append(path_of(root, row, getattr(align, key), f"align.{key}"))
    return list(dict.fromkeys(found))


def read(root: Path, row: SheetRow, options: Options, class_names: tuple[str, ...] | None) -> Recording:
    """The recording of ``row``, its neural array lazy (dask) and checked for finite values as it is computed.

    Raises InputError naming the file: whatever its format refuses, no clock, clocks that do not overlap (by how much),
    missing keypoints (which), labels that fit neither samples nor classes.
    """
    root = Path(root)
    where = str(root / row.path)
    neural, neural_time = _neural(root, row, options)
    behavior, behavior_time = _behavior(root, row, options)
    # Missing values are settled before anything is thrown away, so that what is said of them is of the whole file.
    data, known = missing.settle(
        behavior.data,
        behavior_time,
        behavior.names,
        options.behavior.missing.policy,
        options.behavior.missing.longest_gap,
        where,
    )
    if options.thresholds is None:
        labels, names = _labels(root, row, options, class_names, len(behavior.data), behavior_time)
    else:
        # Of what is known: smoothing over a missing value would leave everything after it unlabelled.
        given = replace(behavior, data=data)
        own, names = _thresholds(options, class_names, given, behavior_time[known])
        labels = np.full(len(behavior.data), UNLABELLED, np.int8)
        labels[known] = own
    kept, frame, time = _aligned(root, row, options, neural_time, behavior_time, where)
    both, in_known, in_kept = np.intersect1d(known, kept, return_indices=True)
    if len(both) < 2:
        raise InputError(f"{where}: no behaviour sample that is known lies in a neural frame")
    rates = [
        _own_rate(given.clock) or source.rate or 1 / float(np.median(np.diff(clock)))
        for given, source, clock in (
            (options.neural, neural, neural_time),
            (options.behavior, behavior, behavior_time),
        )
    ]
    return Recording(
        animal=row.animal,
        trial=row.trial,
        neural=neural.data,
        neural_time=neural_time,
        behavior=np.ascontiguousarray(data[in_known], np.float32),
        behavior_time=time[in_kept],
        labels=labels[both],
        neural_index=frame[in_kept],
        class_names=names,
        behavior_names=behavior.names,
        neural_rate=rates[0],
        behavior_rate=rates[1],
        units={"neural": neural.unit, "behavior": behavior.unit, "time": "s"},
    )


def _own_rate(clock: ClockOptions) -> float | None:
    """The configured rate of frames or samples; beside ``sync`` it is that of its ticks."""
    return None if clock.sync is not None else clock.rate


def _neural(root: Path, row: SheetRow, options: Options) -> tuple[Neural, np.ndarray]:
    source = options.neural
    module = load_format(source.format, "neural", f"{_WHERE}.neural")
    path = path_of(root, row, source.path, "neural.path")
    found = module.neural(path, module.Options.parse(source.options, f"{_WHERE}.neural.options"))
    if 0 in found.data.shape:
        raise InputError(f"{path}: neural activity of shape {found.data.shape}, expected frames of something")
    time = _time(root, row, source.clock, found, found.data.shape[0], path, "neural")
    if source.missing.policy == "refuse":
        return replace(found, data=_finite(found.data, path)), time
    # Traces are small; a movie with holes is no movie.
    if found.data.ndim != 2:
        raise InputError(
            f"{_WHERE}.neural.missing.policy: {source.missing.policy}, expected refuse for images"
        )
    values = np.asarray(found.data, np.float32)
    units = found.names or tuple(f"unit {at}" for at in range(values.shape[1]))
    values, known = missing.settle(
        values, time, units, source.missing.policy, source.missing.longest_gap, str(path)
    )
    return replace(found, data=arrays.lazy(values)), time[known]


def _behavior(root: Path, row: SheetRow, options: Options) -> tuple[Behavior, np.ndarray]:
    source = options.behavior
    module = load_format(source.format, "behavior", f"{_WHERE}.behavior")
    path = path_of(root, row, source.path, "behavior.path")
    found = module.behavior(path, module.Options.parse(source.options, f"{_WHERE}.behavior.options"))
    if 0 in found.data.shape:
        raise InputError(f"{path}: behaviour of shape {found.data.shape}, expected samples of something")
    return found, _time(root, row, source.clock, found, len(found.data), path, "behavior")


def _time(
    root: Path, row: SheetRow, clock: ClockOptions, source: Any, count: int, path: Path, role: str
) -> np.ndarray:
    """(count,) s: times of the configured clock, else of the file."""
    key = f"configuration {_WHERE}.{role}.clock"
    if clock.sync is not None:
        if clock.line is None:
            raise InputError(f"{key}.line: missing key, expected a line of {clock.sync}")
        file = path_of(root, row, clock.sync, f"{role}.clock.sync")
        time = thorsync.edge_times(file, clock.line, clock.rate, clock.every)
        if len(time) < count:
            raise InputError(
                f"{file}: line {clock.line!r} has {len(time)} edges, expected {count}, one for each of {path}"
            )
        # Cameras and scanners may go on after the last frame that was saved.
        return time[:count]
    if clock.times is not None:
        file = path_of(root, row, clock.times, f"{role}.clock.times")
        time = arrays.read_vector(file, clock.column) * clock.seconds
        if len(time) != count:
            raise InputError(f"{file}: {len(time)} times, expected {count}, one for each of {path}")
        return time
    if clock.rate is not None:
        return clock.start + np.arange(count) / clock.rate
    if source.time is not None:
        if len(source.time) != count:
            raise InputError(f"{path}: {len(source.time)} times, expected {count}")
        return np.asarray(source.time, np.float64)
    if source.rate is None:
        raise InputError(f"{path}: has no clock; expected {key}.rate, times or sync")
    return clock.start + np.arange(count) / source.rate


def _aligned(
    root: Path, row: SheetRow, options: Options, neural: np.ndarray, behavior: np.ndarray, where: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Kept samples, their frames, their times on the neural clock."""
    align = options.align
    if align.by == "frame_index":
        if align.index is None:
            raise InputError(
                f"configuration {_WHERE}.align.index: missing key, expected a file of frame numbers"
            )
        file = path_of(root, row, align.index, "align.index")
        return alignment.by_index(neural, behavior, arrays.read_vector(file, align.column), str(file))
    if align.by == "trigger":
        events = []
        for key in ("neural_events", "behavior_events"):
            given = getattr(align, key)
            if given is None:
                raise InputError(
                    f"configuration {_WHERE}.align.{key}: missing key, expected seconds or a file of times"
                )
            path = path_of(root, row, given, f"align.{key}") if isinstance(given, str) else None
            events.append(np.asarray(given, np.float64) if path is None else arrays.read_vector(path))
        offset, drift = alignment.by_events(*events, where, align.tolerance)
        behavior = behavior * drift + offset
    behavior = behavior + align.offset
    kept, frame = alignment.by_time(neural, behavior, where)
    return kept, frame, behavior[kept]


def _labels(
    root: Path,
    row: SheetRow,
    options: Options,
    class_names: tuple[str, ...] | None,
    count: int,
    time: np.ndarray,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """(count,) int8 for every sample of the behaviour file, from a file of labels, and the classes."""
    if options.labels is None:
        return np.full(count, UNLABELLED, np.int8), class_names or ("unlabelled",)
    source = options.labels
    module = load_format(source.format, "labels", f"{_WHERE}.labels")
    path = path_of(root, row, source.path, "labels.path")
    parsed: FormatOptions = module.Options.parse(source.options, f"{_WHERE}.labels.options")
    found: Labels = module.labels(path, parsed, class_names)
    out = np.full(count, UNLABELLED, np.int8)
    if found.intervals is not None:
        for (start, stop), number in zip(found.intervals, found.numbers, strict=True):
            out[(time >= start) & (time < stop)] = number
        return out, found.names
    if len(found.numbers) > count:
        raise InputError(
            f"{path}: {len(found.numbers)} labels, expected at most {count}, one a behaviour sample"
        )
    if not (found.numbers != UNLABELLED).any():
        raise InputError(f"{path}: every frame is unlabelled")
    # Annotations may end before the video does, never after.
    out[: len(found.numbers)] = found.numbers
    return out, found.names


def _thresholds(
    asked: Options, class_names: tuple[str, ...] | None, behavior: Behavior, time: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    """(sample,) int8 of the behaviour itself, and the classes."""
    options = asked.thresholds
    if options is None or asked.labels is not None:
        raise InputError(f"configuration {_WHERE}: labels and thresholds, expected one of them")
    values = thresholds.measured(options.of, behavior.data, behavior.names, time, options.smooth_seconds)
    if values is None:
        raise InputError(
            f"configuration {_WHERE}.thresholds.of: {options.of!r}, expected speed or one of "
            f"{', '.join(behavior.names)}"
        )
    names = class_names or tuple(f"level_{at}" for at in range(len(options.cuts) + 1))
    if len(names) != len(options.cuts) + 1:
        raise InputError(
            f"configuration convert.class_names: {len(names)} names, expected {len(options.cuts) + 1} for "
            f"{len(options.cuts)} cuts"
        )
    return thresholds.classes(values, options.cuts), names


def _finite(data: Any, path: Path) -> da.Array:
    """The lazy array as float32; InputError with the frame, when it is computed, for NaN or infinity."""
    data = arrays.lazy(data)

    def check(block: np.ndarray, block_info: Any = None) -> np.ndarray:
        block = np.asarray(block, np.float32)
        good = np.isfinite(block.reshape(len(block), -1)).all(1)
        if not good.all():
            first = block_info[0]["array-location"][0][0] if block_info else 0
            raise InputError(
                f"{path}: NaN or infinity in neural frame {first + int(np.argmin(good))}, expected finite values"
                + ("; neural.missing.policy fills or drops them" if block.ndim == 2 else "")
            )
        return block

    return data.map_blocks(check, dtype=np.float32, meta=np.empty((0,) * data.ndim, np.float32))


def path_of(root: Path, row: SheetRow, pattern: str | None, key: str) -> Path:
    """The one file or folder that a pattern means for ``row``."""
    if pattern is None:
        return root / row.path
    filled = pattern
    trial = row.trial if row.start is None else re.sub(r"_part\d+$", "", row.trial)
    for name, value in (("path", row.path), ("animal", row.animal), ("trial", trial)):
        filled = filled.replace("{" + name + "}", glob.escape(value))
    found = patterns.below(root, filled, f"{_WHERE}.{key}")
    if len(found) != 1:
        names = f" ({', '.join(path.name for path in found[:4])})" if found else ""
        raise InputError(
            f"{root / row.path}: {len(found)} files match {_WHERE}.{key} {filled!r}{names}, expected one"
        )
    return found[0]


def _searched(paths: list[Path], pattern: str | None) -> list[Any]:
    """The groups of ``pattern`` in each path; None without a pattern, or where it does not match."""
    if pattern is None:
        return [None] * len(paths)
    return patterns.search_all(pattern, [path.as_posix() for path in paths], f"{_WHERE}.names")


def names(path: Path, pattern: str | None, found: dict[str, str | None] | None = None) -> tuple[str, str]:
    """Animal and trial of a path: groups ``found`` of ``pattern``, else folder and name.

    Characters that a name may not have are made underscores.
    """
    if pattern is None:
        parts = [*path.parts[:-1], path.stem if path.suffix.lower() in _SUFFIXES else path.name]
        animal, trial = ("_".join(parts[:-1]), parts[-1]) if len(parts) > 1 else (parts[0], "1")
    else:
        groups = found or _searched([path], pattern)[0] or {}
        animal, trial = groups.get("animal"), groups.get("trial")
        if animal is None or trial is None:
            raise InputError(
                f"{path}: does not match {_WHERE}.names {pattern!r} with groups animal and trial"
            )
    return safe(animal), safe(trial)


def safe(name: str) -> str:
    """The name with every run of characters that a name may not have as one underscore."""
    return _UNSAFE.sub("_", name)


def pieces(root: Path, row: SheetRow, options: Options) -> list[SheetRow]:
    """Whole pieces of what both clocks cover, ``gap`` seconds apart; what is left at the end is not used.

    A piece with less than half of the frames that its length asks for, as in a gap of the recording, is left out
    (our choice). Raises InputError as ``read``, and if there is no piece.
    """
    recording = read(root, row, options.model_copy(update={"labels": None, "thresholds": None}), None)
    cut, neural, behavior = options.cut, recording.neural_time, recording.behavior_time
    start, stop = max(neural[0], behavior[0]), min(neural[-1], behavior[-1])
    each = cut.seconds + cut.gap
    starts = [float(start + at * each) for at in range(int((stop - start + cut.gap) // each))]
    half = 0.5 * cut.seconds / float(np.median(np.diff(neural)))
    frames = [np.diff(np.searchsorted(neural, (at, at + cut.seconds)))[0] for at in starts]
    starts = [at for at, count in zip(starts, frames, strict=True) if count >= half]
    if not starts:
        raise InputError(
            f"{root / row.path}: {stop - start:.1f} s, expected at least {_WHERE}.cut.seconds = {cut.seconds:g} "
            "without a gap"
        )
    return [
        SheetRow(
            row.animal, f"{row.trial}_part{at:02d}", row.path, round(first, 6), round(first + cut.seconds, 6)
        )
        for at, first in enumerate(starts)
    ]
