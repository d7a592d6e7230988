"""The fitted decay as a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from neural_action.calcium.fit import KernelFit

# Okabe and Ito's colours, told apart by all kinds of colour vision.
BLUE, ORANGE = "#0072B2", "#D55E00"
AXIS = {"rest": "time since movement stopped (s)", "spikes": "time since last spike (s)"}


def draw_fit(fit: KernelFit, path: Path) -> None:
    """Draw measured mean decay, its standard error over bouts, and the fitted curve with its 95 % interval.

    Args:
        fit: from ``fit_kernel``, ``fit_spike_kernel`` or ``configured_kernel`` (then the curve alone).
        path: of the picture; its ending chooses the format.
    """
    figure = Figure(figsize=(5, 3.4), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    times, curve = np.array(fit.times), np.array(fit.curve)
    if fit.mean:
        mean, error = np.array(fit.mean), np.array(fit.error)
        axes.fill_between(times, mean - error, mean + error, color=BLUE, alpha=0.25, linewidth=0)
        label = "mean over bouts ± standard error"
        axes.plot(times, mean, "o", color=BLUE, markersize=3, markeredgewidth=0, label=label)
    if fit.low is not None and fit.high is not None and len(times):
        since = times - times[0]
        low, high = np.exp(-since / fit.low), np.exp(-since / fit.high)
        axes.fill_between(times, low, high, color=ORANGE, alpha=0.3, linewidth=0)
    axes.plot(times, curve, color=ORANGE, linewidth=2, label=_label(fit))
    axes.axhline(0, color="0.6", linewidth=0.8, zorder=0)
    axes.set_xlabel(AXIS.get(fit.source, "time since event (s)"))
    axes.set_ylabel("fluorescence (share of amplitude)")
    axes.set_ylim(min(-0.2, *curve), 1.35)
    axes.set_title(_title(fit), fontsize=9)
    axes.legend(frameon=False, fontsize=8, loc="upper right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path)


def _label(fit: KernelFit) -> str:
    interval = "" if fit.low is None else f" (95 % {fit.low:.2f} to {fit.high:.2f})"
    rise = "" if fit.rise is None else f", rise {fit.rise:.3g} s"
    return f"decay {fit.decay:.2f} s{interval}{rise}"


def _title(fit: KernelFit) -> str:
    if fit.source == "configured":
        return "configured calcium kernel"
    what = {"rest": "rests", "spikes": "isolated bursts"}[fit.source]
    return f"calcium decay from {fit.n_bouts} {what}, {fit.n_rois} traces"
