"""Reader of a neural file and a behaviour file of any two formats (``recordings/formats/``), which it aligns.

The samples table lists the recordings. ``neural.path``, ``behavior.path`` and ``labels.path`` are patterns of their
files, relative to the raw folder; ``{path}``, ``{animal}`` and ``{trial}`` are replaced by the values of the row.
Without a pattern, the recording itself is the file. config/README.md explains every option.
"""

from __future__ import annotations

import glob
import re
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from neural_action.errors import InputError
from neural_action.recordings import alignment, missing, patterns, thresholds
from neural_action.recordings.actions import outside, samples_of
from neural_action.recordings.clocks import Clock, ClockOptions, clock_of
from neural_action.recordings.finite import finite
from neural_action.recordings.formats import (
    Behavior,
    Labels,
    Neural,
    arrays,
    files_of,
    load_format,
    thorsync,
)
from neural_action.recordings.missing import MissingOptions
from neural_action.recordings.naming import by_pattern, named
from neural_action.recordings.readers import ReaderOptions, hidden
from neural_action.recordings.recording import UNLABELLED, Recording
from neural_action.recordings.samples import SampleRow
from neural_action.recordings.streams import Stream, origin, rate_of
from neural_action.recordings.thresholds import ThresholdOptions
from neural_action.recordings.units import EPOCH, check_seconds

#: None: ``neural-action init`` writes the configuration.
CONFIGURATION = None
EXPECTED = "recordings that match convert.reader_options.recordings"
_WHERE = "convert.reader_options"


class SourceOptions(ReaderOptions):
    """A file in some format, its clock, and how missing values are treated."""

    format: str
    path: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    clock: ClockOptions = ClockOptions()
    missing: MissingOptions = MissingOptions()


class LabelOptions(ReaderOptions):
    """A file of action labels."""

    format: str
    path: str | None = None
    options: dict[str, Any] = Field(default_factory=dict)


class AlignOptions(ReaderOptions):
    """How the clocks are aligned: by ``timestamps``, by a file ``index`` of neural frames, or by a ``trigger``, events
    on both clocks (times in s, or files of times). ``offset`` (s) is added to behaviour times, except for an index."""

    by: Literal["timestamps", "frame_index", "trigger"] = "timestamps"
    offset: float = 0.0
    index: str | None = None
    column: str | None = None
    neural_events: list[float] | str | None = None
    behavior_events: list[float] | str | None = None
    tolerance: Annotated[float, Field(gt=0)] = 0.05


class CutOptions(ReaderOptions):
    """Cut a long recording into trials of ``seconds``, leaving out ``gap`` seconds between them."""

    seconds: Annotated[float, Field(gt=0)]
    gap: Annotated[float, Field(ge=0)] = 2.0


class Options(ReaderOptions):
    """Options of this reader.

    Attributes:
        recordings: pattern of recordings (files or folders), relative to the raw folder.
        names: regular expression with groups ``animal`` and ``trial``, searched in a recording's path; null: names
            come from ``sub-`` in the path, else from folder and file name (``recordings/naming.py``).
        neural, behavior: the two sources.
        labels: file of actions.
        thresholds: actions from thresholds on the behaviour, instead of ``labels``; without both, no labels.
        align: how the two clocks are aligned.
        cut: how long recordings are cut into trials, when the samples table is written.
    """

    recordings: str = "*"
    names: str | None = None
    neural: SourceOptions
    behavior: SourceOptions
    labels: LabelOptions | None = None
    thresholds: ThresholdOptions | None = None
    align: AlignOptions = AlignOptions()
    cut: CutOptions | None = None


def scan(folder: Path, options: Options) -> list[SampleRow]:
    """One row for each path that matches ``recordings``; with ``cut``, for each piece that both clocks cover."""
    below = [
        path.relative_to(folder)
        for path in patterns.below(folder, options.recordings, f"{_WHERE}.recordings")
        if not hidden(path, folder)
    ]
    if options.names is None:
        found = named([PurePosixPath(path.as_posix()) for path in below], [None] * len(below))
        who = [(one.animal, one.trial) for one in found]
    else:
        who = by_pattern(below, options.names, f"{_WHERE}.names")
    rows = [SampleRow(*one, path.as_posix()) for one, path in zip(who, below, strict=True)]
    return [piece for row in rows for piece in pieces(folder, row, options)]


def files(root: Path, row: SampleRow, options: Options) -> list[Path]:
    """The raw files of a recording: neural, behaviour, labels, clocks and events."""
    root, found = Path(root), []
    for role in ("neural", "behavior", "labels"):
        source = getattr(options, role)
        if source is None:
            continue
        load_format(source.format, role, f"{_WHERE}.{role}")
        path = path_of(root, row, source.path, f"{role}.path")
        found += files_of(source.format, path, source.options.get("pattern"))
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


def read(root: Path, row: SampleRow, options: Options, class_names: tuple[str, ...] | None) -> Recording:
    """The recording of ``row``; its neural array is lazy (dask) and checked for finite values when computed.

    InputError naming the file if its format refuses it, it has no clock, the clocks do not overlap (with the gap),
    keypoints are missing (with their names), or labels do not fit the samples or the classes.
    """
    root = Path(root)
    where = str(root / row.path)
    neural, clock = _neural(root, row, options)
    behavior, behavior_clock = _behavior(root, row, options)
    neural_time, behavior_time = clock.time, behavior_clock.time
    check_seconds(neural_time, behavior_time, (clock.read, behavior_clock.read), where)
    # Missing values are treated before samples are dropped, so that messages refer to the whole file.
    data, known = missing.impute(
        behavior.data,
        behavior_time,
        behavior.names,
        options.behavior.missing.policy,
        options.behavior.missing.longest_gap,
        where,
    )
    if options.thresholds is None:
        labels, names, said = _labels(root, row, options, class_names, behavior, behavior_time)
    else:
        # Only known samples: smoothing over a missing value would leave all later samples unlabelled.
        own, names = _thresholds(options, class_names, replace(behavior, data=data), behavior_time[known])
        labels = np.full(len(behavior.data), UNLABELLED, np.int16)
        labels[known] = own
        said = thresholds.described(options.thresholds, behavior.names)
    kept, frame, time, how = _aligned(root, row, options, neural_time, behavior_time, where)
    both, in_known, in_kept = np.intersect1d(known, kept, return_indices=True)
    if len(both) < 2:
        raise InputError(
            f"{where}: {len(both)} behaviour samples without missing values lie in neural frames, expected at least 2"
        )
    rates = [
        given.clock.own_rate or source.rate or rate_of(clock)
        for given, source, clock in (
            (options.neural, neural, neural_time),
            (options.behavior, behavior, behavior_time),
        )
    ]
    origin = float(np.floor(neural_time[0])) if neural_time[0] > EPOCH else 0.0
    since = f"; zero is Unix time {origin:.0f} s" if origin else ""
    left = (
        f"; {len(known)} of {len(behavior.data)} samples are complete"
        if len(known) < len(behavior.data)
        else ""
    )
    streams = [
        Stream.of("neural", neural_time - origin, clock.how + since),
        Stream.of("behavior", time - origin, f"{behavior_clock.how}; {how}{left}"),
    ]
    if (labelled := labels != UNLABELLED).any():
        streams.append(Stream.of("labels", time[labelled] - origin, said))
    return Recording(
        animal=row.animal,
        trial=row.trial,
        neural=neural.data,
        neural_time=neural_time - origin,
        behavior=np.ascontiguousarray(data[in_known], np.float32),
        behavior_time=time[kept][in_kept] - origin,
        labels=labels[both],
        neural_index=frame[in_kept],
        class_names=names,
        behavior_names=behavior.names,
        neural_rate=rates[0],
        behavior_rate=rates[1],
        units={"neural": neural.unit, "behavior": behavior.unit, "time": "s"},
        neural_names=neural.names,
        streams=tuple(streams),
    )


def read_source(root: Path, row: SampleRow, options: Options, role: str, *more: Any) -> tuple[Path, Any]:
    """The file of ``neural``, ``behavior`` or ``labels``, and what its format reads from it, given ``more``."""
    source: SourceOptions | LabelOptions = getattr(options, role)
    module = load_format(source.format, role, f"{_WHERE}.{role}")
    path = path_of(root, row, source.path, f"{role}.path")
    parsed = module.Options.parse(source.options, f"{_WHERE}.{role}.options")
    return path, getattr(module, role)(path, parsed, *more)


def _clocked(root: Path, row: SampleRow, options: Options, role: str) -> tuple[Path, Any, Clock]:
    """As ``read_source``, with the clock. InputError also if the array is empty or there is no clock."""
    path, found = read_source(root, row, options, role)
    if 0 in found.data.shape:
        what = "neural activity" if role == "neural" else "behaviour"
        raise InputError(f"{path}: {what} has shape {found.data.shape}, expected no empty dimension")
    given = getattr(options, role).clock
    clock = clock_of(given, found, found.data.shape[0], path, role, partial(path_of, root, row))
    how = f"{origin(path.relative_to(root), found.source, found.unit)}; {clock.how}"
    return path, found, replace(clock, how=how)


def _neural(root: Path, row: SampleRow, options: Options) -> tuple[Neural, Clock]:
    source = options.neural
    path, found, clock = _clocked(root, row, options, "neural")
    found, time = replace(found, data=found.data[: len(clock.time)]), clock.time
    if source.missing.policy == "refuse":
        return replace(found, data=finite(found.data, path, found.names)), clock
    # Missing values are imputed only in traces, which fit in memory.
    if found.data.ndim != 2:
        raise InputError(
            f"{_WHERE}.neural.missing.policy: {source.missing.policy}, expected refuse for images"
        )
    values = np.array(found.data, np.float32)
    units = found.names or tuple(f"unit {at}" for at in range(values.shape[1]))
    # A unit without any value becomes constant; neural-action check lists it.
    values[:, ~np.isfinite(values).any(0)] = 0
    values, known = missing.impute(
        values, time, units, source.missing.policy, source.missing.longest_gap, str(path)
    )
    return replace(found, data=arrays.lazy(values)), replace(clock, time=time[known])


def _behavior(root: Path, row: SampleRow, options: Options) -> tuple[Behavior, Clock]:
    _, found, clock = _clocked(root, row, options, "behavior")
    count = len(clock.time)
    # Labels by frame need the frame number of every sample.
    frames = np.arange(len(found.data)) if found.frames is None else found.frames
    return replace(found, data=found.data[:count], frames=frames[:count]), clock


def _aligned(
    root: Path, row: SampleRow, options: Options, neural: np.ndarray, behavior: np.ndarray, where: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Indices of the samples in a neural frame, their frames, all samples' times on the neural clock (s), and how."""
    align = options.align
    if align.by == "frame_index":
        if align.index is None:
            raise InputError(
                f"configuration {_WHERE}.align.index: missing key, expected a file of neural frame numbers"
            )
        file = path_of(root, row, align.index, "align.index")
        index = arrays.read_vector(file, align.column)
        kept, frame, time = alignment.by_index(neural, behavior, index, str(file))
        offset = float(time[0] - behavior[kept[0]])
        return kept, frame, behavior + offset, f"aligned by the frame index of {file.name} ({offset:+.3f} s)"
    if align.by == "trigger":
        events: list[np.ndarray] = []
        for key in ("neural_events", "behavior_events"):
            given = getattr(align, key)
            if given is None:
                raise InputError(
                    f"configuration {_WHERE}.align.{key}: missing key, expected seconds or a file of times"
                )
            path = path_of(root, row, given, f"align.{key}") if isinstance(given, str) else None
            events.append(np.asarray(given, np.float64) if path is None else arrays.read_vector(path))
        offset, drift = alignment.by_events(events[0], events[1], where, align.tolerance)
        behavior = behavior * drift + offset
        how = f"aligned by {len(events[0])} common events ({offset:+.3f} s, drift {round(1e6 * (drift - 1)):+d} ppm)"
    else:
        how = "aligned by time stamps"
    if align.offset:
        behavior, how = behavior + align.offset, f"{how}, {align.offset:+g} s as given"
    kept, frame = alignment.by_time(neural, behavior, where)
    return kept, frame, behavior, how


def _labels(
    root: Path,
    row: SampleRow,
    options: Options,
    class_names: tuple[str, ...] | None,
    behavior: Behavior,
    time: np.ndarray,
) -> tuple[np.ndarray, tuple[str, ...], str]:
    """Labels from a file: (sample,) int16 for every sample of the behaviour file, class names, and their source."""
    if options.labels is None:
        return np.full(len(time), UNLABELLED, np.int16), class_names or ("unlabelled",), ""
    found: Labels
    path, found = read_source(root, row, options, "labels", class_names)
    frames = np.arange(len(time)) if behavior.frames is None else behavior.frames
    numbers = samples_of(found, frames, time, path)
    said = f"{found.said}{outside(found, frames, time)}"
    return numbers, found.names, f"{origin(path.relative_to(root), found.source)}; {said}"


def _thresholds(
    asked: Options, class_names: tuple[str, ...] | None, behavior: Behavior, time: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Labels from thresholds on the behaviour: (sample,) int16 and class names. InputError if there is a label file."""
    options = asked.thresholds
    if options is None or asked.labels is not None:
        raise InputError(f"configuration {_WHERE}: both labels and thresholds are set, expected one of them")
    return thresholds.labelled(
        behavior.data, behavior.names, time, options.of, options.cuts, options.smooth_seconds, class_names
    )


def path_of(root: Path, row: SampleRow, pattern: str | None, key: str) -> Path:
    """The file or folder that ``pattern`` matches for ``row``. InputError unless there is exactly one."""
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


def pieces(root: Path, row: SampleRow, options: Options) -> list[SampleRow]:
    """Rows of the pieces of ``row``: whole pieces of the time that both clocks cover, ``gap`` seconds apart.

    A piece with fewer than half of its nominal frames, for example because of a gap, is left out (our choice). Without
    ``cut``, returns ``row`` only. InputError as ``read``, and if there is no piece.
    """
    cut = options.cut
    if cut is None:
        return [row]
    recording = read(root, row, options.model_copy(update={"labels": None, "thresholds": None}), None)
    neural, behavior = recording.neural_time, recording.behavior_time
    start, stop = max(neural[0], behavior[0]), min(neural[-1], behavior[-1])
    each = cut.seconds + cut.gap
    starts = [float(start + at * each) for at in range(int((stop - start + cut.gap) // each))]
    half = 0.5 * cut.seconds / float(np.median(np.diff(neural)))
    first, last = np.searchsorted(neural, starts), np.searchsorted(neural, np.add(starts, cut.seconds))
    starts = [at for at, count in zip(starts, last - first, strict=True) if count >= half]
    if not starts:
        raise InputError(
            f"{root / row.path}: both clocks cover {stop - start:.1f} s, expected at least {cut.seconds:g} s "
            f"({_WHERE}.cut.seconds) without a gap"
        )
    return [
        SampleRow(
            row.animal, f"{row.trial}_part{at:02d}", row.path, round(since, 6), round(since + cut.seconds, 6)
        )
        for at, since in enumerate(starts)
    ]
