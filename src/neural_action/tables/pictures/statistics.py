"""Statistics of behaviour: time and bouts of each action (the paper's figure S5)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from neural_action.datasets.dataset import Dataset
from neural_action.names import shortened
from neural_action.tables.pictures import style


def bouts(dataset: Dataset) -> pd.DataFrame:
    """All bouts, uninterrupted runs of one label: columns ``animal, trial, label, seconds``; label -1 is included.

    The length of a bout is its number of samples times the median sampling period of its trial (in a trial of a single
    sample, the period of neural frames). Bouts end with their trial.
    """
    rows: list[tuple[str, str, int, float]] = []
    for trial in dataset.trials:
        labels, clock = dataset.labels[trial.samples], dataset.pose_time[trial.samples]
        edges = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
        period = float(np.median(np.diff(clock))) if len(clock) > 1 else 1 / dataset.neural_rate
        rows += [
            (trial.animal, trial.name, int(labels[start]), (end - start) * period)
            for start, end in pairwise(edges)
            if end > start
        ]
    return pd.DataFrame(rows, columns=["animal", "trial", "label", "seconds"])


@style.styled()
def draw_statistics(dataset: Dataset) -> Figure:
    """Share of each action and recorded minutes of each animal, and the length of bouts of each action."""
    table = bouts(dataset)
    names, animals = dataset.class_names, list(dataset.animals)
    colors, said = style.action_colors(len(names)), shortened(names)
    time = table.pivot_table(index="animal", columns="label", values="seconds", aggfunc="sum", fill_value=0.0)
    time = time.reindex(index=animals, columns=[*range(len(names)), -1], fill_value=0.0)
    figure = style.new_figure(10, max(2.6, 0.24 * max(len(animals), len(names)) + 1.5))
    shares, minutes, durations = figure.subplots(1, 3, width_ratios=[1.55, 0.8, 1.25])

    total = time.sum(axis=1).to_numpy()
    place, left = np.arange(len(animals)), np.zeros(len(animals))
    for label, color in [*enumerate(colors), (-1, style.FAINT)]:
        width = 100 * time[label].to_numpy() / np.maximum(total, 1e-9)
        if width.any():
            name = said[label] if label >= 0 else "not labelled or not scored"
            shares.barh(place, width, left=left, height=0.78, color=color, label=name, ec="white", lw=0.4)
        left += width
    columns = style.legend_columns([*said, "not labelled or not scored"], figure.get_figwidth(), 5)
    shares.set(title="Time in each action", xlabel="share of recorded time (%)", xlim=(0, 100))
    figure.legend(
        loc="outside lower center", ncols=columns, handlelength=0.9, handleheight=0.9, columnspacing=1.3
    )

    trials = table.groupby("animal")["trial"].nunique().reindex(animals)
    minutes.barh(place, total / 60, height=0.78, color=style.SOFT)
    for at, count in enumerate(trials):
        minutes.text(total[at] / 60, at, f" {count}", va="center", fontsize=7, color=style.SOFT)
    minutes.set(title="Recorded", xlabel="minutes\n(numbers: trials)", yticklabels=[])
    minutes.margins(x=0.12)
    for axis in (shares, minutes):
        axis.set_yticks(place)
        axis.invert_yaxis()
        axis.tick_params(axis="y", length=0)
        axis.spines["left"].set_visible(False)
    shares.set_yticklabels(shortened(animals))

    _draw_durations(durations, table, said, colors)
    return figure


def _draw_durations(axis: Axes, table: pd.DataFrame, names: Sequence[str], colors: Sequence) -> None:
    shown = [label for label in range(len(names)) if (table["label"] == label).any()]
    boxes = axis.boxplot(
        [table.loc[table["label"] == label, "seconds"] for label in shown],
        positions=shown,
        orientation="horizontal",
        widths=0.62,
        whis=(5, 95),
        patch_artist=True,
        flierprops={"marker": ".", "ms": 2.5, "mew": 0, "mfc": style.SOFT, "alpha": 0.5},
        medianprops={"color": style.INK, "lw": 1.2},
        whiskerprops={"color": style.SOFT, "lw": 0.8},
        capprops={"lw": 0},
        manage_ticks=False,
    )
    for box, label in zip(boxes["boxes"], shown, strict=True):
        box.set(facecolor=colors[label], edgecolor="white", lw=0.4)
    if shown:
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter("{x:g}")
        axis.xaxis.set_minor_formatter(NullFormatter())
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.set(title="Length of bouts", xlabel="seconds\n(box: quartiles, whiskers: 5 to 95 %)")
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.grid(axis="x", color=style.FAINT, lw=0.6)
