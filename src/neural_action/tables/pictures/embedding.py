"""Two-dimensional maps of representations, coloured by action and by animal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from neural_action.names import shortened
from neural_action.tables.pictures import style
from neural_action.tables.pictures.runs import Run

# Limits on the points of one map and of all maps together: t-SNE takes 1.5 to 2 s for a thousand points.
POINTS, POINTS_ALTOGETHER = 3000, 4000
_COMPONENTS, _PERPLEXITY, _ITERATIONS, _SEED = 30, 30, 500, 0
_FEW = 8  # fewer points have no t-SNE


def flatten(features: np.ndarray) -> np.ndarray:
    """(point, 2) float: t-SNE (perplexity 30, fixed seed) of the first 30 principal components.

    Fewer than 8 points are laid out by their first two components; equal points all lie at 0."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    if not np.ptp(features):
        return np.zeros((len(features), 2))
    count = min(_COMPONENTS, *features.shape)
    # One thread, because the stage has one core; more threads than cores make t-SNE slow.
    with threadpool_limits(1):
        parts = PCA(count, random_state=_SEED).fit_transform(features)
        # A representation with one dimension is padded to two.
        parts = np.pad(parts, ((0, 0), (0, max(0, 2 - count))))
        if len(parts) < _FEW:
            return parts[:, :2]
        perplexity = min(_PERPLEXITY, (len(parts) - 1) / 3)
        layout = TSNE(init="pca", perplexity=perplexity, max_iter=_ITERATIONS, random_state=_SEED)
        return layout.fit_transform(parts)


@style.styled()
def draw_embeddings(runs: Mapping[str, Sequence[Run]], labels: Mapping[str, str], first: str) -> Figure:
    """A pair of maps for each method, from its first run: labelled windows coloured by action and by animal.

    Args:
        runs: runs of each method; methods without a representation are not drawn.
        labels: label of each method.
        first: the method drawn first.
    """
    order = sorted(runs, key=lambda name: name != first)
    drawn = [
        (name, runs[name][0], values) for name in order if (values := runs[name][0].features()) is not None
    ]
    if not drawn:
        return style.nothing("No method has a representation to draw.")
    across = 1 if len(drawn) <= 3 else 2
    down = -(-len(drawn) // across)
    figure = style.new_figure(5.9 * across, 2.75 * down + 0.8)
    pairs = np.atleast_2d(figure.subfigures(down, across, wspace=0.03, hspace=0.02, squeeze=False))
    limit = min(POINTS, POINTS_ALTOGETHER // len(drawn))
    titles = shortened([labels[name] for name, _, _ in drawn], style.ROW)
    for at, panel in enumerate(pairs.flat):
        if at >= len(drawn):
            break
        _, run, values = drawn[at]
        rows = _sample(run, limit)
        points = flatten(values[rows])
        panel.suptitle(titles[at], x=0.01, ha="left", fontsize=9, fontweight="bold")
        left, right = panel.subplots(1, 2)
        for axis, colors, number, title in (
            (left, [*style.action_colors(len(run.class_names)), style.FAINT], run.label[rows], "by action"),
            (right, style.animal_colors(len(run.animals)), run.animal[rows], "by animal"),
        ):
            size = 5 if len(rows) > 1000 else 9
            axis.scatter(*points.T, s=size, c=[colors[k] for k in number], lw=0, alpha=0.85, rasterized=True)
            axis.set_title(title, fontweight="normal", color=style.SOFT, loc="center")
            axis.set_box_aspect(1)
            axis.margins(0.04)
            axis.set(xticks=[], yticks=[])
            axis.spines[:].set(visible=True, color=style.FAINT)
    run, lines = drawn[0][1], 0
    for names, colors, title, side in (
        (run.class_names, style.action_colors(len(run.class_names)), "action", "left"),
        (run.animals, style.animal_colors(len(run.animals)), "animal", "right"),
    ):
        handles = style.dots(names, colors)
        if len(handles) > 12:
            handles = [handles[k] for k in np.linspace(0, len(handles) - 1, 12).round().astype(int)]
        columns = style.legend_columns(names, 5.9 * across / 2, 4 if across > 1 else 3)
        lines = max(lines, -(-len(handles) // columns))
        place: Any = f"outside lower {side}"
        figure.legend(
            handles=handles,
            title=title if len(names) <= 12 else f"{title} (12 of {len(names)})",
            loc=place,
            ncols=columns,
            handletextpad=0.1,
            columnspacing=0.9,
        )
    # The size of the maps does not depend on the legends below them.
    figure.set_figheight(2.75 * down + 0.4 + 0.16 * lines)
    count, of = len(_sample(run, limit)), f"{run.run}, seed {run.seed}"
    style.heading(figure, f"t-SNE of the frozen representation, {count} labelled windows; run: {of}")
    return figure


def _sample(run: Run, limit: int) -> np.ndarray:
    """Rows of at most ``limit`` labelled windows, or of any windows if none is labelled; equal for equal windows."""
    rows = np.flatnonzero(run.label >= 0)
    if len(rows) == 0:
        rows = np.arange(len(run.label))
    return np.sort(np.random.default_rng(_SEED).permutation(rows)[:limit])
