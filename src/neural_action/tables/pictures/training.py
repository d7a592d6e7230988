"""Training curves of each method."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from neural_action.names import shortened
from neural_action.tables.pictures import style


@style.styled()
def draw_training(logs: pd.DataFrame, labels: Mapping[str, str]) -> Figure:
    """Loss over steps: mean and range over the runs of each method, and their throughput.

    Each method has its own axis, because losses of different objectives cannot be compared.

    Args:
        logs: the table from ``read_logs``.
        labels: label of each method, in order; other methods are left out.
    """
    shown = [name for name in labels if (logs["method"] == name).any()]
    if not shown:
        return style.nothing("No method was trained.")
    across = min(len(shown), 4)
    down = -(-len(shown) // across)
    figure = style.new_figure(2.75 * across + 0.4, 2.1 * down + 0.2)
    axes = figure.subplots(down, across, squeeze=False).ravel()
    titles = shortened([labels[name] for name in shown])
    for axis, name, title in zip(axes, shown, titles, strict=False):
        own = logs[logs["method"] == name]
        curve = own.groupby("step")["loss"].agg(["mean", "min", "max"])
        axis.fill_between(curve.index, curve["min"], curve["max"], color=style.BLUE, alpha=0.22, lw=0)
        axis.plot(curve.index, curve["mean"], color=style.BLUE)
        axis.set(title=title, xlabel="step", ylabel="loss")
        axis.annotate(_throughput(own), (1, 1), (-2, -2), "axes fraction", "offset points", **_NOTE)
        axis.margins(x=0.02)
    for axis in axes[len(shown) :]:
        axis.set_visible(False)
    return figure


_NOTE = {"ha": "right", "va": "top", "fontsize": 7, "color": style.SOFT, "linespacing": 1.4}


def _throughput(logs: pd.DataFrame) -> str:
    """Number of runs, and median and range of their median throughput; the first entry of each run is left out."""
    steady = logs[logs["step"] > logs.groupby("run")["step"].transform("min")]
    rates = (steady if len(steady) else logs).groupby("run")["windows_per_second"].median()
    runs = f"{len(rates)} run{'' if len(rates) == 1 else 's'}"
    return f"{runs}\n{rates.median():.0f} windows/s\n({rates.min():.0f} to {rates.max():.0f})"
