"""Which classes are mined together, and how often a mined view has the class of its anchor, over training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from neural_action.errors import InputError, reading
from neural_action.names import shortened
from neural_action.tables.pictures import style
from neural_action.tables.pictures.matrices import draw_matrix

COLUMNS = ("model", "step", "anchor", "mined", "pairs", "itself")
#: More classes than these are drawn without their names.
_NAMED = 30
_COLORS = (style.BLUE, style.ORANGE, "#009E73", "#CC79A7", "#56B4E9", "#B8A200")


def read_mined(paths: Sequence[Path]) -> pd.DataFrame:
    """The tables of mined pairs of several runs as one, with the column ``method``, which is part of the path.

    Paths are ``<method>/<run>/seed-<k>/<file>``. Raises InputError if a file is no table of mined pairs.
    """
    tables = []
    for path in map(Path, paths):
        with reading(path, "CSV", OSError, ValueError):
            table = pd.read_csv(
                path, dtype=dict.fromkeys(("model", "anchor", "mined"), str), keep_default_na=False
            )
        if tuple(table.columns) != COLUMNS:
            raise InputError(f"{path}: columns {', '.join(table.columns)}, expected {', '.join(COLUMNS)}")
        for name in ("step", "pairs", "itself"):
            if len(table) and not pd.api.types.is_integer_dtype(table[name]):
                raise InputError(
                    f"{path}: column {name!r} begins with {table[name].iloc[0]!r}, expected whole numbers"
                )
        tables.append(table.assign(method=path.absolute().parts[-4]))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*COLUMNS, "method"])


def shares(pairs: pd.DataFrame) -> pd.DataFrame:
    """By step: the share of mined views with the anchor's class, those that are the anchor itself, and chance.

    Chance is the share of equal classes among two anchors of the step: what mining regardless of the anchor would give.
    """
    total = pairs.groupby("step")["pairs"].sum()
    same = pairs[pairs["anchor"] == pairs["mined"]].groupby("step")["pairs"].sum()
    each = pairs.groupby(["step", "anchor"])["pairs"].sum()
    equal = (each * (each - 1)).groupby("step").sum()
    return pd.DataFrame(
        {
            "same": same.reindex(total.index, fill_value=0) / total,
            "itself": pairs.groupby("step")["itself"].sum() / total,
            "chance": equal / (total * (total - 1)).clip(lower=1),
        }
    )


def matrix(pairs: pd.DataFrame, class_names: Sequence[str]) -> np.ndarray:
    """(anchor, mined) share of each class among the views mined for a class, without those that are the anchor itself.

    NaN for a class of which nothing else was mined.
    """
    others = pairs.assign(pairs=pairs["pairs"] - pairs["itself"])
    counts = (
        others.pivot_table(index="anchor", columns="mined", values="pairs", aggfunc="sum")
        .reindex(index=list(class_names), columns=list(class_names))
        .fillna(0)
        .to_numpy(float)
    )
    total = counts.sum(1, keepdims=True)
    return np.divide(counts, total, out=np.full_like(counts, np.nan), where=total > 0)


@style.styled()
def draw_mined(table: pd.DataFrame, labels: Mapping[str, str], class_names: Sequence[str]) -> Figure:
    """Shares over training, and for each row the matrix of classes at its first and at its last record.

    Args:
        table: the table from ``read_mined``; runs of a row are added up.
        labels: label of each row, in order; other rows are left out.
        class_names: the classes.
    """
    shown = [name for name in labels if (table["method"] == name).any()]
    if not shown:
        return style.nothing("No mined view has a known class.")
    own = {name: table[table["method"] == name] for name in shown}
    titles = dict(zip(shown, shortened([labels[name] for name in shown]), strict=True))
    side = 2.3 if len(class_names) <= 12 else 3.0
    names = shortened(class_names) if len(class_names) <= _NAMED else []
    beside = max(map(len, names), default=0) * style.CHARACTER
    figure = style.new_figure(max(7.0, 2 * (side + beside) + 1.0), 2.6 + len(shown) * (side + 0.3) + beside)
    heights = [2.2, len(shown) * (side + 0.3) + beside]
    (top,), (below,) = figure.subfigures(2, 1, squeeze=False, height_ratios=heights, hspace=0.03)
    _lines(top.subplots(), own, titles)
    axes = below.subplots(len(shown), 2, squeeze=False, sharex=True, sharey=True)
    colors = ScalarMappable(Normalize(0, 1), "Blues")
    for row, name in enumerate(shown):
        steps = sorted(own[name]["step"].unique())
        for axis, step in zip(axes[row], (steps[0], steps[-1]), strict=True):
            values = matrix(own[name][own[name]["step"] == step], class_names)
            draw_matrix(axis, values, names)
            axis.set_title(f"{titles[name]}, step {step:,}", fontsize=8)
        axes[row, 0].set_ylabel("class of the anchor")
    for axis in axes[-1]:
        axis.set_xlabel("class of the mined view")
    bar = below.colorbar(colors, ax=axes, shrink=0.8, aspect=30, pad=0.015)
    bar.set_ticks([0, 0.5, 1], labels=["0", "50 %", "100 %"])
    bar.outline.set_visible(False)
    style.heading(
        figure,
        "Classes of mined views during training, which does not see them. Below: share of each class among the views "
        "mined for a class, without views of the anchor itself; grey where nothing else was mined",
    )
    return figure


def _lines(axis: Axes, pairs: Mapping[str, pd.DataFrame], titles: Mapping[str, str]) -> None:
    """Shares of each row over steps; dotted, how often the mined view is the anchor itself."""
    for number, (name, own) in enumerate(pairs.items()):
        color, found = _COLORS[number % len(_COLORS)], shares(own)
        axis.plot(found.index, found["same"], color=color, marker="o", ms=2.5, label=titles[name])
        if found["itself"].any():
            axis.plot(
                found.index, found["itself"], color=color, ls=":", label=f"{titles[name]}: the anchor itself"
            )
        if number == 0:
            axis.plot(found.index, found["chance"], color=style.SOFT, ls="--", lw=1, label="chance")
    axis.set(xlabel="step", ylabel="share of mined views", ylim=(0, 1.03))
    axis.set_title("Mined views with the class of the anchor")
    axis.set_yticks([0, 0.5, 1], ["0", "50 %", "100 %"])
    axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
