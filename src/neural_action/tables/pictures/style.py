"""The style of pictures: colour-blind safe colours, thin axes, and saving."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from neural_action.files import atomic_write
from neural_action.names import shortened

DPI = 130
#: Characters of a row's label in a picture, at most.
ROW = 44
#: Approximate width of a character of 7.5 points, in inches.
CHARACTER = 1 / 16
INK, SOFT, FAINT = "#1d2330", "#5d6675", "#d5dae2"
# Okabe and Ito (2008), without black and with the yellow darkened for white paper; then Tol's "muted" (2021).
_ACTIONS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#B8A200", "#4A4A4A")
_ANIMALS = ("#332288", "#88CCEE", "#44AA99", "#117733", "#999933", "#DDCC77", "#CC6677", "#882255", "#AA4499")
BLUE, ORANGE = _ACTIONS[0], _ACTIONS[3]

_SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 8,
    "text.parse_math": False,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "axes.labelcolor": INK,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "lines.linewidth": 1.4,
}


def styled() -> Any:
    """Context manager and decorator that applies this style to new artists."""
    return rc_context(_SETTINGS)


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that size in inches, with constrained layout."""
    return Figure(figsize=(width, height), dpi=DPI, layout="constrained")


def heading(figure: Figure, *lines: str, color: str = SOFT) -> None:
    """Write lines at the top of the figure; lines wider than the figure are wrapped."""
    width = int(figure.get_figwidth() / CHARACTER * 7.5 / 8)
    text = "\n".join(textwrap.fill(line, width) for line in lines)
    figure.suptitle(text, x=0.01, ha="left", fontsize=8, color=color)


@styled()
def nothing(message: str) -> Figure:
    """An otherwise empty figure with a message that says why there is nothing to draw."""
    figure = new_figure(6, 1.5)
    figure.text(0.5, 0.5, message, ha="center", va="center", color=SOFT, wrap=True)
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write a PNG atomically; equal figures give equal bytes."""
    with atomic_write(path) as partial:
        write_png(figure, partial)


def write_png(figure: Figure, target: Path | IO[bytes]) -> None:
    """Write a PNG to an open file or to a path."""
    with rc_context(_SETTINGS):
        # Axes of fixed aspect shrink in the first layout; the second one puts everything around them in place.
        figure.draw_without_rendering()
        figure.savefig(target, format="png", metadata={"Software": None})


def action_colors(count: int) -> list:
    """A colour for each action."""
    return _colors(count, _ACTIONS)


def animal_colors(count: int) -> list:
    """A colour for each animal, from another set than the colours of actions."""
    return _colors(count, _ANIMALS)


def _colors(count: int, few: Sequence[str]) -> list:
    return list(few[:count]) if count <= len(few) else list(colormaps["viridis"](np.linspace(0, 1, count)))


def spoken(metric: str) -> str:
    """The written name of a metric: ``balanced_accuracy`` is ``balanced accuracy``."""
    return {"r2": "R2", "auroc": "AUROC", "macro_f1": "macro F1", "weighted_f1": "weighted F1"}.get(
        metric, metric.replace("_", " ")
    )


def dots(names: Sequence[str], colors: Sequence) -> list[Line2D]:
    """Legend entries: a dot and a name each."""
    return [
        Line2D([], [], ls="", marker="o", ms=4.5, color=color, label=name)
        for name, color in zip(shortened(names), colors, strict=True)
    ]


def legend_columns(names: Iterable[str], width: float, most: int) -> int:
    """Number of columns of a legend of ``names`` that fit ``width`` inches, from 1 to ``most``."""
    # A dot and its gaps take about a third of an inch.
    longest = max(map(len, shortened(names)), default=0)
    return max(1, min(most, int(width / (0.35 + longest * CHARACTER))))


def bare(axis: Axes) -> None:
    """Remove ticks and frame."""
    axis.set(xticks=[], yticks=[])
    axis.spines[:].set_visible(False)
