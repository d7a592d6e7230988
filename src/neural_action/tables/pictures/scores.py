"""Scores of every row: one dot for each animal or split, with their mean and interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neural_action.config.settings import MethodSettings
from neural_action.names import shortened
from neural_action.tables.pictures import style
from neural_action.tables.scores import UNBOUNDED, Column, Scores


@style.styled()
def draw_scores(
    scores: Scores,
    methods: Mapping[str, MethodSettings],
    columns: Sequence[Column],
    title: str,
    classes: int = 0,
) -> Figure:
    """One panel for each column, one line for each method. Chance is a dashed line.

    Args:
        scores: all scores.
        methods: the rows, in order.
        columns: the columns of scores that are drawn.
        title: line that describes the dataset.
        classes: number of scored classes, which gives chance if no row guesses; 0 if there are no classes.
    """
    shown = [name for name in methods if any(not scores.pick(name, column).empty for column in columns)]
    if not shown:
        return style.nothing("No row was scored.")
    across = min(len(columns), 4)
    down = -(-len(columns) // across)
    figure = style.new_figure(3.1 + 3.5 * across, (0.33 * len(shown) + 1.0) * down + 0.7)
    axes = figure.subplots(down, across, sharey=True, squeeze=False)
    for axis, column, name in zip(axes.flat, columns, _titles(columns), strict=False):
        _draw(axis, scores, methods, shown, column, classes)
        axis.set_title(name)
    for axis in axes.flat[len(columns) :]:
        axis.set_visible(False)
    labels = shortened([methods[name].label for name in shown], style.ROW)
    for axis in axes[:, 0]:
        axis.set_yticks(range(len(shown)), labels)
        axis.set_ylim(len(shown) - 0.45, -0.55)
    first = columns[0]
    style.heading(
        figure,
        f"{first.heading}, {scores.probe_label(first.probe)}, {first.label_budget} labels",
        title,
        color=style.INK,
    )
    figure.legend(
        *axes.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, handletextpad=0.5
    )
    return figure


def _titles(columns: Sequence[Column]) -> list[str]:
    return shortened([column.part for column in columns]) if len(columns) > 1 else [""]


def _draw(
    axis: Axes,
    scores: Scores,
    methods: Mapping[str, MethodSettings],
    shown: Sequence[str],
    column: Column,
    classes: int,
) -> None:
    plain = column.metric in UNBOUNDED
    unit = 1 if plain else 100
    guesses = [
        cell.mean
        for name in shown
        if methods[name].representation == "none" and (cell := scores.cell(name, column)) is not None
    ]
    if guesses or (classes and not plain):
        chance = unit * (guesses[0] if guesses else 1 / classes)
        axis.axvline(chance, color=style.ORANGE, lw=1, ls=(0, (4, 2)), label="chance", zorder=1)
    named: set[str] = set()
    for at, name in enumerate(shown):
        cell = scores.cell(name, column)
        if cell is None:
            continue
        values, of = _dots(scores.pick(name, column))
        spread = np.linspace(-0.2, 0.2, len(values)) if len(values) > 1 else np.zeros(1)
        dots = axis.plot(
            unit * values, at + spread, "o", ms=3.4, mew=0, color=style.BLUE, alpha=0.5, zorder=2
        )
        axis.plot([unit * cell.low, unit * cell.high], [at, at], color=style.INK, lw=1.6, zorder=3)
        mean = axis.plot(unit * cell.mean, at, "D", ms=5, color=style.INK, mec="white", mew=0.6, zorder=4)
        for line, label in ((dots[0], of), (mean[0], "mean and 95 % interval")):
            # The legend names each once; Matplotlib skips labels that begin with an underscore.
            line.set_label(label if label not in named else f"_{label}")
            named.add(label)
    axis.set_xlabel(style.spoken(column.metric) + ("" if plain else " (%)"))
    if not plain:
        axis.set_xlim(left=0)
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.grid(axis="x", color=style.FAINT, lw=0.6)
    for at in range(1, len(shown)):
        if methods[shown[at]].group != methods[shown[at - 1]].group:
            axis.axhline(at - 0.5, color=style.FAINT, lw=0.8)


def _dots(picked: pd.DataFrame) -> tuple[np.ndarray, str]:
    """The mean of each animal, or of each split if there is one animal; and what a dot is."""
    whole = picked[picked["unit"] == ""]
    splits = whole.groupby(["animal", "split"])["value"].mean()
    if whole["animal"].nunique() > 1:
        return splits.groupby("animal").mean().to_numpy(), "an animal"
    return splits.to_numpy(), "a split"
