"""Reader of walking flies imaged in the ellipsoid body (Turner-Evans et al., eLife 2017, 6:e23496).

``<date>/Fly<k>_<age>_<genotype>_<condition>_<trial>.mat``: raw fluorescence of 16 wedges in two colours, ball position at
about 120 Hz, and the indices of image planes and display refreshes on one 10 kHz clock, which aligns the two.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.io import loadmat
from scipy.ndimage import uniform_filter1d

from neural_action.errors import InputError
from neural_action.recordings.readers import ReaderOptions
from neural_action.recordings.recording import Recording
from neural_action.recordings.sheet import SheetRow

EXPECTED = "<date>/Fly<k>_<age>_<genotype>_<condition>_<trial>.mat"
CLASS_NAMES = ("rest", "turn_positive", "turn_negative", "forward")
BEHAVIOR_NAMES = ("rotation", "forward", "lateral")
WEDGES, DAQ_RATE = 16, 1e4
_FILE = re.compile(r"(?P<fly>Fly\d+)_.*_(?P<condition>[A-Za-z0-9]+)_(?P<trial>\d+)\.mat")


class Options(ReaderOptions):
    """How traces and labels are made; thresholds in rad/s and in the ball's own unit per second."""

    statistic: Literal["Max", "Mean"] = "Max"
    planes: int = 7
    smooth_volumes: int = 7
    rest_rotation: float = 0.15
    rest_forward: float = 0.05
    turn_rotation: float = 0.5


def scan(folder: Path, options: Options) -> list[SheetRow]:
    """Every matching .mat file at any depth; the animal is ``<date>_Fly<k>``, the trial ``<condition>_<number>``."""
    rows = []
    for path in sorted(folder.rglob("*.mat")):
        if match := _FILE.fullmatch(path.name):
            animal = f"{path.parent.name}_{match['fly']}"
            rows.append(
                SheetRow(animal, f"{match['condition']}_{match['trial']}", path.relative_to(folder).as_posix())
            )
    return rows


def files(path: Path) -> list[Path]:
    """The one file of a recording."""
    return [Path(path)]


def read(root: Path, row: SheetRow, options: Options, class_names: tuple[str, ...] | None) -> Recording:
    """Traces (volume, 32), green wedges then red, and ball velocities at the volumes that have behaviour.

    Ball position is unwrapped, interpolated to volume times and differentiated; velocities are the boxcar mean over
    ``smooth_volumes`` volumes. Volumes before behaviour begins or after it ends get no sample. Labels are thresholds on
    these velocities (as published with the test data, no annotation exists).
    """
    path = Path(root) / row.path
    content = _load(path)
    position = _get(path, content, "positionDat")
    green, red = (_array(path, content, f"{color}ROIave{options.statistic}", 2) for color in "GR")
    for name, trace in (("G", green), ("R", red)):
        if trace.shape[0] != WEDGES:
            raise InputError(f"{path}: {name}ROIave{options.statistic} has shape {trace.shape}, expected ({WEDGES}, volumes)")
    if green.shape != red.shape:
        raise InputError(f"{path}: green traces {green.shape} and red traces {red.shape} differ")
    grabs = _array(path, position, "tFrameGrab", 1)[:: options.planes] / DAQ_RATE
    volumes = min(green.shape[1], len(grabs))
    if volumes < green.shape[1]:
        raise InputError(
            f"{path}: tFrameGrab times {len(grabs)} volumes of {options.planes} planes, expected {green.shape[1]}"
        )
    grabs = grabs[:volumes]
    _increasing(path, "tFrameGrab", grabs)
    clock = _array(path, position, "t", 1)
    _increasing(path, "t", clock)
    refresh = _array(path, position, "tVR", 1)
    behind = (clock - clock[0]) + refresh[0] / DAQ_RATE
    track = np.stack(
        [
            np.unwrap(np.deg2rad(_array(path, position, "OffsetRot", 1, len(clock)))),
            _array(path, position, "OffsetFor", 1, len(clock)),
            _array(path, position, "OffsetLat", 1, len(clock)),
        ]
    )
    covered = np.flatnonzero((grabs >= behind[0]) & (grabs <= behind[-1]))
    if len(covered) < options.smooth_volumes + 2:
        raise InputError(f"{path}: {len(covered)} volumes have behaviour, expected at least {options.smooth_volumes + 2}")
    times = grabs[covered]
    velocity = np.stack([np.gradient(np.interp(times, behind, axis), times) for axis in track], axis=1)
    velocity = uniform_filter1d(velocity, options.smooth_volumes, axis=0, mode="nearest").astype(np.float32)
    rate = 1 / float(np.median(np.diff(grabs)))
    return Recording(
        animal=row.animal,
        trial=row.trial,
        neural=np.concatenate([green, red]).T.astype(np.float32),
        neural_time=grabs - grabs[0],
        behavior=velocity,
        behavior_time=times - grabs[0],
        labels=_labels(velocity, options),
        neural_index=covered.astype(np.int32),
        class_names=tuple(class_names or CLASS_NAMES),
        behavior_names=BEHAVIOR_NAMES,
        neural_rate=rate,
        behavior_rate=rate,
        units={"neural": "raw fluorescence", "behavior": "rad/s, ball unit/s, ball unit/s", "time": "s"},
    )


def _labels(velocity: np.ndarray, options: Options) -> np.ndarray:
    rotation, forward = velocity[:, 0], velocity[:, 1]
    labels = np.full(len(velocity), CLASS_NAMES.index("forward"), np.int8)
    labels[rotation > options.turn_rotation] = CLASS_NAMES.index("turn_positive")
    labels[rotation < -options.turn_rotation] = CLASS_NAMES.index("turn_negative")
    still = (np.abs(rotation) < options.rest_rotation) & (np.abs(forward) < options.rest_forward)
    labels[still] = CLASS_NAMES.index("rest")
    return labels


def _load(path: Path) -> dict:
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        return loadmat(path, squeeze_me=True, struct_as_record=False)
    except Exception as error:  # scipy raises whatever a truncated or foreign file happens to trip
        raise InputError(f"{path}: cannot be read as a MATLAB file ({type(error).__name__}: {error})") from None


def _get(path: Path, content, name: str):
    value = content.get(name) if isinstance(content, dict) else getattr(content, name, None)
    if value is None:
        raise InputError(f"{path}: has no variable {name!r}")
    return value


def _array(path: Path, content, name: str, ndim: int, length: int | None = None) -> np.ndarray:
    value = np.asarray(_get(path, content, name))
    if value.dtype.kind not in "iuf" or value.ndim != ndim or value.size == 0:
        raise InputError(f"{path}: {name} is {value.dtype} of shape {value.shape}, expected numbers in {ndim} dimensions")
    value = value.astype(np.float64)
    if not np.isfinite(value).all():
        raise InputError(f"{path}: {name} holds NaN or infinity at entry {int(np.argmin(np.isfinite(value).ravel()))}")
    if length is not None and len(value) != length:
        raise InputError(f"{path}: {name} has {len(value)} entries, expected {length}")
    return value


def _increasing(path: Path, name: str, clock: np.ndarray) -> None:
    if (np.diff(clock) <= 0).any():
        at = int(np.argmax(np.diff(clock) <= 0)) + 1
        raise InputError(f"{path}: {name} runs backwards at entry {at}, expected increasing times")
