"""A dataset frame by frame, as plain arrays, for packages that do not use windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from neural_action.datasets.dataset import Dataset
from neural_action.datasets.ragged import RaggedFrames
from neural_action.datasets.windows import nearest


def frame_arrays(dataset: Dataset) -> dict[str, np.ndarray]:
    """The arrays of ``frame_behavior``, and ``neural`` (frame, feature) float32.

    If animals have their own units, there is ``neural-<number>`` for each animal instead, with its frames only, which
    are consecutive.
    """
    if isinstance(dataset.neural, RaggedFrames):
        neural = {f"neural-{number}": part for number, part in enumerate(dataset.neural.parts)}
    else:
        neural = {"neural": dataset.neural.reshape(len(dataset.neural), -1)}
    return {**neural, **frame_behavior(dataset)}


@dataclass(frozen=True)
class AnimalFrames:
    """The frames of one animal, which are consecutive in the dataset.

    Attributes:
        rows: row numbers in the dataset.
        neural: (frame, feature).
        behavior: (frame, feature) float32 as in ``frame_behavior``; NaN where it is not known.
        trial: (frame,) int64 trial numbers.
        fitted: (frame,) bool, whether a closed form may be fitted to the frame (``Dataset.fitted``).
    """

    rows: slice
    neural: np.ndarray
    behavior: np.ndarray
    trial: np.ndarray
    fitted: np.ndarray


def frames_by_animal(dataset: Dataset, neural: np.ndarray | RaggedFrames) -> dict[str, AnimalFrames]:
    """The frames ``neural`` (frame, ...) of a dataset, of each animal with trials to fit."""
    found, out = frame_behavior(dataset), {}
    behavior = np.where(found["covered"][:, None], found["behavior"], np.float32(np.nan))
    for number, name in enumerate(dataset.animals):
        own = np.flatnonzero(found["animal"] == number)
        rows = slice(int(own[0]), int(own[-1]) + 1)
        if found["fitted"][rows].any():
            values = neural[rows].reshape(len(own), -1)
            out[name] = AnimalFrames(
                rows, values, behavior[rows], found["trial"][rows], found["fitted"][rows]
            )
    return out


def frame_behavior(dataset: Dataset) -> dict[str, np.ndarray]:
    """The behaviour at every neural frame.

    Returns:
        ``behavior`` (frame, feature) float32, the normalised sample nearest in time; ``covered`` (frame,) bool, whether
        it is within 1.5 frame periods; ``visible`` (frame,) bool, whether pretraining may see the frame; ``fitted``
        (frame,) bool, whether a closed form may be fitted to it (``Dataset.fitted``); ``animal`` and ``trial`` (frame,)
        int64 numbers.
    """
    count = len(dataset.neural_time)
    arrays = {
        "behavior": np.zeros((count, dataset.pose.shape[1]), np.float32),
        "covered": np.zeros(count, bool),
        "visible": np.zeros(count, bool),
        "fitted": np.zeros(count, bool),
        "animal": np.zeros(count, np.int64),
        "trial": np.zeros(count, np.int64),
    }
    fitted = dataset.fitted
    for number, trial in enumerate(dataset.trials):
        clock, moments = dataset.pose_time[trial.samples], dataset.neural_time[trial.frames]
        at = nearest(clock, moments)
        arrays["behavior"][trial.frames] = dataset.pose[trial.samples][at]
        arrays["covered"][trial.frames] = np.abs(clock[at] - moments) <= 1.5 / dataset.neural_rate
        arrays["visible"][trial.frames] = trial.sees_input
        arrays["fitted"][trial.frames] = fitted[number]
        arrays["animal"][trial.frames] = dataset.animals.index(trial.animal)
        arrays["trial"][trial.frames] = number
    return arrays
