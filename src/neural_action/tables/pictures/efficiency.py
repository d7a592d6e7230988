"""Curves of label efficiency: scores over the number of labelled trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from neural_action.config.settings import MethodSettings
from neural_action.names import shortened
from neural_action.tables.pictures import style
from neural_action.tables.scores import Column, Scores


@style.styled()
def draw_efficiency(
    scores: Scores,
    methods: Mapping[str, MethodSettings],
    curves: Mapping[str, Sequence[Column]],
    title: str,
) -> Figure:
    """Mean and 95 % interval over the number of labelled trials: a panel for each of ``curves``, a curve for each row.

    Args:
        scores: all scores.
        methods: the rows to draw; those without a network are dashed.
        curves: columns of each panel by its title, from few labels to all.
        title: line that describes the dataset.
    """
    if not curves:
        return style.nothing("Nothing was scored with few labels.")
    across = min(len(curves), 4)
    down = -(-len(curves) // across)
    figure = style.new_figure(2.2 + 3.8 * across, 0.6 + 3.6 * down)
    axes = figure.subplots(down, across, sharey=True, squeeze=False)
    colors = dict(zip(methods, style.action_colors(len(methods)), strict=True))
    labels = shortened([row.label for row in methods.values()], style.ROW)
    lines = {}
    for axis, panel, own in zip(axes.flat, shortened(curves, style.ROW), curves.values(), strict=False):
        places = np.arange(len(own))
        for (name, row), label in zip(methods.items(), labels, strict=True):
            cells = [scores.cell(name, column) for column in own]
            # A row that trains with labels has scores with all labels only.
            at = [place for place, cell in zip(places, cells, strict=True) if cell is not None]
            if not at:
                continue
            low, mean, high = (
                100 * np.array([getattr(cell, key) for cell in cells if cell is not None])
                for key in ("low", "mean", "high")
            )
            line = "-" if row.representation == "trained" else (0, (4, 2))
            axis.fill_between(at, low, high, color=colors[name], alpha=0.12, lw=0)
            lines[label] = axis.plot(at, mean, ls=line, marker="o", ms=3, color=colors[name])[0]
        axis.set_xticks(places, [column.part for column in own])
        axis.set_xlabel("labelled trials of each class")
        axis.set_title(panel)
        axis.grid(axis="y", color=style.FAINT, lw=0.6)
        axis.set_ylabel(f"{style.spoken(own[0].metric)} (%)")
    for axis in axes.flat[len(curves) :]:
        axis.set_visible(False)
    style.heading(figure, title, color=style.INK)
    figure.legend(list(lines.values()), list(lines), loc="outside right upper")
    return figure
