"""Reader of freely moving worms with whole-brain calcium imaging (HDF5 of the Flavell lab; Dag et al., Cell 2023).

``<worm>-data.h5``: traces of neurons that are others in every worm, and posture and movement at the same frames.
A worm is one recording of a quarter of an hour; trials are contiguous blocks of it, cut when the table is written.
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
from neural_action.recordings.readers import ReaderOptions, search
from neural_action.recordings.recording import UNLABELLED, Recording
from neural_action.recordings.samples import SampleRow
from neural_action.recordings.worm_clock import Clock, blocks, worm_clock

EXPECTED = "files <worm>-data.h5"
#: The configuration that is shipped for it.
CONFIGURATION = "worms"
#: The sign of the head angle says to which side the head is bent; the file does not say which side that is.
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
#: What the classes are made of.
_CLASSIFIED = ("reversal_vec", "velocity", "head_angle")

Feature = Literal[
    "posture", "velocity", "head_angle", "angular_velocity", "worm_curvature", "nose_curling", "pumping"
]


class Options(ReaderOptions):
    """Options of this reader.

    Attributes:
        traces: z-scored over the whole recording as stored, F over its 20th percentile, or raw.
        behavior: features, in this order; ``posture`` is 30 joint angles along the body.
        exclude: worms that are left out.
        blocks: trials a worm, each within one continuous part; more where there are more parts than that.
        gap_seconds: left out between blocks of one part, whose ends would give each other away.
        period: s between frames; recordings with another one are interpolated. null leaves each as it is.
        assumed_period: s between frames where there is not one time stamp a frame; null refuses those.
        pause: share of the 95th percentile of a worm's speed below which it pauses.
        missing: what becomes of missing values of behaviour.
        identities: CSV of who is who, below the raw folder (``neuron_ids.csv``); null: no unit has a name.
        identity: what a unit is named by: its own ``label``, or its ``neuron_class``, which left and right share.
        min_confidence: of an identity.
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
    """A row for each block of every file; the animal is called as its file.

    Raises InputError for a worm of ``exclude`` that is not there, and as ``read`` for clocks that cannot be used.
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
    """The file of a worm, and that of identities."""
    found = [Path(root) / row.path]
    return found if options.identities is None else [*found, Path(root) / options.identities]


def read(root: Path, row: SampleRow, options: Options, class_names: tuple[str, ...] | None) -> Recording:
    """The whole worm of ``row``: traces (frame, unit) float32 and behaviour (frame, feature) float32.

    Times begin at 0 with the first frame. Frames that lie in no continuous part are left out. Classes are thresholds,
    for nobody annotated: reversal as the lab found them; else pause; else forward, by the side of the head's median
    that the head is bent to. Units that never change are left out, and ``notes`` says so; body angles, which the files
    wrap as a whole, are moved by the multiple of 2 pi that brings their mean nearest to 0. ``class_names`` renames
    the classes.

    Raises:
        InputError: naming the file: unreadable, a variable that is missing, of the wrong shape, all NaN or, for traces,
            not finite at all; no posture; time stamps that are not one a frame or run backwards; no unit that changes;
            missing behaviour that ``missing`` does not take; identities that ``read_unit_names`` refuses.
    """
    path = Path(root) / row.path
    names = CLASS_NAMES if class_names is None else class_names
    if len(names) != len(CLASS_NAMES):
        raise InputError(
            f"configuration convert.class_names: {len(names)} names, expected {len(CLASS_NAMES)} "
            f"(for {', '.join(CLASS_NAMES)})"
        )
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
        notes=(*clock.notes, *notes, *([f"no frame of class {', '.join(absent)}"] if absent else [])),
    )


def _clock(path: Path, file: Any, options: Options) -> Clock:
    stamps = _array(path, file, "timing/timestamp_confocal", None)
    splits = _array(path, file, "gcamp/idx_splits", None, (None,))
    traces = f"gcamp/{_TRACES[options.traces][0]}"
    shape = getattr(file.get(traces), "shape", None) or ()
    if len(shape) != 2 or 0 in shape:
        shape = _array(path, file, traces, None, (None,)).shape  # says what it is instead
    return worm_clock(path, stamps, splits, shape[0], options.period, options.assumed_period)


def _array(path: Path, file: Any, name: str, length: int | None, rest: tuple[None, ...] = ()) -> np.ndarray:
    """A variable as float64 of ``length`` entries and as many more dimensions as ``rest`` has."""
    item = file.get(name)
    if item is None:
        raise InputError(f"{path}: has no variable {name}, expected {EXPECTED} of the Flavell lab")
    values = read_numbers(path, name, item)
    if values.ndim != 1 + len(rest) or values.size == 0 or length not in (None, len(values)):
        expected = ", ".join([str(length or "entries"), *("columns" for _ in rest)])
        raise InputError(f"{path}: {name} has shape {values.shape}, expected ({expected})")
    return values.astype(np.float64)


def _feature(path: Path, file: Any, name: str, frames: int) -> np.ndarray:
    """(frame, column) of a feature. InputError if it was not scored."""
    if name != "posture":
        values = _array(path, file, f"behavior/{name}", frames)[:, None]
    else:
        item = file.get("behavior/body_angle")
        shape = getattr(item, "shape", None)
        if shape is None or len(shape) != 2 or shape[1] != JOINTS:
            raise InputError(
                f"{path}: no posture: behavior/body_angle has shape {shape}, expected ({frames}, {JOINTS}); exclude "
                "the worm, or take posture out of convert.reader_options.behavior"
            )
        values = _array(path, file, "behavior/body_angle", frames, (None,))
        with np.errstate(invalid="ignore"):  # infinity is missing, and said to be later
            values -= 2 * np.pi * np.round(values.mean(1, keepdims=True) / (2 * np.pi))
    if not np.isfinite(values).any():
        raise InputError(
            f"{path}: behavior/{name} is NaN throughout: it was not scored; exclude the worm, or take {name} out of "
            "convert.reader_options.behavior"
        )
    return values


def _float32(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # becomes infinity, which is refused
        return values.astype(np.float32)


def _feature_names(features: tuple[Feature, ...]) -> tuple[str, ...]:
    joints = [f"body_angle_{joint + 1}" for joint in range(JOINTS)]
    return tuple(name for one in features for name in (joints if one == "posture" else [one]))


def _changing(path: Path, traces: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The traces that change, their columns, and what is to be said of the others."""
    finite = np.isfinite(traces)
    # What never changes has no standard deviation to be divided by: its z-scores are NaN throughout.
    silent = ~finite.any(0) | (np.nanmax(np.where(finite, traces, -np.inf), 0) <= np.min(traces, 0))
    broken = ~finite.all(0) & ~silent
    if broken.any():
        unit = int(np.argmax(broken))
        frame = int(np.argmin(finite[:, unit]))
        raise InputError(f"{path}: trace of unit {unit} holds NaN or infinity in frame {frame}")
    if silent.all():
        raise InputError(f"{path}: none of {len(silent)} units ever changes, expected activity")
    kept, said = np.flatnonzero(~silent), []
    if silent.any():
        which = ", ".join(map(str, np.flatnonzero(silent)[:5])) + (" ..." if silent.sum() > 5 else "")
        said.append(f"{silent.sum()} of {len(silent)} units never change (from 0: {which}) and are left out")
    if len(kept) == 1:
        said.append("one unit alone")
    return traces[:, kept], kept, said


def _labels(reversal: np.ndarray, velocity: np.ndarray, head: np.ndarray, pause: float) -> np.ndarray:
    """(frame,) int8 places in ``CLASS_NAMES``; unlabelled where something is not known."""
    known = np.isfinite(reversal) & np.isfinite(velocity) & np.isfinite(head)
    labels = np.full(len(known), UNLABELLED, np.int8)
    if known.any():
        slow = np.abs(velocity) < pause * np.percentile(np.abs(velocity[known]), 95)
        side = np.where(head > np.median(head[known]), 2, 3)
        labels[known] = np.where(reversal > 0, 0, np.where(slow, 1, side))[known]
    return labels
