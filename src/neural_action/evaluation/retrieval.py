"""Behaviour retrieval: what an animal does, as its behaviour data describe it without labels.

Task ``retrieval`` predicts the summary of a window's behaviour from the summaries of the windows of other animals that
lie nearest to it in the representation. It needs no labels, so it can choose a row or a setting where there are none.
Its rank correlation with accuracy on the animal left out is measured in docs/results/label_free.md. Our choice.
"""

from __future__ import annotations

import numpy as np

from neural_action.principal import principal_axes

#: Leading principal components of the summary (our choice).
COMPONENTS = 16
#: Added before the logarithm, in units of the normalised behaviour.
_FLOOR = 1e-3
#: A smaller spread is rounding.
_CONSTANT = 1e-9


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
