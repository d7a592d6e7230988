"""Behaviour clusters: classes of what animals do that nobody has to label.

Task ``clusters`` reads the behaviour cluster of a window with the probes of actions, trained on the other animals. So
it can choose a row or a setting where there are no labels. How well it ranks rows is measured in
docs/results/label_free.md. Our choice.
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy.cluster.vq import kmeans2, vq

from neural_action.principal import principal_axes

#: Leading principal components of the summary (our choice).
COMPONENTS = 16
#: Added before the logarithm, in units of the normalised behaviour.
_FLOOR = 1e-3
#: A smaller spread is rounding.
_CONSTANT = 1e-9
#: Starts of k-means, of which the best is taken, and its iterations (our choice).
_STARTS, _ITERATIONS = 4, 50


def behavior_clusters(summary: np.ndarray, fitted: np.ndarray, clusters: int) -> np.ndarray:
    """(window,) int64 number of the nearest of ``clusters`` centres, found by k-means with k-means++ starts.

    Where fewer summaries differ, each of them is a centre.

    Args:
        summary: (window, component) of ``behavior_summary``.
        fitted: numbers of the windows in which the centres are searched.
        clusters: number of centres, at most that of ``fitted``.
    """
    known = summary[fitted]
    different = np.unique(known, axis=0)
    if len(different) <= clusters:
        return vq(summary, different)[0].astype(np.int64)
    rng = np.random.default_rng(0)
    with warnings.catch_warnings():
        # A centre without windows stays where it is.
        warnings.filterwarnings("ignore", message="One of the clusters is empty")
        found = [kmeans2(known, clusters, iter=_ITERATIONS, minit="++", rng=rng)[0] for _ in range(_STARTS)]
    best = min(found, key=lambda centres: (vq(known, centres)[1] ** 2).sum())
    return vq(summary, best)[0].astype(np.int64)


def behavior_summary(poses: np.ndarray, fitted: np.ndarray) -> np.ndarray:
    """(window, component) float64: where the animal's behaviour variables are in a window, and how they move.

    Mean, log standard deviation and log mean absolute step of each variable, each z-scored, and of these the leading
    16 principal components. A summary does not depend on the phase of a movement, which the samples themselves do. A
    window of one sample has its mean alone.

    Args:
        poses: (window, sample, variable) behaviour of each window, normalised by animal.
        fitted: numbers of the windows that means, deviations and components are computed from.
    """
    parts = [poses.mean(1, dtype=np.float64)]
    if poses.shape[1] > 1:
        parts.append(np.log(poses.std(1, dtype=np.float64) + _FLOOR))
        parts.append(np.log(np.abs(np.diff(poses, axis=1)).mean(1, dtype=np.float64) + _FLOOR))
    summary = np.concatenate(parts, axis=1)
    spread = summary[fitted].std(0)
    summary = (summary - summary[fitted].mean(0)) / np.where(spread > _CONSTANT, spread, 1.0)
    return summary @ principal_axes(summary[fitted].T @ summary[fitted], COMPONENTS)
