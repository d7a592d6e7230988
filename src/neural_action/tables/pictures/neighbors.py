"""Poses and their neighbours in the swap table, in every animal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neural_action.datasets.dataset import Dataset
from neural_action.names import shortened
from neural_action.neighbors.table import SwapTable
from neural_action.recordings.midline import midline, midline_parts, segments_of
from neural_action.tables.pictures import style

QUERIES, ANIMALS = 6, 10
FLY = (38, 2)
# Each side of the fly begins with three legs of five joints, front to hind.
_SIDES, _LEG, _LEGS = (0, 19), 5, 3
_LEG_COLORS = ("#0072B2", "#E69F00", "#009E73")
_ENDS = (0, _LEG - 1)
_SNIPPET_SECONDS, _LINES = 1.0, 6
_CELL = 1.3  # inches
# Characters of a name above or beside a cell, and below it in a smaller font.
_NAME, _ACTION = 14, 20

#: Function that draws a sample into an axis, aspect (height over width), and the colours of the legend.
Painter = tuple[Callable[[Axes, int], None], float, dict[str, Any]]


def choose_queries(dataset: Dataset, swaps: SwapTable) -> np.ndarray:
    """(query,) int: at most ``QUERIES`` poses that have neighbours, each of another action.

    If fewer than two actions are labelled, the poses are random. Empty if no pose has neighbours.
    """
    rng = np.random.default_rng(0)
    possible = np.flatnonzero((swaps.targets[:, :, 0] >= 0).any(1))
    labels = dataset.labels[possible]
    found = np.unique(labels[labels >= 0])
    if len(found) < 2:
        return np.sort(rng.permutation(possible)[:QUERIES])
    spread = found[np.unique(np.linspace(0, len(found) - 1, QUERIES).round().astype(int))]
    return np.array([rng.choice(possible[labels == label]) for label in spread])


@style.styled()
def draw_neighbors(dataset: Dataset, swaps: SwapTable) -> Figure:
    """One row for each query: the pose, then one neighbour from each animal, with their actions.

    Flies (38 keypoints, two axes) are drawn as stick figures, and postures of directions of segments as midlines. Other
    skeletons are drawn as points, and other features as traces over one second around the sample. ``swaps`` was
    computed from the poses of ``dataset``.
    """
    queries = choose_queries(dataset, swaps)
    targets = np.flatnonzero(swaps.domains.any(0))
    if len(queries) == 0 or len(targets) == 0:
        return style.nothing("No pose has neighbours in the swap table.")
    targets = targets[np.unique(np.linspace(0, len(targets) - 1, ANIMALS).round().astype(int))]
    chosen = np.column_stack([queries, swaps.targets[queries][:, targets, 0]])
    draw, aspect, colors = _painter(dataset, np.unique(chosen[chosen >= 0]))
    height = np.clip(_CELL * aspect, 0.4, 1.6)
    # With a single animal there are two columns, which are narrower than the heading.
    width = max(_CELL * chosen.shape[1] + 1.0, 4.4)
    figure = style.new_figure(width, (height + 0.3) * len(queries) + 1.2)
    axes = figure.subplots(len(queries), len(targets) + 1, squeeze=False)
    animals, actions = shortened(dataset.animals, _NAME), shortened(dataset.class_names, _ACTION)
    for row, query, samples in zip(axes, queries, chosen, strict=True):
        for place, (axis, at) in enumerate(zip(row, samples, strict=True)):
            if at < 0:
                style.bare(axis)
                axis.text(0.5, 0.5, "–", transform=axis.transAxes, ha="center", color=style.SOFT)
                continue
            draw(axis, int(at))
            color = _name_color(dataset, query, at, place)
            action = actions[dataset.labels[at]] if dataset.labels[at] >= 0 else "no label"
            axis.set_xlabel(action, fontsize=6.5, color=color, labelpad=2)
        for spine in row[0].spines.values():
            spine.set(visible=True, color=style.INK, lw=0.8)
    axes[0, 0].set_title("query", loc="center")
    for axis, animal in zip(axes[0, 1:], targets, strict=True):
        axis.set_title(animals[animal], loc="center")
    for axis, query in zip(axes[:, 0], queries, strict=True):
        axis.set_ylabel(
            f"from\n{animals[dataset.pose_animal[query]]}", fontsize=7, rotation=0, ha="right", va="center"
        )
    lines = [
        "Query poses and one neighbour of each, drawn at random, in every animal",
        "Blue: same action as the query; orange: another action",
    ]
    if len(dataset.behavior_shape) == 1 and not segments_of(dataset.behavior_names):
        lines.append(f"Traces: normalised features over {_SNIPPET_SECONDS:g} s")
    style.heading(figure, *lines)
    if colors:
        handles = style.dots(list(colors), list(colors.values()))
        columns = style.legend_columns(colors, width, 3)
        figure.legend(handles=handles, loc="outside lower center", ncols=columns, handletextpad=0.1)
    return figure


def _name_color(dataset: Dataset, query: int, at: int, place: int) -> str:
    if place == 0:
        return style.INK
    if min(dataset.labels[at], dataset.labels[query]) < 0:
        return style.SOFT
    return style.BLUE if dataset.labels[at] == dataset.labels[query] else style.ORANGE


def _painter(dataset: Dataset, rows: np.ndarray) -> Painter:
    """The painter for the behaviour of the dataset. ``rows`` are all samples that will be drawn."""
    if dataset.behavior_shape == FLY:
        return _fly_painter(dataset, rows)
    if len(dataset.behavior_shape) == 2 and dataset.behavior_shape[1] >= 2:
        return _point_painter(dataset, rows)
    if len(dataset.behavior_shape) == 1 and (segments := segments_of(dataset.behavior_names)):
        return _midline_painter(dataset, rows, segments)
    return _trace_painter(dataset)


def _fly_painter(dataset: Dataset, rows: np.ndarray) -> Painter:
    """Both sides of the fly beside each other, because each has its own camera, at one scale in all axes.

    Recordings do not say which direction is up. Claws are drawn below the coxae, because legs hang down.
    """
    poses = {int(at): dataset.pose_raw[at].reshape(FLY) for at in rows}
    stack = np.stack(list(poses.values()))
    coxae, claws = (
        stack[:, [side + leg * _LEG + joint for side in _SIDES for leg in range(_LEGS)], 1] for joint in _ENDS
    )
    up = np.array([1.0, 1.0 if coxae.mean() >= claws.mean() else -1.0])
    legs = [stack[:, side : side + _LEG * _LEGS] * up for side in _SIDES]
    low, high = (np.array([edge(side, axis=(0, 1)) for side in legs]) for edge in (np.min, np.max))
    gap = 0.06 * (high - low).max()
    # The first side lies left of 0, the other one right of it.
    shift = np.array([-high[0, 0] - gap, gap - low[1, 0]])
    left, right = low[0, 0] + shift[0] - gap, high[1, 0] + shift[1] + gap
    bottom, top = low[:, 1].min() - gap, high[:, 1].max() + gap

    def draw(axis: Axes, at: int) -> None:
        for side, by in zip(_SIDES, shift, strict=True):
            for leg, color in enumerate(_LEG_COLORS):
                first = side + leg * _LEG
                joints = poses[at][first : first + _LEG] * up + (by, 0)
                axis.plot(
                    *joints.T, color=color, lw=1.1, marker="o", ms=1.6, solid_joinstyle="round", clip_on=False
                )
        style.bare(axis)
        axis.set_aspect("equal")
        axis.set(xlim=(left, right), ylim=(bottom, top))

    colors = dict(zip(("front leg", "middle leg", "hind leg"), _LEG_COLORS, strict=True))
    return draw, (top - bottom) / max(right - left, 1e-9), colors


def _point_painter(dataset: Dataset, rows: np.ndarray) -> Painter:
    """Keypoints of another skeleton as points, in their first two axes."""
    poses = {int(at): dataset.pose_raw[at].reshape(dataset.behavior_shape)[:, :2] for at in rows}
    stack = np.concatenate(list(poses.values()))
    low, high = stack.min(0), stack.max(0)
    gap = 0.06 * max((high - low).max(), 1e-9)
    colors = style.animal_colors(dataset.behavior_shape[0])

    def draw(axis: Axes, at: int) -> None:
        axis.scatter(poses[at][:, 0], poses[at][:, 1], s=9, c=colors, lw=0)
        style.bare(axis)
        axis.set_aspect("equal")
        axis.set(xlim=(low[0] - gap, high[0] + gap), ylim=(low[1] - gap, high[1] + gap))

    width, height = high - low + 2 * gap
    return draw, height / width, {}


def _midline_painter(dataset: Dataset, rows: np.ndarray, segments: tuple[int, ...]) -> Painter:
    """The midline of each body, at one scale in all axes."""
    lines = dict(zip(rows.tolist(), midline(dataset.pose_raw[rows][:, segments]), strict=True))
    low, high = (edge(np.concatenate(list(lines.values())), axis=0) for edge in (np.min, np.max))
    gap = 0.06 * max((high - low).max(), 1e-9)
    colors = dict(zip((part.name for part in midline_parts(len(segments))), _LEG_COLORS[:2], strict=True))

    def draw(axis: Axes, at: int) -> None:
        for part in midline_parts(len(segments)):
            axis.plot(
                *lines[at][list(part.keypoints)].T,
                color=colors[part.name],
                lw=1.8,
                solid_capstyle="round",
                clip_on=False,
            )
        style.bare(axis)
        axis.set_aspect("equal")
        axis.set(xlim=(low[0] - gap, high[0] + gap), ylim=(low[1] - gap, high[1] + gap))

    width, height = high - low + 2 * gap
    return draw, height / width, colors


def _trace_painter(dataset: Dataset) -> Painter:
    """Normalised features from half a second before to half a second after, as lines, or as an image if many."""
    values = dataset.pose.reshape(len(dataset.pose), -1)
    few = values[:: max(1, len(values) // 5000)]
    low, high = np.percentile(few, 0.5), np.percentile(few, 99.5)
    colors = style.action_colors(values.shape[1])
    half = _SNIPPET_SECONDS / 2

    def draw(axis: Axes, at: int) -> None:
        own = next(
            trial.samples for trial in dataset.trials if trial.samples.start <= at < trial.samples.stop
        )
        clock = dataset.pose_time[own] - dataset.pose_time[at]
        near = np.abs(clock) <= half
        if values.shape[1] <= _LINES:
            for feature, color in enumerate(colors):
                axis.plot(clock[near], values[own][near, feature], color=color, lw=1, marker=".", ms=2)
            axis.axvline(0, color=style.FAINT, lw=0.8, zorder=0)
            axis.set_ylim(low, high)
        else:
            extent = (clock[near][0], clock[near][-1], values.shape[1], 0)
            axis.imshow(
                values[own][near].T, aspect="auto", cmap="cividis", vmin=low, vmax=high, extent=extent
            )
            axis.axvline(0, color="white", lw=0.8)
        axis.set_xlim(-half, half)
        style.bare(axis)

    few_enough = len(colors) <= _LINES and len(colors) == len(dataset.behavior_names)
    return draw, 0.6, dict(zip(dataset.behavior_names, colors, strict=True)) if few_enough else {}
