"""Data shown with a window: behaviour stored in bytes, and the traces of its trial."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from neural_action.calcium.rest import motion_energy
from neural_action.config.output_settings import ExploreSettings
from neural_action.datasets.dataset import Dataset
from neural_action.recordings.midline import midline, midline_names, midline_parts, segments_of
from neural_action.recordings.skeleton import Part, skeleton

#: Features drawn as lines, at most: those with the largest variance (our choice).
LINES = 8
_FLY_SIDE = 19


@dataclass(frozen=True)
class View:
    """A plane in which keypoints are drawn.

    Attributes:
        name: name of the view.
        axes: the two axes of a keypoint that are drawn.
        keypoints: indices of the keypoints that are drawn.
        flip: whether the second axis points down in the recordings.
    """

    name: str
    axes: tuple[int, int]
    keypoints: tuple[int, ...]
    flip: bool


@dataclass(frozen=True)
class Moments:
    """Behaviour of all trials, subsampled and stored in bytes.

    Attributes:
        kind: ``skeleton``, ``features`` or ``none``.
        values: (sample, column) uint8, behaviour between ``low`` (0) and ``high`` (255).
        low, high: (column,) float, in the unit of the recordings.
        columns: names of keypoints (a skeleton has one column for each keypoint and axis) or of features.
        first: (trial + 1,) int64, first row of each trial in ``values``.
        start, rate: (trial,) float, time of the first sample (s), and samples per second.
        parts: chains of keypoints of a skeleton.
        views: planes in which a skeleton is drawn.
    """

    kind: str
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    columns: tuple[str, ...]
    first: np.ndarray
    start: np.ndarray
    rate: np.ndarray
    parts: tuple[Part, ...] = ()
    views: tuple[View, ...] = ()


def moments(dataset: Dataset, settings: ExploreSettings) -> Moments:
    """Behaviour at about ``settings.pose_rate`` samples a second, or fewer if it would exceed ``settings.megabytes``.

    Keypoints with two or three axes are a skeleton, and so is the midline of a body whose posture is directions of
    segments. Other behaviour is drawn as lines. Values are clipped to their 0.1 and 99.9 percentiles and stored in a
    byte, a resolution of 0.4 % of that range (our choice).
    """
    trials = len(dataset.trials)
    if 0 in dataset.pose_raw.shape:
        none = np.zeros((0, 0), np.uint8)
        return Moments(
            "none", none, *(np.zeros(0),) * 2, (), np.zeros(trials + 1, np.int64), *(np.zeros(trials),) * 2
        )
    dataset, body = _with_midline(dataset)
    shape = dataset.behavior_shape
    is_skeleton = len(shape) == 2 and shape[1] in (2, 3)
    chosen = np.arange(dataset.pose_raw.shape[1])
    if not is_skeleton and len(chosen) > LINES:
        chosen = np.sort(np.argsort(dataset.pose_raw.var(0))[::-1][:LINES])
    step = _thinning(dataset, len(chosen), settings)
    parts, start, rate = [], [], []
    for trial in dataset.trials:
        clock = dataset.pose_time[trial.samples][::step]
        parts.append(dataset.pose_raw[trial.samples][::step][:, chosen])
        start.append(clock[0])
        rate.append(1 / float(np.median(np.diff(clock))) if len(clock) > 1 else 1.0)
    stacked = np.concatenate(parts)
    few = stacked[:: max(1, len(stacked) // 20_000)]
    low, high = np.nanpercentile(few, [0.1, 99.9], axis=0)
    spread = np.where(high > low, high - low, 1.0)
    values = np.clip(np.nan_to_num((stacked - low) / spread, nan=0.5), 0, 1)
    first = np.concatenate([[0], np.cumsum([len(part) for part in parts])])
    common = (
        np.round(255 * values).astype(np.uint8),
        low,
        low + spread,
    )
    if not is_skeleton:
        features = _feature_names(dataset)
        return Moments(
            "features", *common, tuple(features[at] for at in chosen), first, np.array(start), np.array(rate)
        )
    names = dataset.behavior_names
    told = tuple(
        Part(f"part {at + 1}", tuple(names.index(name) for name in chain))
        for at, chain in enumerate(settings.skeleton or [])
    )
    return Moments(
        "skeleton",
        *common,
        tuple(names),
        first,
        np.array(start),
        np.array(rate),
        told or body or skeleton(names),
        _views(dataset, stacked, is_midline=bool(body)),
    )


def _with_midline(dataset: Dataset) -> tuple[Dataset, tuple[Part, ...]]:
    """The dataset with the points of the midline as its behaviour, and their parts; unchanged without a midline."""
    segments = segments_of(dataset.behavior_names) if len(dataset.behavior_shape) == 1 else ()
    if not segments:
        return dataset, ()
    points = midline(dataset.pose_raw[:, segments]).astype(np.float32)
    names, shape = midline_names(len(segments)), points.shape[1:]
    posed = replace(
        dataset, pose_raw=points.reshape(len(points), -1), behavior_names=names, behavior_shape=shape
    )
    return posed, midline_parts(len(segments))


def _thinning(dataset: Dataset, columns: int, settings: ExploreSettings) -> int:
    """Subsampling step: every n-th sample is kept."""
    periods = [
        float(np.median(np.diff(dataset.pose_time[trial.samples])))
        for trial in dataset.trials
        if trial.samples.stop - trial.samples.start > 1
    ]
    by_rate = 1 / (settings.pose_rate * float(np.median(periods))) if periods else 1
    by_size = len(dataset.pose_raw) * columns / (settings.megabytes * 2**20)
    return max(1, round(by_rate), int(np.ceil(by_size)))


def _feature_names(dataset: Dataset) -> list[str]:
    if len(dataset.behavior_shape) == 1:
        return list(dataset.behavior_names)
    return [f"{name} {axis}" for name in dataset.behavior_names for axis in range(dataset.behavior_shape[1])]


def _views(dataset: Dataset, stacked: np.ndarray, *, is_midline: bool) -> tuple[View, ...]:
    """The two sides of the fly, which have a camera each; two planes of a skeleton in three axes; else one view."""
    keypoints, axes = dataset.behavior_shape
    every = tuple(range(keypoints))
    if (keypoints, axes) == (38, 2):
        values = stacked.reshape(-1, keypoints, axes)
        coxae = [side + leg for side in (0, _FLY_SIDE) for leg in (0, 5, 10)]
        # Recordings do not say which direction is up. Claws are drawn below the coxae, because legs hang down.
        flip = bool(values[:, coxae, 1].mean() < values[:, [at + 4 for at in coxae], 1].mean())
        return (
            View("one side", (0, 1), every[:_FLY_SIDE], flip),
            View("other side", (0, 1), every[_FLY_SIDE:], flip),
        )
    if axes == 3:
        return View("x, y", (0, 1), every, False), View("x, z", (0, 2), every, False)
    # The second axis of keypoints is taken for image rows, which count from the top.
    return (View("x, y", (0, 1), every, not is_midline),)


def traces(dataset: Dataset, behavior: str, points: int) -> dict[str, np.ndarray]:
    """Traces by name, each (trial, points) uint8, sampled evenly from the first to the last neural frame of each trial.

    ``activity`` is the mean neural activity and ``movement`` the logarithm of motion energy, both scaled from the 1st
    to the 99th percentile of the trial. ``action`` is the label, 255 for none.
    """
    out = {
        name: np.zeros((len(dataset.trials), points), np.uint8) for name in ("action", "movement", "activity")
    }
    for at, trial in enumerate(dataset.trials):
        clock, frames = dataset.pose_time[trial.samples], dataset.neural_time[trial.frames]
        grid = np.linspace(frames[0], frames[-1], points)
        if len(dataset.neural):
            mean = dataset.neural[trial.frames].reshape(len(frames), -1).mean(1, dtype=np.float64)
            out["activity"][at] = _bytes(np.interp(grid, frames, mean))
        if 0 not in dataset.pose_raw.shape and len(clock) > 1:
            energy = motion_energy(dataset.pose_raw[trial.samples], clock, behavior)
            known = np.isfinite(energy)
            if known.any():
                floor = max(float(np.quantile(energy[known], 0.01)), 1e-12)
                logs = np.log10(np.maximum(energy[known], floor))
                out["movement"][at] = _bytes(np.interp(grid, clock[known], logs))
        labels = dataset.labels[trial.samples]
        right = np.clip(np.searchsorted(clock, grid), 0, len(clock) - 1)
        inside = (grid >= clock[0] - 1e-9) & (grid <= clock[-1] + 1e-9)
        out["action"][at] = np.where(inside & (labels[right] >= 0), labels[right], 255).astype(np.uint8)
    return out


def _bytes(values: np.ndarray) -> np.ndarray:
    low, high = np.percentile(values, [1, 99])
    return np.round(255 * np.clip((values - low) / ((high - low) or 1.0), 0, 1)).astype(np.uint8)
