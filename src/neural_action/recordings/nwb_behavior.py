"""Behaviour in NWB: which series it is, and poses (ndx-pose) of keypoints that may have clocks of their own."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.common_clock import on_one_clock
from neural_action.recordings.formats import Behavior

#: Series of the same kind, the likelier for what an animal does first; what is none of these comes between.
_MOVING = re.compile(
    r"pos(e|ition)|speed|velocit|running|wheel|treadmill|locomot|motion|movement|joint|angle|body", re.I
)
_OTHER = re.compile(
    r"light|temperature|humidity|stimul|sync|ttl|trigger|reward|lick|laser|frame|timestamp|voltage|(^|_)ids?($|_)",
    re.I,
)

#: Times in s, or the rate of what starts at 0; where both are known, both.
Clock = tuple[np.ndarray, float | None] | tuple[None, float]


def likelihood(name: str, item: Any = None) -> int:
    """0 for a series that is called like movement or lies in a container of behaviour, 2 for one called otherwise."""
    if _OTHER.search(name) and not _MOVING.search(name):
        return 2
    parent = type(getattr(item, "parent", None)).__name__
    held = parent in ("Position", "CompassDirection", "BehavioralTimeSeries", "Pose")
    return 0 if _MOVING.search(name) or held else 1


def several(path: Path, names: list[str], kind: str) -> InputError:
    """The question which of several alike series is meant."""
    return InputError(
        f"{path}: {len(names)} of {kind} ({', '.join(names)}), which of them is the animal that was imaged is not "
        f"known; expected --option 'behavior.options.series=[{names[0]}]' or another"
    )


def pose(
    path: Path, item: Any, exclude: list[str], least: float, clock_of: Callable[[Path, str, Any], Clock]
) -> Behavior:
    """(sample, keypoint, axis) of a PoseEstimation, NaN below ``least`` confidence; every keypoint by its own clock.

    InputError naming the file: no keypoints, keypoints of different axes, clocks that do not overlap.
    """
    series = {name: one for name, one in item.pose_estimation_series.items() if name not in exclude}
    if not series:
        raise InputError(f"{path}: {item.name} has no keypoints")
    axes = next(iter(series.values())).data.shape[1:]
    points, clocks, given = [], [], []
    for name, one in series.items():
        data = np.array(one.data, np.float32) * np.float32(one.conversion) + np.float32(one.offset)
        if data.shape[1:] != tuple(axes):
            raise InputError(f"{path}: keypoint {name} has shape {data.shape}, expected (sample, {axes[0]})")
        if getattr(one, "confidence", None) is not None:
            data[np.asarray(one.confidence) < least] = np.nan
        clock = clock_of(path, name, one)
        points.append(data)
        given.append(clock)
        clocks.append(_times(clock, len(data)))
    points, time, said = on_one_clock(points, clocks, list(series), str(path))
    unit = next(iter(series.values())).unit
    kept, rate = _kept(time, given[0], said)
    return Behavior(np.stack(points, 1), tuple(series), unit, kept, rate, said=_said([item.name], said))


def joined(
    path: Path, parts: list[tuple[str, Any]], exclude: list[str], clock_of: Callable[[Path, str, Any], Clock]
) -> Behavior:
    """(sample, feature) of series side by side, in their units, each by its own clock. InputError as ``pose``."""
    values, clocks, given = [], [], []
    every: list[str] = []
    for name, item in parts:
        data = np.asarray(item.data, np.float32) * np.float32(item.conversion) + np.float32(item.offset)
        data = data.reshape(len(data), -1)
        every += [name] if data.shape[1] == 1 else [f"{name}_{at}" for at in range(data.shape[1])]
        clock = clock_of(path, name, item)
        values.append(data)
        given.append(clock)
        clocks.append(_times(clock, len(data)))
    values, time, said = on_one_clock(values, clocks, [name for name, _ in parts], str(path))
    if unknown := [name for name in exclude if name not in every]:
        raise InputError(f"{path}: no feature {unknown[0]!r} to exclude, found {', '.join(every)}")
    keep = [at for at, name in enumerate(every) if name not in exclude]
    data = np.concatenate(values, 1)[:, keep]
    unit = ", ".join(dict.fromkeys(item.unit for _, item in parts))
    names = tuple(every[at] for at in keep)
    kept, rate = _kept(time, given[0], said)
    return Behavior(data, names, unit, kept, rate, said=_said([name for name, _ in parts], said))


def _times(clock: Clock, count: int) -> np.ndarray:
    """(count,) float64 s of a clock."""
    return np.arange(count) / clock[1] if clock[0] is None else clock[0]


def _kept(time: np.ndarray, first: Clock, said: str) -> Clock:
    """The common clock: that of the first series where all have one, a rate where it has no more than that."""
    if said:
        return time, None
    return first if first[0] is None else (time, first[1])


def _said(names: list[str], said: str) -> str:
    return f"series {', '.join(names)}{f'; {said}' if said else ''}"
