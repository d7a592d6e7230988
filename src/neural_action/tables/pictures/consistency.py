"""Matrices of how well embeddings map onto each other."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from neural_action.tables.pictures import style
from neural_action.tables.pictures.matrices import draw_matrices


@style.styled()
def draw_consistency(table: pd.DataFrame, labels: Mapping[str, str], kind: str, title: str) -> Figure:
    """One matrix for each row: R2 of the linear map from the embedding at the left to the one at the top.

    Args:
        table: columns ``row, kind, measure, one, other, value``; the measure ``held_out`` is drawn.
        labels: label of each row, in order; other rows are left out.
        kind: the kind of comparison that is drawn.
        title: heading of ``kind``.
    """
    own = table[(table["kind"] == kind) & (table["measure"] == "held_out")]
    shown = [name for name in labels if (own["row"] == name).any()]
    if not shown:
        return style.nothing("No two embeddings of a row were compared.")
    names = sorted(set(own["one"]) | set(own["other"]))
    matrices = {
        labels[name]: own[own["row"] == name]
        .pivot_table(index="one", columns="other", values="value")
        .reindex(index=names, columns=names)
        .to_numpy()
        for name in shown
    }
    how = "R2 on held-out trials of the linear map from the embedding at the left to the one at the top"
    return draw_matrices(matrices, names, (title, how), "{:.2f}".format)
