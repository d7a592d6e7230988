"""Reader of a neural file and a behaviour file of any two formats (``recordings/formats/``), aligned.

The samples table lists the recordings; ``neural.path``, ``behavior.path`` and ``labels.path`` say where their files
are, as patterns below the raw folder in which ``{path}``, ``{animal}`` and ``{trial}`` stand for the row of the table.
Where a pattern is left out, the recording is itself the file. config/README.md explains every option.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from neural_action.errors import InputError
from neural_action.recordings import alignment, missing, patterns, thresholds
from neural_action.recordings.actions import samples_of
from neural_action.recordings.clocks import Clock, ClockOptions, clock_of
from neural_action.recordings.finite import finite
from neural_action.recordings.formats import (
    Behavior,
    FormatOptions,
    Labels,
    Neural,
    arrays,
    load_format,
    thorsync,
)
from neural_action.recordings.missing import MissingOptions
from neural_action.recordings.naming import named, safe
from neural_action.recordings.readers import ReaderOptions, hidden
from neural_action.recordings.recording import UNLABELLED, Recording
from neural_action.recordings.samples import SampleRow
from neural_action.recordings.streams import Stream
from neural_action.recordings.thresholds import ThresholdOptions
from neural_action.recordings.units import EPOCH, check_seconds

#: What ``neural-action init`` writes.
CONFIGURATION = None
EXPECTED = "recordings that match convert.reader_options.recordings"
_WHERE = "convert.reader_options"


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
        names: regular expression on that path with groups ``animal`` and ``trial``; null: as ``recordings/naming.py``
            has it: ``sub-`` in the path, else folder and file name, dates being of the trial.
        neural, behavior: what is read.
        labels: actions from a file; or
        thresholds: from the behaviour itself; neither: everything is unlabelled.
        align: how the two clocks get one zero.
        cut: trials from long recordings, when the samples table is written.
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
    """Every path that matches ``recordings``; with ``cut``, a row for each piece that both clocks cover."""
    below = [
        path.relative_to(folder)
        for path in patterns.below(folder, options.recordings, f"{_WHERE}.recordings")
        if not hidden(path, folder)
    ]
    if options.names is None:
        found = named([PurePosixPath(path.as_posix()) for path in below], [None] * len(below))
        who = [(one.animal, one.trial) for one in found]
    else:
        who = names(below, options.names)
    rows = [SampleRow(*one, path.as_posix()) for one, path in zip(who, below, strict=True)]
    return [piece for row in rows for piece in pieces(folder, row, options)]


def files(root: Path, row: SampleRow, options: Options) -> list[Path]:
    """The raw files of a recording: neural, behaviour, labels, clocks and events."""
    root, found = Path(root), []
    for role in ("neural", "behavior", "labels"):
        source = getattr(options, role)
        if source is None:
            continue
        module = load_format(source.format, role, f"{_WHERE}.{role}")
        path = path_of(root, row, source.path, f"{role}.path")
        pattern = source.options.get("pattern")
        found += module.files(path) if pattern is None else module.files(path, pattern)
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
    """The recording of ``row``, its neural array lazy (dask) and checked for finite values as it is computed.

    Raises InputError naming the file: whatever its format refuses, no clock, clocks that do not overlap (by how much),
    missing keypoints (which), labels that fit neither samples nor classes.
    """
    root = Path(root)
    where = str(root / row.path)
    neural, clock = _neural(root, row, options)
    behavior, behavior_clock = _behavior(root, row, options)
    neural_time, behavior_time = clock.time, behavior_clock.time
    check_seconds(neural_time, behavior_time, (clock.read, behavior_clock.read), where)
    # Missing values are settled before anything is thrown away, so that what is said of them is of the whole file.
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
        # Of what is known: smoothing over a missing value would leave everything after it unlabelled.
        given = replace(behavior, data=data)
        own, names = _thresholds(options, class_names, given, behavior_time[known])
        labels = np.full(len(behavior.data), UNLABELLED, np.int8)
        labels[known] = own
        said = f"thresholds on {options.thresholds.of}"
    kept, frame, time, how = _aligned(root, row, options, neural_time, behavior_time, where)
    both, in_known, in_kept = np.intersect1d(known, kept, return_indices=True)
    if len(both) < 2:
        raise InputError(f"{where}: no behaviour sample that is known lies in a neural frame")
    rates = [
        given.clock.own_rate or source.rate or 1 / float(np.median(np.diff(clock)))
        for given, source, clock in (
            (options.neural, neural, neural_time),
            (options.behavior, behavior, behavior_time),
        )
    ]
    origin = float(np.floor(neural_time[0])) if neural_time[0] > EPOCH else 0.0
    since = f"; zero is {origin:.0f} s since 1970" if origin else ""
    left = (
        f"; {len(known)} of {len(behavior.data)} samples are complete"
        if len(known) < len(behavior.data)
        else ""
    )
    streams = [
        Stream.of("neural", neural_time - origin, clock.how + since),
        Stream.of("behavior", time - origin, f"{behavior_clock.how}; {how}{left}"),
    ]
    labelled = np.flatnonzero(labels != UNLABELLED)
    if len(labelled):
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
        neural_source=neural.source,
        streams=tuple(streams),
    )


def _neural(root: Path, row: SampleRow, options: Options) -> tuple[Neural, Clock]:
    source = options.neural
    module = load_format(source.format, "neural", f"{_WHERE}.neural")
    path = path_of(root, row, source.path, "neural.path")
    found = module.neural(path, module.Options.parse(source.options, f"{_WHERE}.neural.options"))
    if 0 in found.data.shape:
        raise InputError(f"{path}: neural activity of shape {found.data.shape}, expected frames of something")
    clock = clock_of(source.clock, found, found.data.shape[0], path, "neural", partial(path_of, root, row))
    clock = replace(clock, how=f"{path.relative_to(root)}, {found.unit}; {clock.how}")
    found, time = replace(found, data=found.data[: len(clock.time)]), clock.time
    if source.missing.policy == "refuse":
        return replace(found, data=finite(found.data, path, found.names)), clock
    # Traces are small; a movie with holes is no movie.
    if found.data.ndim != 2:
        raise InputError(
            f"{_WHERE}.neural.missing.policy: {source.missing.policy}, expected refuse for images"
        )
    values = np.array(found.data, np.float32)
    units = found.names or tuple(f"unit {at}" for at in range(values.shape[1]))
    # A unit without any value says nothing of any frame: it becomes constant, and check names it.
    values[:, ~np.isfinite(values).any(0)] = 0
    values, known = missing.impute(
        values, time, units, source.missing.policy, source.missing.longest_gap, str(path)
    )
    return replace(found, data=arrays.lazy(values)), replace(clock, time=time[known])


def _behavior(root: Path, row: SampleRow, options: Options) -> tuple[Behavior, Clock]:
    source = options.behavior
    module = load_format(source.format, "behavior", f"{_WHERE}.behavior")
    path = path_of(root, row, source.path, "behavior.path")
    found = module.behavior(path, module.Options.parse(source.options, f"{_WHERE}.behavior.options"))
    if 0 in found.data.shape:
        raise InputError(f"{path}: behaviour of shape {found.data.shape}, expected samples of something")
    clock = clock_of(source.clock, found, len(found.data), path, "behavior", partial(path_of, root, row))
    clock = replace(clock, how=f"{path.relative_to(root)}, {found.unit}; {clock.how}")
    count = len(clock.time)
    # Labels of frames need the number of every sample.
    frames = np.arange(len(found.data)) if found.frames is None else found.frames
    return replace(found, data=found.data[:count], frames=frames[:count]), clock


def _aligned(
    root: Path, row: SampleRow, options: Options, neural: np.ndarray, behavior: np.ndarray, where: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, str]:
    """Kept samples, their frames, the times of all samples on the neural clock, and how they were found."""
    align = options.align
    if align.by == "frame_index":
        if align.index is None:
            raise InputError(
                f"configuration {_WHERE}.align.index: missing key, expected a file of frame numbers"
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
        how = "aligned by its times"
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
    """(sample,) int8 for every sample of the behaviour file, from a file of labels; the classes; what says when."""
    if options.labels is None:
        return np.full(len(time), UNLABELLED, np.int8), class_names or ("unlabelled",), ""
    source = options.labels
    module = load_format(source.format, "labels", f"{_WHERE}.labels")
    path = path_of(root, row, source.path, "labels.path")
    parsed: FormatOptions = module.Options.parse(source.options, f"{_WHERE}.labels.options")
    found: Labels = module.labels(path, parsed, class_names)
    frames = np.arange(len(time)) if behavior.frames is None else behavior.frames
    said = f"{path.relative_to(root)}; {found.said}"
    return samples_of(found, frames, time, path), found.names, said


def _thresholds(
    asked: Options, class_names: tuple[str, ...] | None, behavior: Behavior, time: np.ndarray
) -> tuple[np.ndarray, tuple[str, ...]]:
    """(sample,) int8 of the behaviour itself, and the classes."""
    options = asked.thresholds
    if options is None or asked.labels is not None:
        raise InputError(f"configuration {_WHERE}: labels and thresholds, expected one of them")
    return thresholds.labelled(
        behavior.data, behavior.names, time, options.of, options.cuts, options.smooth_seconds, class_names
    )


def path_of(root: Path, row: SampleRow, pattern: str | None, key: str) -> Path:
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


def names(paths: Sequence[Path], pattern: str) -> list[tuple[str, str]]:
    """Animal and trial of each path: groups of the regular expression, other characters made underscores."""
    out = []
    searched = patterns.search_all(pattern, [path.as_posix() for path in paths], f"{_WHERE}.names")
    for path, groups in zip(paths, searched, strict=True):
        animal, trial = ((groups or {}).get(key) for key in ("animal", "trial"))
        if animal is None or trial is None:
            raise InputError(
                f"{path}: does not match {_WHERE}.names {pattern!r} with groups animal and trial"
            )
        out.append((safe(animal), safe(trial)))
    return out


def pieces(root: Path, row: SampleRow, options: Options) -> list[SampleRow]:
    """Whole pieces of what both clocks cover, ``gap`` seconds apart; what is left at the end is not used.

    A piece with less than half of the frames that its length asks for, as in a gap of the recording, is left out
    (our choice). Without ``cut`` the row as it is. Raises InputError as ``read``, and if there is no piece.
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
            f"{root / row.path}: {stop - start:.1f} s, expected at least {_WHERE}.cut.seconds = {cut.seconds:g} "
            "without a gap"
        )
    return [
        SampleRow(
            row.animal, f"{row.trial}_part{at:02d}", row.path, round(since, 6), round(since + cut.seconds, 6)
        )
        for at, since in enumerate(starts)
    ]
