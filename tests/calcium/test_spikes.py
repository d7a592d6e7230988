"""Decay after recorded spikes: simulated, and of two indicators whose order is known."""

import os
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from neural_action.calcium.fit import fit_segments
from neural_action.calcium.spikes import fit_spike_kernel, spike_segments
from neural_action.config.settings import CalciumSettings

SETTINGS = CalciumSettings(bootstrap=50)


def test_recovers_the_decay_after_spikes():
    rng = np.random.default_rng(0)
    time = np.arange(0, 200, 1 / 60)
    events = np.sort(rng.uniform(0, 200, 60))
    since = time[:, None] - events
    response = np.where(
        since > 0, np.exp(-np.maximum(since, 0) / 0.5) - np.exp(-np.maximum(since, 0) / 0.03), 0
    )
    trace = response.sum(1) + 0.05 * rng.normal(size=len(time))
    fit = fit_spike_kernel(trace, time, np.append(events, np.nan), SETTINGS)
    assert fit.decay == pytest.approx(0.5, rel=0.15)
    assert fit.source == "spikes"


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
                segments += spike_segments(*arrays, quiet=1.5, delay=0.2, recording=len(segments))
        fits[indicator] = fit_segments(segments, SETTINGS)
    assert 0.2 < fits["6f"].decay < 0.7
    assert fits["6s"].low > fits["6f"].high
