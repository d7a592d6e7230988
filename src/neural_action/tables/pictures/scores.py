"""The headline scores of every method: one dot an animal, mean and interval over it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from neural_action.config.settings import MethodSettings
from neural_action.names import shortened
from neural_action.tables.pictures import style
from neural_action.tables.scores import Column, Scores


@style.styled()
def draw_scores(
    scores: Scores, methods: Mapping[str, MethodSettings], column: Column, title: str, classes: int
) -> Figure:
    """Scores across animals in percent, a row a method in order.

    Args:
        scores: every score.
        methods: the rows.
        column: what is drawn.
        title: which data these are.
        classes: number of scored classes; chance is one of them where no row guesses.
    """
    shown = [name for name in methods if not scores.pick(name, column).empty]
    if not shown:
        return style.nothing("No method was scored across animals.")
    figure = style.sheet(6.6, 0.33 * len(shown) + 1.7)
    axis = figure.subplots()
    guesses = [scores.cell(name, column).mean for name in shown if methods[name].representation == "none"]
    chance = 100 * (guesses[0] if guesses else 1 / classes)
    axis.axvline(chance, color=style.ORANGE, lw=1, ls=(0, (4, 2)), label=f"chance ({chance:.1f} %)", zorder=1)
    for at, name in enumerate(shown):
        picked, cell = scores.pick(name, column), scores.cell(name, column)
        animals = 100 * picked.groupby(["animal", "fold"])["value"].mean().groupby("animal").mean().to_numpy()
        spread = np.linspace(-0.2, 0.2, len(animals)) if len(animals) > 1 else np.zeros(1)
        once = {"label": "an animal"} if at == 0 else {}
        axis.plot(animals, at + spread, "o", ms=3.6, mew=0, color=style.BLUE, alpha=0.55, zorder=2, **once)
        once = {"label": "mean and 95 % interval"} if at == 0 else {}
        axis.plot([100 * cell.low, 100 * cell.high], [at, at], color=style.INK, lw=1.6, zorder=3)
        axis.plot(100 * cell.mean, at, "D", ms=5, color=style.INK, mec="white", mew=0.6, zorder=4, **once)
    axis.set_yticks(range(len(shown)), shortened([methods[name].label for name in shown], style.ROW))
    axis.set_ylim(len(shown) - 0.45, -0.55)
    axis.set_xlim(left=0)
    axis.set_xlabel(f"{style.spoken(column.metric)} (%)")
    style.heading(
        figure,
        f"{column.heading} action recognition, fraction of labels {column.part}",
        title,
        color=style.INK,
    )
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.grid(axis="x", color=style.FAINT, lw=0.6)
    for at in range(1, len(shown)):
        if methods[shown[at]].group != methods[shown[at - 1]].group:
            axis.axhline(at - 0.5, color=style.FAINT, lw=0.8)
    figure.legend(loc="outside lower center", ncols=3, handletextpad=0.5)
    return figure
