"""Reader of freely moving worms with whole-brain calcium imaging (HDF5 of the Flavell lab; Dag et al., Cell 2023).

``<worm>-data.h5`` holds traces of neurons, which differ between worms, and posture and movement at the same frames.
Each worm is one recording of some minutes. Trials are contiguous blocks of it, cut when the samples table is
written.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from neural_action.errors import InputError
from neural_action.recordings import missing
from neural_action.recordings.hdf5 import opened, read_numbers
from neural_action.recordings.missing import MissingOptions
from neural_action.recordings.neuron_ids import read_unit_names
from neural_action.recordings.readers import ReaderOptions, renamed, search
from neural_action.recordings.recording import UNLABELLED, Recording
from neural_action.recordings.samples import SampleRow
from neural_action.recordings.streams import Stream
from neural_action.recordings.worm_clock import Clock, blocks, worm_clock

EXPECTED = "files <worm>-data.h5"
#: Name of its configuration, config/worms.yaml.
CONFIGURATION = "worms"
#: The file does not say which side of the body a positive head angle is.
CLASS_NAMES = ("reversal", "pause", "forward_head_positive", "forward_head_negative")
JOINTS = 30
_SUFFIX = "-data.h5"
_TRACES = {
    "zscored": ("trace_array", "z-scored fluorescence"),
    "f_over_f20": ("traces_array_F_F20", "F over its 20th percentile"),
    "original": ("trace_array_original", "raw fluorescence, bleaching corrected"),
}
_UNITS = {
    "posture": "rad",
    "velocity": "mm/s",
    "head_angle": "rad",
    "angular_velocity": "rad/s",
    "worm_curvature": "rad",
    "nose_curling": "ratio",
    "pumping": "1/s",
}
#: Variables from which the classes are computed.
_CLASSIFIED = ("reversal_vec", "velocity", "head_angle")

Feature = Literal[
    "posture", "velocity", "head_angle", "angular_velocity", "worm_curvature", "nose_curling", "pumping"
]


class Options(ReaderOptions):
    """Options of this reader.

    Attributes:
        traces: ``zscored`` over the whole recording, as stored; ``f_over_f20``, F over its 20th percentile; or
            ``original``, raw.
        behavior: features, in this order; ``posture`` is 30 joint angles along the body.
        exclude: names of worms to leave out.
        blocks: trials of each worm, each within one continuous part; if there are more parts, one trial for each part.
        gap_seconds: time left out between blocks of one part, s, because neighbouring ends are correlated.
        period: time between frames, s; recordings with another period are interpolated. null keeps each as recorded.
        assumed_period: time between frames, s, for files without one time stamp for each frame; null refuses these.
        pause: a worm pauses if its speed is below this fraction of the 95th percentile of its speed.
        missing: how missing values of behaviour are treated.
        identities: CSV of neuron identities, relative to the raw folder (``neuron_ids.csv``); null for none.
        identity: name of a unit: its ``label``, or its ``neuron_class``, which left and right neuron share.
        min_confidence: minimum confidence of an identity.
    """

    traces: Literal["zscored", "f_over_f20", "original"] = "zscored"
    behavior: Annotated[tuple[Feature, ...], Field(min_length=1, strict=False)] = (
        "posture",
        "velocity",
        "head_angle",
        "angular_velocity",
    )
    exclude: Annotated[tuple[str, ...], Field(strict=False)] = ()
    blocks: Annotated[int, Field(ge=1)] = 5
    gap_seconds: Annotated[float, Field(ge=0)] = 4.8
    period: Annotated[float, Field(gt=0)] | None = 0.6
    assumed_period: Annotated[float, Field(gt=0)] | None = None
    pause: Annotated[float, Field(gt=0, lt=1)] = 0.2
    missing: MissingOptions = MissingOptions()
    identities: str | None = None
    identity: Literal["label", "neuron_class"] = "label"
    min_confidence: float = 0.0


def scan(folder: Path, options: Options) -> list[SampleRow]:
    """One row for each block of every file; the animal is named as its file.

    InputError if a worm of ``exclude`` has no file, or a clock cannot be used (as ``read``).
    """
    found = {path.name.removesuffix(_SUFFIX): path for path in search(folder, f"?*{_SUFFIX}")}
    if unknown := [name for name in options.exclude if name not in found]:
        raise InputError(
            f"configuration convert.reader_options.exclude: {unknown[0]!r} is not one of {', '.join(found) or 'none'}"
        )
    rows = []
    for path in search(folder, f"?*{_SUFFIX}"):
        worm = path.name.removesuffix(_SUFFIX)
        if worm in options.exclude:
            continue
        with opened(path) as file:
            clock = _clock(path, file, options)
        below = path.relative_to(folder).as_posix()
        for number, (start, stop) in enumerate(blocks(path, clock, options.blocks, options.gap_seconds)):
            rows.append(SampleRow(worm, f"{number + 1:03d}", below, start, stop))
    return rows


def files(root: Path, row: SampleRow, options: Options) -> list[Path]:
    """The file of the worm, and the file of identities if there is one."""
    found = [Path(root) / row.path]
    return found if options.identities is None else [*found, Path(root) / options.identities]


def read(root: Path, row: SampleRow, options: Options, class_names: tuple[str, ...] | None) -> Recording:
    """The whole worm of ``row``: traces (frame, unit) float32 and behaviour (frame, feature) float32.

    Time 0 is the first frame. Frames outside all continuous parts are left out. Units that never change are left out,
    and ``notes`` lists them. The body angles of a frame are shifted together by the multiple of 2 pi that brings their
    mean closest to 0, because the files wrap them together. ``class_names`` renames the classes.

    Classes come from thresholds, because the files have no annotation: reversal as the lab detected it; otherwise
    pause; otherwise forward, with the head bent to one or the other side of its median.

    Raises:
        InputError: naming the file: it is unreadable; a variable is missing, has the wrong shape or is all NaN; traces
            are not finite; there is no posture; there is not one time stamp for each frame, or they decrease; no unit
            changes; behaviour is missing and ``missing`` refuses it; ``read_unit_names`` refuses the identities.
    """
    path = Path(root) / row.path
    names = renamed(CLASS_NAMES, class_names)
    trace_name, unit = _TRACES[options.traces]
    with opened(path) as file:
        clock = _clock(path, file, options)
        traces = _array(path, file, f"gcamp/{trace_name}", clock.recorded, (None,))
        features = [_feature(path, file, name, clock.recorded) for name in options.behavior]
        reversal, velocity, head = (
            _array(path, file, f"behavior/{name}", clock.recorded) for name in _CLASSIFIED
        )
    in_file = traces.shape[1]
    traces, units, notes = _changing(path, traces)
    behavior = np.concatenate(features, axis=1)
    behavior_names = _feature_names(options.behavior)
    behavior, known = missing.impute(
        _float32(clock.interpolated(behavior)),
        clock.time,
        behavior_names,
        options.missing.policy,
        options.missing.longest_gap,
        str(path),
    )
    labels = clock.nearest(_labels(reversal, velocity, head, options.pause))[known]
    absent = [names[at] for at in range(len(names)) if not (labels == at).any()]
    streams = (
        Stream.of("neural", clock.time, f"{row.path}, gcamp/{trace_name}, {unit}; {clock.how}"),
        Stream.of(
            "behavior",
            clock.time[known],
            f"{row.path}, behavior/ ({', '.join(options.behavior)}); the same frames",
        ),
        Stream.of(
            "labels", clock.time[known], f"{row.path}, thresholds on behavior/ ({', '.join(_CLASSIFIED)})"
        ),
    )
    unit_names: tuple[str, ...] = ()
    if options.identities is not None:
        worm = path.name.removesuffix(_SUFFIX)
        unit_names, said = read_unit_names(
            Path(root) / options.identities, worm, units, in_file, options.identity, options.min_confidence
        )
        notes += said
    return Recording(
        animal=row.animal,
        trial=row.trial,
        neural=_float32(clock.interpolated(traces)),
        neural_time=clock.time,
        behavior=behavior,
        behavior_time=clock.time[known],
        labels=labels,
        neural_index=known.astype(np.int32),
        class_names=tuple(names),
        behavior_names=behavior_names,
        neural_rate=1 / clock.period,
        behavior_rate=1 / clock.period,
        units={
            "neural": unit,
            "behavior": ", ".join(_UNITS[name] for name in options.behavior),
            "time": "s",
        },
        unit_names=unit_names,
        streams=streams,
        notes=(*clock.notes, *notes, *([f"no frame of class {', '.join(absent)}"] if absent else [])),
    )


def _clock(path: Path, file: Any, options: Options) -> Clock:
    stamps = _array(path, file, "timing/timestamp_confocal", None)
    splits = _array(path, file, "gcamp/idx_splits", None, (None,))
    traces = f"gcamp/{_TRACES[options.traces][0]}"
    shape = getattr(file.get(traces), "shape", None) or ()
    if len(shape) != 2 or 0 in shape:
        shape = _array(path, file, traces, None, (None,)).shape  # Raises InputError.
    return worm_clock(path, stamps, splits, shape[0], options.period, options.assumed_period)


def _array(path: Path, file: Any, name: str, length: int | None, rest: tuple[None, ...] = ()) -> np.ndarray:
    """A variable as float64 with ``length`` entries (None: any) and one more dimension for each entry of ``rest``."""
    item = file.get(name)
    if item is None:
        raise InputError(f"{path}: has no variable {name}, expected {EXPECTED} of the Flavell lab")
    values = read_numbers(path, name, item)
    if values.ndim != 1 + len(rest) or values.size == 0 or length not in (None, len(values)):
        expected = ", ".join([str(length or "entries"), *("columns" for _ in rest)])
        raise InputError(f"{path}: {name} has shape {values.shape}, expected ({expected})")
    return values.astype(np.float64)


def _feature(path: Path, file: Any, name: str, frames: int) -> np.ndarray:
    """(frame, column) float64 of a feature. InputError if it is all NaN, or if posture has no ``JOINTS`` columns."""
    if name != "posture":
        values = _array(path, file, f"behavior/{name}", frames)[:, None]
    else:
        item = file.get("behavior/body_angle")
        shape = getattr(item, "shape", None)
        if shape is None or len(shape) != 2 or shape[1] != JOINTS:
            raise InputError(
                f"{path}: no posture: behavior/body_angle has shape {shape}, expected ({frames}, {JOINTS}); exclude "
                "the worm, or remove posture from convert.reader_options.behavior"
            )
        values = _array(path, file, "behavior/body_angle", frames, (None,))
        with np.errstate(invalid="ignore"):  # Infinity counts as missing; later code treats it.
            values -= 2 * np.pi * np.round(values.mean(1, keepdims=True) / (2 * np.pi))
    if not np.isfinite(values).any():
        raise InputError(
            f"{path}: behavior/{name} is all NaN, expected numbers; exclude the worm, or remove {name} from "
            "convert.reader_options.behavior"
        )
    return values


def _float32(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # An overflow becomes infinity, which is refused later.
        return values.astype(np.float32)


def _feature_names(features: tuple[Feature, ...]) -> tuple[str, ...]:
    joints = [f"body_angle_{joint + 1}" for joint in range(JOINTS)]
    return tuple(name for one in features for name in (joints if one == "posture" else [one]))


def _changing(path: Path, traces: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The traces that change, their columns in the file, and notes on the others."""
    finite = np.isfinite(traces)
    # Z-scores of a unit that never changes are all NaN, because its standard deviation is 0.
    silent = ~finite.any(0) | (np.nanmax(np.where(finite, traces, -np.inf), 0) <= np.min(traces, 0))
    broken = ~finite.all(0) & ~silent
    if broken.any():
        unit = int(np.argmax(broken))
        frame = int(np.argmin(finite[:, unit]))
        raise InputError(
            f"{path}: trace of unit {unit} holds NaN or infinity in frame {frame}, expected finite numbers"
        )
    if silent.all():
        raise InputError(f"{path}: none of {len(silent)} units changes, expected activity")
    kept, said = np.flatnonzero(~silent), []
    if silent.any():
        which = ", ".join(map(str, np.flatnonzero(silent)[:5])) + (" ..." if silent.sum() > 5 else "")
        said.append(f"{silent.sum()} of {len(silent)} units never change (from 0: {which}) and are left out")
    if len(kept) == 1:
        said.append("only one unit is left")
    return traces[:, kept], kept, said


def _labels(reversal: np.ndarray, velocity: np.ndarray, head: np.ndarray, pause: float) -> np.ndarray:
    """(frame,) int16 indices in ``CLASS_NAMES``; a frame with a missing value is unlabelled."""
    known = np.isfinite(reversal) & np.isfinite(velocity) & np.isfinite(head)
    labels = np.full(len(known), UNLABELLED, np.int16)
    if known.any():
        slow = np.abs(velocity) < pause * np.percentile(np.abs(velocity[known]), 95)
        side = np.where(head > np.median(head[known]), 2, 3)
        labels[known] = np.where(reversal > 0, 0, np.where(slow, 1, side))[known]
    return labels
