"""A dataset frame by frame, as plain arrays, for packages that do not use windows."""

from __future__ import annotations

import numpy as np

from neural_action.datasets.dataset import Dataset
from neural_action.datasets.ragged import RaggedFrames
from neural_action.datasets.windows import nearest
from neural_action.errors import InputError


def frame_arrays(dataset: Dataset) -> dict[str, np.ndarray]:
    """The arrays of ``frame_behavior``, and ``neural`` (frame, feature) float32.

    Raises InputError if animals have their own units.
    """
    if isinstance(dataset.neural, RaggedFrames):
        raise InputError(
            "animals have their own units, expected common pixels or units for rows of other packages"
        )
    return {"neural": dataset.neural.reshape(len(dataset.neural), -1), **frame_behavior(dataset)}


def frame_behavior(dataset: Dataset) -> dict[str, np.ndarray]:
    """The behaviour at every neural frame.

    Returns:
        ``behavior`` (frame, feature) float32, the normalised sample nearest in time; ``covered`` (frame,) bool, whether
        it is within 1.5 frame periods; ``visible`` (frame,) bool, whether pretraining may see the frame;
        ``animal`` and ``trial`` (frame,) int64 numbers.
    """
    count = len(dataset.neural_time)
    arrays = {
        "behavior": np.zeros((count, dataset.pose.shape[1]), np.float32),
        "covered": np.zeros(count, bool),
        "visible": np.zeros(count, bool),
        "animal": np.zeros(count, np.int64),
        "trial": np.zeros(count, np.int64),
    }
    for number, span in enumerate(dataset.trials):
        clock, moments = dataset.pose_time[span.samples], dataset.neural_time[span.frames]
        at = nearest(clock, moments)
        arrays["behavior"][span.frames] = dataset.pose[span.samples][at]
        arrays["covered"][span.frames] = np.abs(clock[at] - moments) <= 1.5 / dataset.neural_rate
        arrays["visible"][span.frames] = span.sees_input
        arrays["animal"][span.frames] = dataset.animals.index(span.animal)
        arrays["trial"][span.frames] = number
    return arrays
