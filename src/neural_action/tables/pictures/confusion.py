"""Which actions are taken for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from neural_action.evaluation.metrics import confusion
from neural_action.names import shortened
from neural_action.tables.pictures import style
from neural_action.tables.pictures.runs import Run


def mean_confusion(runs: Sequence[Run]) -> np.ndarray:
    """(class, class): of the windows of the row's class, the share predicted as the column's; mean over runs.

    Runs in which a class was not tested take no part in its row; NaN where none tested it.
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
def draw_confusion(runs: Mapping[str, Sequence[Run]], labels: Mapping[str, str], trained_on: str) -> Figure:
    """One matrix for each method: the first probe with all labels, rows sum to 100 %.

    Args:
        runs: runs of each method; those without a tested window are not drawn.
        labels: what each method is called.
        trained_on: what the probe was trained on, in words.
    """
    drawn = {name: own for name, own in runs.items() if any(run.tested.any() for run in own)}
    if not drawn:
        return style.nothing("No probe of actions was tested.")
    first = next(iter(drawn.values()))[0]
    names = shortened(first.class_names)
    titles = shortened([labels[name] for name in drawn])
    count = len(names)
    across = min(len(drawn), 3)
    down = -(-len(drawn) // across)
    side = max(2.1, 0.31 * count)
    beside = max(map(len, names)) * style.CHARACTER
    figure = style.sheet(side * across + beside + 1.2, (side + 0.3) * down + beside + 0.8)
    axes = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    image = None
    for at, axis in enumerate(axes.flat):
        if at >= len(drawn):
            axis.set_visible(False)
            continue
        matrix = mean_confusion(list(drawn.values())[at])
        image = axis.imshow(matrix, cmap="Blues", vmin=0, vmax=1, aspect="equal")
        axis.set_facecolor(style.FAINT)
        axis.set_title(titles[at])
        axis.set_xticks(range(count), names, rotation=90)
        axis.set_yticks(range(count), names)
        axis.tick_params(length=0, labelbottom=False, labeltop=at < across)
        axis.spines[:].set_visible(False)
        if count <= 12:
            for row, column in np.argwhere(~np.isnan(matrix)):
                value = matrix[row, column]
                if round(100 * value):
                    color = "white" if value > 0.55 else style.INK
                    axis.text(
                        column, row, f"{100 * value:.0f}", ha="center", va="center", fontsize=6.5, color=color
                    )
    style.heading(
        figure,
        "Annotated action (rows) and what it is predicted as (columns), % of the action's windows",
        f"Probe trained on {trained_on}",
    )
    bar = figure.colorbar(image, ax=axes, shrink=min(1.0, 0.9 / down + 0.1), aspect=25, pad=0.015)
    bar.set_label("share of the action's windows (%)")
    bar.set_ticks([0, 0.25, 0.5, 0.75, 1], labels=["0", "25", "50", "75", "100"])
    bar.outline.set_visible(False)
    return figure
