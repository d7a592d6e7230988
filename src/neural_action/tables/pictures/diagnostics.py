"""The picture of the diagnostics: lag curves, lag of each trial, class balance, and permuted labels beside chance."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neural_action.config.output_settings import DiagnosticsSettings
from neural_action.diagnostics.finding import Finding
from neural_action.diagnostics.run import Diagnosis
from neural_action.names import shortened
from neural_action.tables.pictures import style

#: Width of a character and height of a line of a trial's name, as shares of the panel.
_CHARACTER, _LINE = 0.02, 0.07


@style.styled()
def draw_diagnostics(found: Diagnosis, settings: DiagnosticsSettings) -> Figure:
    """Four panels; an empty panel says why it is empty."""
    figure = style.new_figure(10, 6.4)
    (curves, lags), (balance, control) = figure.subplots(2, 2, width_ratios=[1, 1.15])
    _draw_curves(curves, found)
    _draw_lags(lags, found, settings)
    _draw_balance(balance, found)
    _draw_control(control, found)
    return figure


def _suspicious(found: Diagnosis, check: str) -> set[str]:
    return {finding.subject for finding in found.of(check) if finding.severity in ("warning", "error")}


def _empty(axis: Axes, title: str, found: list[Finding]) -> None:
    axis.set_title(title)
    style.bare(axis)
    text = found[0].message if found else "not checked"
    text = textwrap.fill(text, 48)
    axis.text(0.5, 0.5, text, transform=axis.transAxes, ha="center", va="center", color=style.SOFT)


def _name(axis: Axes, places: Sequence[tuple[str, float, float]]) -> None:
    """Write names beside their x and y (data coordinates), in order; a name that would overlap another is left out."""
    (left, right), (low, high) = axis.get_xlim(), axis.get_ylim()
    taken: list[tuple[float, float, float]] = []
    for name, (_, x, y) in zip(shortened(name for name, _, _ in places), places, strict=True):
        across, up, width = (x - left) / (right - left), (y - low) / (high - low), _CHARACTER * len(name)
        side = "left" if across + width <= 1 else "right"
        begin = across if side == "left" else across - width
        if any(
            abs(up - line) < _LINE and begin < other + wide and other < begin + width
            for other, wide, line in taken
        ):
            continue
        taken.append((begin, width, up))
        offset = (3 if side == "left" else -3, 1)
        axis.annotate(
            name, (x, y), offset, textcoords="offset points", fontsize=6.5, color=style.ORANGE, ha=side
        )


def _draw_curves(axis: Axes, found: Diagnosis) -> None:
    title = "Neural activity against movement"
    if not any(np.isfinite(whole.correlation).any() for whole, _, _ in found.synchrony.values()):
        return _empty(axis, title, found.of("synchrony"))
    odd = _suspicious(found, "synchrony")
    every, named = [], []
    for trial, (whole, _, _) in found.synchrony.items():
        every.append(whole.correlation)
        late = trial in odd
        axis.plot(
            whole.lags,
            whole.correlation,
            color=style.ORANGE if late else style.BLUE,
            lw=1.3 if late else 0.6,
            alpha=0.95 if late else 0.35,
            zorder=3 if late else 2,
        )
        if late and np.isfinite(whole.peak):
            named.append((trial, whole.lag, whole.peak))
    lags = whole.lags
    axis.plot(lags, np.nanmean(every, 0), color=style.INK, lw=2, zorder=4)
    axis.axvline(0, color=style.FAINT, lw=0.8, zorder=1)
    axis.axhline(0, color=style.FAINT, lw=0.8, zorder=1)
    looks = "thin: a trial; bold: mean" + ("; orange: warning" if odd else "")
    axis.set(
        title=title,
        xlabel=f"lag of neural activity behind movement (s)\n{looks}",
        ylabel="correlation with motion energy",
        xlim=(lags[0], lags[-1]),
    )
    _name(axis, named)
    return None


def _draw_lags(axis: Axes, found: Diagnosis, settings: DiagnosticsSettings) -> None:
    """Lag of the peak of each trial whose peak is above chance, by animal."""
    title = "Lag of every trial"
    shown = [
        (check, trial, curve)
        for check, curves in (
            ("synchrony", {trial: parts[0] for trial, parts in found.synchrony.items()}),
            ("labels", found.labels),
        )
        for trial, curve in curves.items()
        if curve.clear
    ]
    if not shown:
        return _empty(axis, title, found.of("labels"))
    animals = list(dict.fromkeys(trial.split("/")[0] for _, trial, _ in shown))
    looks = {"synchrony": ("o", style.BLUE, -0.14), "labels": ("D", style.INK, 0.14)}
    names = {"synchrony": "neural activity behind movement", "labels": "behaviour behind labels"}
    named, shaded = [], False
    for check, (marker, color, shift) in looks.items():
        own = [(trial, curve.lag) for name, trial, curve in shown if name == check]
        if not own:
            continue
        odd = _suspicious(found, check)
        place = np.array([animals.index(trial.split("/")[0]) for trial, _ in own]) + shift
        colors = [style.ORANGE if trial in odd else color for trial, _ in own]
        axis.scatter(
            [lag for _, lag in own], place, s=16, c=colors, marker=marker, lw=0, alpha=0.85, zorder=3
        )
        axis.scatter([], [], s=16, c=color, marker=marker, lw=0, label=names[check])
        centre = float(np.median([lag for _, lag in own])) if check == "synchrony" else 0.0
        width = settings.lag_tolerance if check == "synchrony" else settings.label_tolerance
        # The expected lag of movement is the median of the trials, so a single trial has none.
        compared = any(finding.subject == own[0][0] for finding in found.of(check)) and len(own) > 1
        if compared or check == "labels":
            axis.axvspan(centre - width, centre + width, color=color, alpha=0.07, lw=0, zorder=1)
            shaded = True
        # The row names the animal. If not all trial names fit, the trials farthest from the centre are named.
        far = sorted(zip(own, place, strict=True), key=lambda one: -abs(one[0][1] - centre))
        named += [(trial.split("/", 1)[1], lag, at) for (trial, lag), at in far if trial in odd]
    axis.set_yticks(range(len(animals)), shortened(animals))
    # Room for the legend above the first animal.
    axis.set_ylim(len(animals) - 0.4, -0.6 - 0.15 * len(animals))
    said = "lag (s)" + ("; shaded: expected range" if shaded else "")
    said += "\norange: warning, named where there is room" if named else ""
    axis.set(title=title, xlabel=said)
    axis.set_xlim(-settings.longest_lag, settings.longest_lag)
    _name(axis, named)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x", color=style.FAINT, lw=0.6)
    axis.legend(loc="upper left", fontsize=6.5, handletextpad=0.1, borderaxespad=0.1)
    return None


def _draw_balance(axis: Axes, found: Diagnosis) -> None:
    title = "Test windows of each animal and action"
    tested = found.counts[(found.counts["class"] != "") & (found.counts["role"] == "test")]
    if not tested["windows"].sum():
        return _empty(axis, title, found.of("balance"))
    table = tested.pivot_table(index="animal", columns="class", values="windows", aggfunc="sum", sort=False)
    table = table.reindex(index=list(found.animals), columns=list(found.class_names), fill_value=0)
    values = table.to_numpy()
    axis.imshow(np.sqrt(values), aspect="auto", cmap="cividis", vmin=0)
    if values.size <= 200:
        for row, column in np.ndindex(values.shape):
            bright = values[row, column] > 0.35 * values.max()
            text = str(values[row, column]) if values[row, column] else "none"
            axis.text(
                column, row, text, ha="center", va="center", fontsize=6.5, color="#111" if bright else "white"
            )
    axis.set_xticks(range(len(table.columns)), shortened(table.columns), rotation=30, ha="right")
    axis.set_yticks(range(len(table)), shortened(table.index))
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set_title(title)
    return None


def _draw_control(axis: Axes, found: Diagnosis) -> None:
    title = "Permuted labels beside chance"
    measured = [finding for finding in found.of("control") if "mean" in finding.values]
    if not measured:
        return _empty(axis, title, found.of("control"))
    ends = []
    for at, finding in enumerate(measured):
        values: Mapping[str, Any] = finding.values
        low, mean, high, chance = (100 * values[key] for key in ("low", "mean", "high", "chance"))
        ends.append(high)
        color = style.INK if finding.severity == "ok" else style.ORANGE
        # Markers are not clipped at 100 %, the end of the axis, and numbers there are written to the left.
        axis.plot([low, high], [at, at], color=color, lw=1.8, zorder=3, clip_on=False)
        axis.plot(mean, at, "D", ms=5.5, color=color, mec="white", mew=0.6, zorder=4, clip_on=False)
        axis.plot([chance, chance], [at - 0.3, at + 0.3], color=style.ORANGE, lw=1.6, zorder=2, clip_on=False)
        beside = (high, "left") if high < 80 else (low, "right")
        axis.text(beside[0], at - 0.1, f"  {mean:.1f} %  ", ha=beside[1], va="bottom", fontsize=7)
        axis.text(
            chance, at + 0.32, f"chance {chance:.1f}", ha="center", va="top", fontsize=6.5, color=style.ORANGE
        )
    names = [f"{finding.values['task']}, {finding.values['probe']}" for finding in measured]
    axis.set_yticks(range(len(measured)), shortened(names))
    axis.set_ylim(len(measured) - 0.4, -0.6)
    axis.set_xlim(0, min(100.0, max(25.0, 1.6 * max(ends))))
    axis.set(title=title, xlabel="score (%), mean and 95 % interval")
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x", color=style.FAINT, lw=0.6)
    return None
