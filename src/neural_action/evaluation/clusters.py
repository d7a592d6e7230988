"""Behaviour clusters: kinds of what animals do that nobody has to label.

Task ``clusters`` reads from a window, by a ridge trained on the other animals, which behaviour clusters it is in. So it
can choose a row or a setting where there are no labels. How well it ranks rows is measured in
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
#: Repetitions of k-means, of which each gives clusters of its own, and its iterations (our choice). One repetition
#: alone ranks rows by its luck.
CLUSTERINGS, _ITERATIONS = 8, 50


def cluster_membership(summary: np.ndarray, fitted: np.ndarray, clusters: int) -> np.ndarray:
    """(window, 8 x cluster) float64: 1 in the nearest centre of each of eight k-means, otherwise 0, scaled.

    Each column is divided by its standard deviation, so that rare clusters count as much as frequent ones. The start is
    k-means++. If fewer than ``clusters`` summaries differ, each of them is a centre, once.

    Args:
        summary: (window, component) of ``behavior_summary``.
        fitted: numbers of the windows in which the centres are searched, and of which deviations are.
        clusters: number of centres, at most that of ``fitted``.
    """
    known = summary[fitted]
    different = np.unique(known, axis=0)
    if len(different) <= clusters:
        found = [different]
    else:
        rng = np.random.default_rng(0)
        with warnings.catch_warnings():
            # A centre without windows stays where it is.
            warnings.filterwarnings("ignore", message="One of the clusters is empty")
            found = [
                kmeans2(known, clusters, iter=_ITERATIONS, minit="++", rng=rng)[0] for _ in range(CLUSTERINGS)
            ]
    member = np.concatenate([np.eye(len(centres))[vq(summary, centres)[0]] for centres in found], axis=1)
    spread = member[fitted].std(0)
    return member[:, spread > 0] / spread[spread > 0]


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
