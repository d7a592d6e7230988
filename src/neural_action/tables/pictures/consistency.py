"""How well embeddings map onto each other, as matrices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from neural_action.names import shortened
from neural_action.tables.pictures import style


@style.styled()
def draw_consistency(table: pd.DataFrame, labels: Mapping[str, str], kind: str, title: str) -> Figure:
    """A matrix a row: R2 of the linear map from the embedding at the left to the one below.

    Args:
        table: columns ``row, kind, measure, one, other, value``; the measure held out is drawn.
        labels: what each row is called, in order; other rows are left out.
        kind: what is drawn.
        title: what ``kind`` compares.
    """
    own = table[(table["kind"] == kind) & (table["measure"] == "held_out")]
    shown = [name for name in labels if (own["row"] == name).any()]
    if not shown:
        return style.nothing("No two embeddings of a row were compared.")
    names = sorted(set(own["one"]) | set(own["other"]))
    said, titles = shortened(names), shortened([labels[name] for name in shown])
    across = min(len(shown), 4)
    down = -(-len(shown) // across)
    side = max(1.9, 0.3 * len(names))
    beside = max(map(len, said)) * style.CHARACTER
    figure = style.sheet(side * across + beside + 1.3, (side + 0.3) * down + beside + 0.7)
    axes = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    image = None
    for axis, name, label in zip(axes.flat, shown, titles, strict=False):
        wide = own[own["row"] == name].pivot_table(index="one", columns="other", values="value")
        matrix = wide.reindex(index=names, columns=names).to_numpy()
        image = axis.imshow(matrix, cmap="Blues", vmin=0, vmax=1, aspect="equal")
        axis.set_facecolor(style.FAINT)
        axis.set_title(label)
        axis.set_xticks(range(len(names)), said, rotation=90)
        axis.set_yticks(range(len(names)), said)
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
        if len(names) <= 10:
            for row, column in np.argwhere(~np.isnan(matrix)):
                color = "white" if matrix[row, column] > 0.55 else style.INK
                text = f"{matrix[row, column]:.2f}"
                axis.text(column, row, text, ha="center", va="center", fontsize=6, color=color)
    for axis in axes.flat[len(shown) :]:
        axis.set_visible(False)
    style.heading(
        figure,
        title,
        "R2 on held-out trials of the linear map from the embedding at the left to the one below",
    )
    bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=25, pad=0.015)
    bar.outline.set_visible(False)
    return figure
