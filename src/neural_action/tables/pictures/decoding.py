"""Decoding: the accuracy of every row split by split, and how it grows with the number of labelled trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from neural_action.config.settings import MethodSettings
from neural_action.names import shortened
from neural_action.tables.pictures import style
from neural_action.tables.scores import Column, Scores


@style.styled()
def draw_splits(
    scores: Scores, methods: Mapping[str, MethodSettings], columns: Sequence[Column], title: str
) -> Figure:
    """A panel an animal: a dot for each split (mean over seeds), the mean with its interval, a row a method.

    Args:
        scores: every score.
        methods: the rows, in order.
        columns: what each panel shows.
        title: which data these are.
    """
    shown = [name for name in methods if not scores.pick(name, columns[0]).empty]
    figure = style.sheet(3.1 + 3.2 * len(columns), 0.3 * len(shown) + 1.4)
    axes = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
    animals = shortened([column.part for column in columns])
    for axis, column, animal in zip(axes, columns, animals, strict=True):
        for at, name in enumerate(shown):
            picked, cell = scores.pick(name, column), scores.cell(name, column)
            if cell is None:
                continue
            splits = 100 * picked.groupby("fold")["value"].mean().to_numpy()
            spread = np.linspace(-0.22, 0.22, len(splits)) if len(splits) > 1 else np.zeros(1)
            once = {"label": "a split"} if at == 0 else {}
            axis.plot(splits, at + spread, "o", ms=3, mew=0, color=style.BLUE, alpha=0.5, zorder=2, **once)
            once = {"label": "mean and 95 % interval"} if at == 0 else {}
            axis.plot([100 * cell.low, 100 * cell.high], [at, at], color=style.INK, lw=1.6, zorder=3)
            axis.plot(
                100 * cell.mean, at, "D", ms=4.5, color=style.INK, mec="white", mew=0.6, zorder=4, **once
            )
        axis.set_title(animal)
        axis.set_xlabel(f"{style.spoken(column.metric)} (%)")
        axis.grid(axis="x", color=style.FAINT, lw=0.6)
        axis.tick_params(axis="y", length=0)
        axis.spines["left"].set_visible(False)
        for at in range(1, len(shown)):
            if methods[shown[at]].group != methods[shown[at - 1]].group:
                axis.axhline(at - 0.5, color=style.FAINT, lw=0.8)
    axes[0].set_yticks(range(len(shown)), shortened([methods[name].label for name in shown], style.ROW))
    axes[0].set_ylim(len(shown) - 0.45, -0.55)
    style.heading(figure, title, color=style.INK)
    figure.legend(
        *axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, handletextpad=0.5
    )
    return figure


@style.styled()
def draw_efficiency(
    scores: Scores,
    methods: Mapping[str, MethodSettings],
    columns: Mapping[str, Sequence[Column]],
    title: str,
) -> Figure:
    """A panel an animal: mean accuracy and 95 % interval by the number of labelled trials, a curve a row.

    Args:
        scores: every score.
        methods: the rows to draw; those without a network are dashed.
        columns: of each animal, from few labels to all.
        title: which data these are.
    """
    figure = style.sheet(2.2 + 3.8 * len(columns), 4.2)
    axes = figure.subplots(1, len(columns), sharey=True, squeeze=False)[0]
    colors = dict(zip(methods, style.action_colors(len(methods)), strict=True))
    labels = shortened([row.label for row in methods.values()], style.ROW)
    for axis, animal, own in zip(axes, shortened(columns), columns.values(), strict=True):
        places = np.arange(len(own))
        for (name, row), label in zip(methods.items(), labels, strict=True):
            cells = [scores.cell(name, column) for column in own]
            if any(cell is None for cell in cells):
                continue
            low, mean, high = (
                100 * np.array([getattr(c, k) for c in cells]) for k in ("low", "mean", "high")
            )
            line = "-" if row.representation == "trained" else (0, (4, 2))
            axis.fill_between(places, low, high, color=colors[name], alpha=0.12, lw=0)
            axis.plot(places, mean, ls=line, marker="o", ms=3, color=colors[name], label=label)
        axis.set_xticks(places, [column.part for column in own])
        axis.set_xlabel("labelled trials of each class")
        axis.set_title(animal)
        axis.grid(axis="y", color=style.FAINT, lw=0.6)
    axes[0].set_ylabel("accuracy (%)")
    style.heading(figure, title, color=style.INK)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right upper")
    return figure
