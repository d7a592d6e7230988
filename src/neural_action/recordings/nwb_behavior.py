"""Behaviour in NWB: choose the series, and read poses (ndx-pose), whose keypoints may have different clocks."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neural_action.errors import InputError
from neural_action.recordings.common_clock import on_one_clock
from neural_action.recordings.formats import Behavior

#: Names of series that likely are movement, and names that likely are something else.
_MOVING = re.compile(
    r"pos(e|ition)|speed|velocit|running|wheel|treadmill|locomot|motion|movement|joint|angle|body", re.I
)
_OTHER = re.compile(
    r"light|temperature|humidity|stimul|sync|ttl|trigger|reward|lick|laser|frame|timestamp|voltage|(^|_)ids?($|_)"
    r"|xy_translation|registration",
    re.I,
)

#: Times in s and the rate if it is known; or None and the rate of a series that starts at 0.
Clock = tuple[np.ndarray, float | None] | tuple[None, float]


def likelihood(name: str, item: Any = None) -> int:
    """Rank of a series, the likeliest lowest: 0 for movement, 1 if unknown, 2 for another signal.

    Movement is recognised by the name, or by a container of behaviour that holds the series. Stimuli and the shifts of
    registered images are other signals, whatever their name.
    """
    held_by: Any = getattr(item, "parent", None)
    parent = type(held_by).__name__
    stimulus = parent == "NWBFile" and item is held_by.stimulus.get(item.name)
    if stimulus or parent == "CorrectedImageStack" or (_OTHER.search(name) and not _MOVING.search(name)):
        return 2
    held = parent in ("Position", "CompassDirection", "BehavioralTimeSeries", "Pose")
    return 0 if _MOVING.search(name) or held else 1


def several(path: Path, names: list[str], kind: str) -> InputError:
    """The error that asks which of several similar series to read."""
    return InputError(
        f"{path}: {len(names)} series of {kind} ({', '.join(names)}), expected one of the imaged animal: add --option "
        f"'behavior.options.series=[{names[0]}]' or another"
    )


def pose(
    path: Path, item: Any, exclude: list[str], least: float, clock_of: Callable[[Path, str, Any], Clock]
) -> Behavior:
    """(sample, keypoint, axis) float32 of a PoseEstimation; NaN below confidence ``least``.

    Each keypoint may have its own clock.

    InputError naming the file if there are no keypoints, their axes differ, or their clocks do not overlap.
    """
    series = {name: one for name, one in item.pose_estimation_series.items() if name not in exclude}
    if not series:
        raise InputError(f"{path}: {item.name} has no keypoints after exclude, expected at least one")
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
    return Behavior(
        np.stack(points, 1), tuple(series), unit, kept, rate, said=said, source=_series([item.name])
    )


def joined(
    path: Path, parts: list[tuple[str, Any]], exclude: list[str], clock_of: Callable[[Path, str, Any], Clock]
) -> Behavior:
    """(sample, feature) float32 of several series, concatenated; each series may have its own clock.

    InputError as ``pose``, and if a feature of ``exclude`` does not exist.
    """
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
    return Behavior(data, names, unit, kept, rate, said=said, source=_series([name for name, _ in parts]))


def _times(clock: Clock, count: int) -> np.ndarray:
    """(count,) float64 s of a clock."""
    return np.arange(count) / clock[1] if clock[0] is None else clock[0]


def _kept(time: np.ndarray, first: Clock, said: str) -> Clock:
    """The common clock: that of the first series if all have the same, otherwise the common times."""
    if said:
        return time, None
    return first if first[0] is None else (time, first[1])


def _series(names: list[str]) -> str:
    return f"series {', '.join(names)}"
