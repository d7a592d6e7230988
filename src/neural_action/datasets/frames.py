"""A dataset frame by frame, as plain arrays, for packages that know nothing of clips."""

from __future__ import annotations

import numpy as np

from neural_action.datasets.dataset import Dataset
from neural_action.datasets.windows import nearest


def frame_arrays(dataset: Dataset) -> dict[str, np.ndarray]:
    """Every neural frame with the behaviour of its moment.

    Returns:
        ``neural`` (frame, feature) float32; ``behavior`` (frame, feature) float32, the normalised sample nearest in
        time; ``covered`` (frame,) bool, whether that is within a frame and a half; ``visible`` (frame,) bool,
        whether pretraining may see the frame; ``animal`` and ``trial`` (frame,) int64 numbers.
    """
    count = len(dataset.neural)
    arrays = {
        "neural": dataset.neural.reshape(count, -1),
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
