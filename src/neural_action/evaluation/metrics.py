"""Scores of predicted against true classes."""

from __future__ import annotations

import numpy as np


def confusion(true: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """(classes, classes) int64 counts, row true, column predicted."""
    return np.bincount(true * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def scores(true: np.ndarray, predicted: np.ndarray, classes: int) -> dict[str, float]:
    """Accuracy, balanced accuracy (mean recall) and macro F1, over the classes that occur in ``true``."""
    return {
        name: value for name, value in all_scores(true, predicted, classes).items() if name != "weighted_f1"
    }


def all_scores(true: np.ndarray, predicted: np.ndarray, classes: int) -> dict[str, float]:
    """``scores``, and F1 weighted by how often each class occurs."""
    table = confusion(true, predicted, classes).astype(float)
    present = table.sum(1) > 0
    hits = np.diag(table)
    recall = hits[present] / table.sum(1)[present]
    f1 = 2 * hits[present] / (table.sum(1) + table.sum(0))[present]
    return {
        "accuracy": float(hits.sum() / table.sum()),
        "balanced_accuracy": float(recall.mean()),
        "macro_f1": float(f1.mean()),
        "weighted_f1": float(f1 @ table.sum(1)[present] / table.sum()),
    }
