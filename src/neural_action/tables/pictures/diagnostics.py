"""What the checks looked at: lag curves, the lag of every trial, class balance, and the control beside chance."""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from neural_action.config.settings import DiagnosticsSettings
from neural_action.diagnostics.every import Diagnosis
from neural_action.diagnostics.finding import Finding
from neural_action.tables.pictures import style

_TASKS = {
    "single_animal": "within an animal",
    "multi_animal": "animal left out",
    "identity": "identity",
    "decoding": "decoding",
}


@style.styled()
def draw_diagnostics(found: Diagnosis, settings: DiagnosticsSettings) -> Figure:
    """Four panels; one that has nothing to show says why."""
    figure = style.sheet(10, 6.4)
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
    text = found[0].message if found else "not made"
    text = textwrap.fill(text, 48)
    axis.text(0.5, 0.5, text, transform=axis.transAxes, ha="center", va="center", color=style.SOFT)


def _draw_curves(axis: Axes, found: Diagnosis) -> None:
    title = "Neural activity against movement"
    if not any(np.isfinite(whole.correlation).any() for whole, _, _ in found.synchrony.values()):
        return _empty(axis, title, found.of("synchrony"))
    odd = _suspicious(found, "synchrony")
    every = []
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
        if late:
            axis.annotate(trial, (whole.lag, whole.peak), fontsize=6.5, color=style.ORANGE, va="bottom")
    lags = whole.lags
    axis.plot(lags, np.nanmean(every, 0), color=style.INK, lw=2, zorder=4)
    axis.axvline(0, color=style.FAINT, lw=0.8, zorder=1)
    axis.axhline(0, color=style.FAINT, lw=0.8, zorder=1)
    axis.set(
        title=title,
        xlabel="lag of neural activity behind movement (s)",
        ylabel="correlation with motion energy",
        xlim=(lags[0], lags[-1]),
    )
    text = "thin: a trial; bold: mean" + ("; orange: look at it" if odd else "")
    axis.text(0.99, 1.02, text, transform=axis.transAxes, fontsize=6.5, color=style.SOFT, ha="right")
    return None


def _draw_lags(axis: Axes, found: Diagnosis, settings: DiagnosticsSettings) -> None:
    """The lag at the peak of every trial whose peak is above chance, by animal."""
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
        centre = np.median([lag for _, lag in own]) if check == "synchrony" else 0.0
        width = settings.lag_tolerance if check == "synchrony" else settings.label_tolerance
        axis.axvspan(centre - width, centre + width, color=color, alpha=0.07, lw=0, zorder=1)
        for (trial, lag), at in zip(own, place, strict=True):
            if trial in odd:
                axis.annotate(f" {trial}", (lag, at), fontsize=6.5, color=style.ORANGE, va="center")
    axis.set_yticks(range(len(animals)), animals)
    axis.set_ylim(len(animals) - 0.4, -0.6)
    axis.set(title=title, xlabel="lag (s); shaded: what is expected")
    axis.set_xlim(-settings.longest_lag, settings.longest_lag)
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x", color=style.FAINT, lw=0.6)
    axis.legend(loc="upper left", fontsize=6.5, handletextpad=0.1, borderaxespad=0.1)
    return None


def _draw_balance(axis: Axes, found: Diagnosis) -> None:
    title = "Clips of each animal and action"
    labelled = found.counts[found.counts["class"] != ""]
    if not labelled["clips"].sum():
        return _empty(axis, title, found.of("balance"))
    table = labelled.pivot_table(index="animal", columns="class", values="clips", aggfunc="sum", sort=False)
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
    axis.set_xticks(
        range(len(table.columns)), [style.spoken(name) for name in table.columns], rotation=30, ha="right"
    )
    axis.set_yticks(range(len(table)), table.index)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set_title(title)
    return None


def _draw_control(axis: Axes, found: Diagnosis) -> None:
    title = "Permuted labels beside chance"
    measured = [finding for finding in found.of("control") if "mean" in finding.values]
    if not measured:
        return _empty(axis, title, found.of("control"))
    for at, finding in enumerate(measured):
        low, mean, high, chance = (100 * finding.values[key] for key in ("low", "mean", "high", "chance"))
        color = style.INK if finding.severity == "ok" else style.ORANGE
        axis.plot([low, high], [at, at], color=color, lw=1.8, zorder=3)
        axis.plot(mean, at, "D", ms=5.5, color=color, mec="white", mew=0.6, zorder=4)
        axis.plot([chance, chance], [at - 0.3, at + 0.3], color=style.ORANGE, lw=1.6, zorder=2)
        axis.text(high, at - 0.1, f"  {mean:.1f} %", va="bottom", fontsize=7)
        axis.text(
            chance, at + 0.32, f"chance {chance:.1f}", ha="center", va="top", fontsize=6.5, color=style.ORANGE
        )
    names = [_TASKS.get(finding.message.split(":")[0], finding.subject) for finding in measured]
    axis.set_yticks(range(len(measured)), names)
    axis.set_ylim(len(measured) - 0.4, -0.6)
    axis.set_xlim(0, max(25.0, 1.6 * max(100 * finding.values["high"] for finding in measured)))
    axis.set(title=title, xlabel="score (%), mean and 95 % interval")
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x", color=style.FAINT, lw=0.6)
    return None
