"""Panels of matrices that share their row and column names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from neural_action.names import shortened
from neural_action.tables.pictures import style

#: Matrices with more names have no numbers in their cells.
_NUMBERED = 12
#: Matrices with more names are drawn without them, this many inches wide: 200 classes would be 60 inches.
_NAMED, _NAMELESS = 40, 5.0


def draw_matrix(axis: Axes, matrix: np.ndarray, names: Sequence[str]) -> None:
    """Draw a matrix of values from 0 to 1 with the names of its rows and columns, if any; NaN is grey."""
    axis.imshow(matrix, cmap="Blues", vmin=0, vmax=1, aspect="equal")
    axis.set_facecolor(style.FAINT)
    axis.set_xticks(range(len(names)), names, rotation=90)
    axis.set_yticks(range(len(names)), names)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)


def draw_matrices(
    matrices: Mapping[str, np.ndarray],
    names: Sequence[str],
    lines: Sequence[str],
    text: Callable[[float], str],
) -> Figure:
    """One panel for each matrix, colours from 0 to 1; NaN is grey.

    Args:
        matrices: (name, name) float values by the title of their panel.
        names: names of rows and columns.
        lines: lines of the heading.
        text: formats a value for its cell and for the colour bar; may return an empty text.
    """
    said, titles = shortened(names) if len(names) <= _NAMED else [], shortened(matrices)
    across = min(len(matrices), 3)
    down = -(-len(matrices) // across)
    side = max(2.1, 0.31 * len(names)) if said else _NAMELESS
    beside = max(map(len, said), default=0) * style.CHARACTER
    figure = style.new_figure(side * across + beside + 1.2, (side + 0.3) * down + beside + 0.8)
    axes = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    colors = ScalarMappable(Normalize(0, 1), "Blues")
    for at, (axis, title, matrix) in enumerate(zip(axes.flat, titles, matrices.values(), strict=False)):
        draw_matrix(axis, matrix, said)
        axis.set_title(title)
        axis.tick_params(labelbottom=False, labeltop=at < across)
        for row, column in np.argwhere(~np.isnan(matrix)) if len(names) <= _NUMBERED else ():
            value = float(matrix[row, column])
            color = "white" if value > 0.55 else style.INK
            axis.text(column, row, text(value), ha="center", va="center", fontsize=6.5, color=color)
    for axis in axes.flat[len(matrices) :]:
        axis.set_visible(False)
    style.heading(figure, *lines)
    bar = figure.colorbar(colors, ax=axes, shrink=min(1.0, 0.9 / down + 0.1), aspect=25, pad=0.015)
    ticks = [0, 0.25, 0.5, 0.75, 1]
    bar.set_ticks(ticks, labels=[text(tick) or "0" for tick in ticks])
    bar.outline.set_visible(False)
    return figure
