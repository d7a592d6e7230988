"""Fit the calcium kernel after recorded spikes, for recordings with both electrophysiology and fluorescence."""

from __future__ import annotations

import numpy as np

from neural_action.calcium.fit import Segment, fit_segments
from neural_action.calcium.kernel import KernelFit
from neural_action.config.settings import CalciumSettings
from neural_action.errors import InputError


def fit_spike_kernel(
    trace: np.ndarray,
    time: np.ndarray,
    events: np.ndarray,
    settings: CalciumSettings,
    *,
    quiet: float = 1.5,
    delay: float = 0.2,
) -> KernelFit:
    """Fit the decay of ``trace`` (t,) after bursts that are followed by no spike for ``quiet`` seconds.

    Args:
        trace: dF/F.
        time: (t,) s.
        events: spike times, s.
        settings: bootstrap.
        quiet: time without a spike after the last spike of a burst, s.
        delay: time after the last spike at which the fit begins, when the rise is over, s.

    Raises:
        InputError: fewer than three such bursts.
    """
    return fit_segments(spike_segments(trace, time, events, quiet=quiet, delay=delay), settings)


def spike_segments(
    trace: np.ndarray, time: np.ndarray, events: np.ndarray, *, quiet: float, delay: float, recording: int = 0
) -> list[Segment]:
    """Segments from ``delay`` after the last spike of each burst to the next spike, at most to ``2 quiet``.

    Raises InputError for fewer than three segments."""
    events = np.sort(events[np.isfinite(events)])
    gaps = np.append(np.diff(events), np.inf)
    segments = []
    for event, gap in zip(events, gaps, strict=True):
        rows = (time >= event + delay) & (time <= event + min(gap, 2 * quiet))
        if gap >= quiet and rows.sum() >= 8 and np.isfinite(trace[rows]).all():
            segments.append(Segment(recording, time[rows] - event, trace[rows][:, None]))
    if len(segments) < 3:
        raise InputError(
            f"calcium: {len(segments)} isolated bursts, expected at least 3 for the fit of a kernel"
        )
    return segments
