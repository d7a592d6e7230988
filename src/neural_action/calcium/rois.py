"""Small regions of an image series that carry signal, and their traces."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter

#: Frames used to find regions; a longer movie is subsampled evenly.
FRAMES = 1500


def find_rois(movie: np.ndarray, n: int) -> np.ndarray:
    """Footprints of 3 x 3 pixels at the ``n`` strongest separate peaks of signal (our choice).

    The signal of a pixel is the covariance of its 3 x 3 mean between neighbouring frames. Shot noise is independent
    between frames and cancels; calcium does not. The mean time course of all pixels is regressed out first, so that a
    common background gives no peak. Peaks are taken in order of strength, none within 2 pixels of another.

    Args:
        movie: (t, y, x) float; values that are not finite count as 0.
        n: number of regions; fewer are returned if fewer pixels carry signal.

    Returns:
        (rois, y, x) float32 weights, each summing to 1.
    """
    t, height, width = movie.shape
    step = max(1, t // FRAMES)
    runs = [np.nan_to_num(np.asarray(movie[first::step], np.float32)) for first in (0, 1)]
    count = min(len(run) for run in runs)
    if count < 3:
        return np.zeros((0, height, width), np.float32)
    now, after = (_local(run[:count]) for run in runs)
    score = np.asarray(np.mean(now * after, 0, dtype=np.float64))
    power = np.mean(now * now, 0, dtype=np.float64)
    # Covariances within two standard errors of 0 are noise.
    score[score < 2 * power / np.sqrt(count)] = 0
    rois: list[np.ndarray] = []
    while len(rois) < n and score.max() > 0:
        y, x = np.unravel_index(int(np.argmax(score)), score.shape)
        roi = np.zeros((height, width), np.float32)
        roi[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] = 1
        rois.append(roi / roi.sum())
        score[max(0, y - 2) : y + 3, max(0, x - 2) : x + 3] = 0
    return np.stack(rois) if rois else np.zeros((0, height, width), np.float32)


def traces(movie: np.ndarray, rois: np.ndarray) -> np.ndarray:
    """Weighted mean of each region over time.

    Args:
        movie: (t, y, x) float.
        rois: (n, y, x) float32 from ``find_rois``.

    Returns:
        (t, n) float32, unit of the movie.
    """
    weights = rois.reshape(len(rois), -1).T.astype(np.float32)
    used = np.flatnonzero(weights.any(1))
    return np.asarray(movie, np.float32).reshape(len(movie), -1)[:, used] @ weights[used]


def _local(frames: np.ndarray) -> np.ndarray:
    """3 x 3 means of each frame, minus their mean over time and the common time course."""
    local = uniform_filter(frames, (0, 3, 3), mode="nearest").reshape(len(frames), -1)
    local -= local.mean(0)
    common = local.mean(1)
    power = float(common @ common)
    if power > 0:
        local -= np.outer(common, (common @ local) / power)
    return local.reshape(frames.shape)
