"""Picture of the fitted decay."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from neural_action.calcium.fit import DECAYS
from neural_action.calcium.kernel import KernelFit

# Colour-blind safe colours of Okabe and Ito.
BLUE, ORANGE = "#0072B2", "#D55E00"


def draw_fit(fit: KernelFit) -> Figure:
    """Measured mean decay, its standard error over bouts, and the fitted curve with its 95 % interval.

    ``fit`` is from ``fit_kernel`` or ``configured_kernel`` (the last has only a curve).
    """
    figure = Figure(figsize=(5, 3.4), dpi=150, layout="constrained")
    axes = figure.add_subplot()
    times, curve = np.array(fit.times), np.array(fit.curve)
    bottom, top = min(-0.2, *curve), 1.35
    if fit.mean:
        mean, error = np.array(fit.mean), np.array(fit.error)
        axes.fill_between(times, mean - error, mean + error, color=BLUE, alpha=0.25, linewidth=0)
        label = "mean over bouts ± standard error"
        axes.plot(times, mean, "o", color=BLUE, markersize=3, markeredgewidth=0, label=label)
        bottom, top = min(bottom, *(mean - error)), max(top, *(mean + error))
    if fit.low is not None and fit.high is not None and len(times):
        since = times - times[0]
        low, high = np.exp(-since / fit.low), np.exp(-since / fit.high)
        axes.fill_between(times, low, high, color=ORANGE, alpha=0.3, linewidth=0)
    axes.plot(times, curve, color=ORANGE, linewidth=2, label=_label(fit))
    axes.axhline(0, color="0.6", linewidth=0.8, zorder=0)
    axes.set_xlabel("time since movement stopped (s)" if fit.source == "rest" else "time since event (s)")
    axes.set_ylabel("fluorescence (share of amplitude)")
    # All measured values are inside the axis.
    axes.set_ylim(bottom - 0.02 * (top - bottom), top)
    axes.set_title(_title(fit), fontsize=9)
    axes.legend(frameon=False, fontsize=8, loc="upper right")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _label(fit: KernelFit) -> str:
    rise = "" if fit.rise is None else f", rise {fit.rise:.3g} s"
    return f"decay {fit.decay:.2f} s{_interval(fit)}{rise}"


def _interval(fit: KernelFit) -> str:
    """The interval as text; bounds at the ends of ``DECAYS`` are shown as limits of the search."""
    if fit.low is None or fit.high is None:
        return ""
    low, high = f"{fit.low:.2f}", f"{fit.high:.2f}"
    if DECAYS[1] < fit.low and fit.high < DECAYS[-2]:
        return f" (95 % {low} to {high})"
    least, most = f"{DECAYS[0]:g}", f"{DECAYS[-1]:g}"
    low = low if DECAYS[1] < fit.low else f"at most {least}"
    high = high if fit.high < DECAYS[-2] else f"at least {most}"
    return f"\n(95 % {low} to {high}; searched: {least} to {most} s)"


def _title(fit: KernelFit) -> str:
    if fit.source == "configured":
        return "configured calcium kernel"
    return f"calcium decay from {fit.n_bouts} rests\n{fit.n_rois} traces (a cell or region counts once per trial)"
