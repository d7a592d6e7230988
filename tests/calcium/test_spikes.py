"""Decay after recorded spikes: simulated, and of two indicators whose order is known."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from neural_action.calcium.fit import Segment, fit_segments
from neural_action.config.settings import CalciumSettings

SETTINGS = CalciumSettings(bootstrap=50)


def spike_segments(trace, time, events, recording=0, quiet=1.5, delay=0.2):
    """Segments from ``delay`` after the last spike of each burst to the next spike, at most to ``2 quiet`` (s)."""
    events = np.sort(events[np.isfinite(events)])
    segments = []
    for event, gap in zip(events, np.append(np.diff(events), np.inf), strict=True):
        rows = (time >= event + delay) & (time <= event + min(gap, 2 * quiet))
        if gap >= quiet and rows.sum() >= 8 and np.isfinite(trace[rows]).all():
            segments.append(Segment(recording, time[rows] - event, trace[rows][:, None]))
    return segments


def test_recovers_the_decay_after_spikes():
    rng = np.random.default_rng(0)
    time = np.arange(0, 200, 1 / 60)
    events = np.sort(rng.uniform(0, 200, 60))
    since = time[:, None] - events
    response = np.where(
        since > 0, np.exp(-np.maximum(since, 0) / 0.5) - np.exp(-np.maximum(since, 0) / 0.03), 0
    )
    trace = response.sum(1) + 0.05 * rng.normal(size=len(time))
    fit = fit_segments(spike_segments(trace, time, events), SETTINGS)
    assert fit.decay == pytest.approx(0.5, rel=0.15)


@pytest.mark.real_data
def test_gcamp6s_is_slower_than_gcamp6f():
    root = os.environ.get("NEURAL_ACTION_DATA")
    if not root or not (Path(root) / "calcium_ground_truth").is_dir():
        pytest.skip("NEURAL_ACTION_DATA names no folder with calcium_ground_truth")
    fits = {}
    for indicator in ("6f", "6s"):
        segments = []
        for path in sorted((Path(root) / "calcium_ground_truth").glob(f"*GCaMP{indicator}*/*.mat")):
            for recording in np.ravel(loadmat(path, struct_as_record=False)["CAttached"]):
                cell = recording.item() if isinstance(recording, np.ndarray) else recording
                arrays = cell.fluo_mean.ravel(), cell.fluo_time.ravel(), cell.events_AP.ravel() / 1e4
                segments += spike_segments(*arrays, recording=len(segments))
        fits[indicator] = fit_segments(segments, SETTINGS)
    assert 0.2 < fits["6f"].decay < 0.7
    assert fits["6s"].low > fits["6f"].high
