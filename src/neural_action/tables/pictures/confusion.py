"""Confusion matrices of actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from neural_action.evaluation.metrics import confusion
from neural_action.tables.pictures import style
from neural_action.tables.pictures.matrices import draw_matrices
from neural_action.tables.pictures.runs import Run

#: What the probe of a task is trained on, hardest task first.
_TRAINED_ON = {
    "across": "the other animals",
    "across_sessions": "the other sessions",
    "within": "other trials",
    "decoding": "other trials",
}


def mean_confusion(runs: Sequence[Run]) -> np.ndarray:
    """(class, class) float: share of the windows of the row's class predicted as the column's class, mean over runs.

    A row averages the runs that tested its class; it is NaN if no run did.
    """
    classes = len(runs[0].class_names)
    shares = []
    for run in runs:
        counts = confusion(run.label[run.tested], run.predicted[run.tested], classes).astype(float)
        total = counts.sum(1, keepdims=True)
        shares.append(np.divide(counts, total, out=np.full_like(counts, np.nan), where=total > 0))
    stack = np.stack(shares)
    seen = (~np.isnan(stack)).sum(0)
    return np.where(seen > 0, np.nansum(stack, 0) / np.maximum(seen, 1), np.nan)


@style.styled()
def draw_confusion(runs: Mapping[str, Sequence[Run]], labels: Mapping[str, str]) -> Figure:
    """One matrix for each method, of the first probe with all labels. Rows sum to 100 %.

    A method that is not read across animals, as others are, is named with what its probe was trained on.

    Args:
        runs: runs of each method; methods without a tested window are not drawn.
        labels: label of each method.
    """
    drawn = {name: own for name, own in runs.items() if any(run.tested.any() for run in own)}
    if not drawn:
        return style.nothing("No probe was tested on actions.")
    tasks = {own[0].task for own in drawn.values()}
    task = next(name for name in _TRAINED_ON if name in tasks)
    lines = (
        "Annotated action (rows) and predicted action (columns), % of the windows of the annotated action",
        f"Probe trained on {_TRAINED_ON[task]}",
    )
    matrices = {
        labels[name] + ("" if own[0].task == task else f", {_TRAINED_ON[own[0].task]}"): mean_confusion(own)
        for name, own in drawn.items()
    }
    names = next(iter(drawn.values()))[0].class_names
    return draw_matrices(matrices, names, lines, _percent)


def _percent(share: float) -> str:
    """Whole percent; empty for 0, which most cells are."""
    return f"{100 * share:.0f}" if round(100 * share) else ""
