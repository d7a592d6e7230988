"""Reader of walking flies imaged in the ellipsoid body (Turner-Evans et al., eLife 2017, 6:e23496).

``<date>/Fly<k>_<age>_<genotype>_<condition>_<trial>.mat`` holds raw fluorescence of 16 wedges in two colours, ball
position at about 120 Hz, and the times of image planes and display refreshes on one 10 kHz clock. This clock aligns
fluorescence and ball.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from neural_action.errors import InputError
from neural_action.recordings.matlab import load_mat, variable
from neural_action.recordings.readers import ReaderOptions, renamed, search
from neural_action.recordings.recording import Recording
from neural_action.recordings.samples import SampleRow
from neural_action.recordings.streams import Stream

EXPECTED = "files <date>/Fly<k>_<age>_<genotype>_<condition>_<trial>.mat"
CLASS_NAMES = ("rest", "turn_one_way", "turn_other_way", "forward")
BEHAVIOR_NAMES = ("rotation", "forward", "lateral")
WEDGES, DAQ_RATE = 16, 1e4
_FILE = re.compile(r"(?P<fly>Fly\d+)_.*_(?P<condition>[A-Za-z0-9]+)_(?P<trial>\d+)\.mat")
_DRIVERS = re.compile(r"_6fx(?P<green>[A-Za-z0-9]+)_jRGC1ax(?P<red>[A-Za-z0-9]+)_")


class Options(ReaderOptions):
    """Options of this reader; rotation in rad/s, forward in ball unit/s (the source does not state the unit).

    Attributes:
        statistic: fluorescence of a wedge, the maximum or the mean of its pixels.
        channels: order of the two colours. ``by_color``: green first. ``by_driver``: first the driver line that comes
            first in the alphabet, so that both genotypes, whose colours are swapped, have the same neurons in the same
            columns.
        planes: image planes in a volume.
        smooth_volumes: width of the boxcar filter of the velocities, volumes.
        smooth_behavior: whether the stored velocities are smoothed; labels always use smoothed ones.
        rest_rotation: a fly rests if its absolute rotation is below this and its absolute forward velocity is below
            ``rest_forward``.
        rest_forward: see ``rest_rotation``.
        turn_rotation: a fly turns if its absolute rotation is above this.
    """

    statistic: Literal["Max", "Mean"] = "Max"
    channels: Literal["by_color", "by_driver"] = "by_color"
    planes: Annotated[int, Field(ge=1)] = 7
    smooth_volumes: Annotated[int, Field(ge=1)] = 7
    smooth_behavior: bool = True
    rest_rotation: Annotated[float, Field(ge=0)] = 0.15
    rest_forward: Annotated[float, Field(ge=0)] = 0.05
    turn_rotation: Annotated[float, Field(ge=0)] = 0.5


def scan(folder: Path, options: Options) -> list[SampleRow]:
    """One row for each matching file at any depth: animal ``<date>_Fly<k>``, trial ``<condition>_<number>``."""
    rows = []
    for path in search(folder, "*.mat"):
        match = _FILE.fullmatch(path.name)
        if match:
            animal, trial = f"{path.parent.name}_{match['fly']}", f"{match['condition']}_{match['trial']}"
            rows.append(SampleRow(animal, trial, path.relative_to(folder).as_posix()))
    return rows


def files(root: Path, row: SampleRow, options: Options) -> list[Path]:
    """The one file of a recording."""
    return [Path(root) / row.path]


def read(root: Path, row: SampleRow, options: Options, class_names: tuple[str, ...] | None) -> Recording:
    """Traces (volume, 32) float32, raw fluorescence, and ball velocities (sample, 3) float32.

    Ball rotation is unwrapped. Positions are interpolated to volume times and differentiated there. Behaviour starts
    after imaging and may end before it; volumes without behaviour get no sample, and nothing is extrapolated. Labels
    are thresholds on the smoothed velocities, because the source has no annotation. ``class_names`` renames the four
    classes.

    Raises:
        InputError: naming the file: it is unreadable or truncated; a variable is missing, has the wrong shape or is not
            finite (with the first entry); a clock does not increase; too few volumes have behaviour.
    """
    path = Path(root) / row.path
    names = renamed(CLASS_NAMES, class_names)
    traces = [f"{color}ROIave{options.statistic}" for color in "GR"]
    content = load_mat(path, *traces, "positionDat")
    green, red = (_traces(path, content, name) for name in traces)
    if green.shape != red.shape:
        raise InputError(
            f"{path}: green traces {green.shape}, red traces {red.shape}, expected the same shape"
        )
    position = variable(path, content, "positionDat")
    volume_time, ball_time, ball = _clocks_and_ball(path, position, options.planes, green.shape[1])

    covered = np.flatnonzero((volume_time >= ball_time[0]) & (volume_time <= ball_time[-1]))
    if len(covered) <= options.smooth_volumes:
        raise InputError(
            f"{path}: {len(covered)} volumes have behaviour, expected more than {options.smooth_volumes}"
        )
    time = volume_time[covered]
    velocity = np.stack([np.gradient(np.interp(time, ball_time, axis), time) for axis in ball], axis=1)
    smooth = _boxcar(velocity, options.smooth_volumes)
    rate = 1 / float(np.median(np.diff(volume_time)))
    neural_time, behavior_time = volume_time - volume_time[0], time - volume_time[0]
    streams = (
        Stream.of(
            "neural",
            neural_time,
            f"{row.path}, {' and '.join(traces)}, raw fluorescence; tFrameGrab of every {options.planes}th plane",
        ),
        Stream.of(
            "behavior",
            behavior_time,
            f"{row.path}, positionDat, velocity of OffsetRot, OffsetFor, OffsetLat a volume; t from the first tVR",
        ),
        Stream.of("labels", behavior_time, "thresholds on these velocities"),
    )
    return Recording(
        animal=row.animal,
        trial=row.trial,
        neural=np.concatenate(_ordered(path, green, red, options)).T.astype(np.float32),
        neural_time=neural_time,
        behavior=(smooth if options.smooth_behavior else velocity).astype(np.float32),
        behavior_time=behavior_time,
        labels=_labels(smooth, options),
        neural_index=covered.astype(np.int32),
        class_names=tuple(names),
        behavior_names=BEHAVIOR_NAMES,
        neural_rate=rate,
        behavior_rate=rate,
        units={"neural": "raw fluorescence", "behavior": "rad/s, ball unit/s, ball unit/s", "time": "s"},
        streams=streams,
    )


def _clocks_and_ball(path: Path, position: Any, planes: int, volumes: int) -> tuple[np.ndarray, ...]:
    """Volume times and ball times, s on the acquisition clock; ball position (3, samples)."""
    grabs = _array(path, position, "tFrameGrab", 1)
    if len(grabs[::planes]) < volumes:
        raise InputError(
            f"{path}: tFrameGrab has times of {len(grabs[::planes])} volumes of {planes} planes, expected {volumes}"
        )
    volume_time = _increasing(path, "tFrameGrab", grabs[::planes][:volumes] / DAQ_RATE)
    clock = _increasing(path, "t", _array(path, position, "t", 1))
    ball_time = (clock - clock[0]) + _array(path, position, "tVR", 1)[0] / DAQ_RATE
    rotation, forward, lateral = (
        _array(path, position, name, 1, len(clock)) for name in ("OffsetRot", "OffsetFor", "OffsetLat")
    )
    return volume_time, ball_time, np.stack([np.unwrap(np.deg2rad(rotation)), forward, lateral])


def _ordered(
    path: Path, green: np.ndarray, red: np.ndarray, options: Options
) -> tuple[np.ndarray, np.ndarray]:
    if options.channels == "by_color":
        return green, red
    match = _DRIVERS.search(path.name)
    if match is None:
        raise InputError(
            f"{path}: expected a file name with _6fx<driver>_jRGC1ax<driver>_ for channels: by_driver"
        )
    return (green, red) if match["green"] <= match["red"] else (red, green)


def _boxcar(velocity: np.ndarray, width: int) -> np.ndarray:
    from scipy.ndimage import uniform_filter1d

    return uniform_filter1d(velocity, width, axis=0, mode="nearest")


def _labels(velocity: np.ndarray, options: Options) -> np.ndarray:
    rotation, forward = velocity[:, 0], velocity[:, 1]
    labels = np.full(len(velocity), CLASS_NAMES.index("forward"), np.int16)
    labels[rotation > options.turn_rotation] = CLASS_NAMES.index("turn_one_way")
    labels[rotation < -options.turn_rotation] = CLASS_NAMES.index("turn_other_way")
    still = (np.abs(rotation) < options.rest_rotation) & (np.abs(forward) < options.rest_forward)
    labels[still] = CLASS_NAMES.index("rest")
    return labels


def _traces(path: Path, content: Any, name: str) -> np.ndarray:
    traces = _array(path, content, name, 2)
    if len(traces) != WEDGES:
        raise InputError(f"{path}: {name} has shape {traces.shape}, expected ({WEDGES}, volumes)")
    return traces


def _array(path: Path, content: Any, name: str, ndim: int, length: int | None = None) -> np.ndarray:
    """A variable as finite float64 of ``ndim`` dimensions."""
    value = np.asarray(variable(path, content, name))
    if value.dtype.kind not in "iuf" or value.ndim != ndim or value.size == 0:
        raise InputError(
            f"{path}: {name} is {value.dtype} of shape {value.shape}, expected numbers in {ndim} dimension(s)"
        )
    value = value.astype(np.float64)
    finite = np.isfinite(value).all(axis=tuple(range(ndim - 1)))
    if not finite.all():
        at = int(np.argmin(finite))
        raise InputError(f"{path}: {name} holds NaN or infinity at entry {at}, expected finite numbers")
    if length is not None and len(value) != length:
        raise InputError(f"{path}: {name} has {len(value)} entries, expected {length}")
    return value


def _increasing(path: Path, name: str, clock: np.ndarray) -> np.ndarray:
    if (np.diff(clock) <= 0).any():
        at = int(np.argmax(np.diff(clock) <= 0)) + 1
        raise InputError(f"{path}: {name} runs backwards at entry {at}, expected increasing times")
    return clock
