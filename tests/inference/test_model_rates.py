"""Recordings at another rate than the model's, where ``convert.neural_rate`` brings all to one."""

from __future__ import annotations

import numpy as np
import pytest

from neural_action.errors import InputError
from neural_action.inference.sequences import sequences
from neural_action.recordings.recording import Recording

TRAINED_ON = {
    "neural_shape": [2],
    "neural_rate": 10.0,
    "steps": {"neural_rate": 10.0, "scale": {"low": 0.5, "high": 99.5, "per": "unit"}, "dtype": "float32"},
}


def slow(time):
    return np.stack([np.sin(time), np.cos(time)], 1).astype(np.float32)


def test_what_is_converted_is_brought_to_the_rate_of_the_model():
    time = np.arange(900) / 15.0
    with pytest.raises(InputError, match="15 neural frames per second, the model was trained on 10"):
        list(sequences(slow(time), TRAINED_ON, rate=15.0))
    (array,) = sequences(slow(time), TRAINED_ON, rate=15.0, convert=True)
    (same,) = sequences(slow(np.arange(600) / 10.0 + 0.05 - 1 / 30), TRAINED_ON, rate=10.0, convert=True)
    np.testing.assert_allclose(array.neural[20:-20], same.neural[20:-20], atol=0.02)
    samples = np.arange(1200) / 20
    recording = Recording(
        "a", "1", slow(time), time, np.zeros((1200, 1), np.float32), samples, np.zeros(1200, np.int8),
        (samples * 15 + 1e-6).astype(np.int32), ("x",), ("p",), 15.0, 20.0,
        segment=(time >= 30).astype(np.int32), segment_names=("s1", "s2"),
    )  # fmt: skip
    first, second = sequences(recording, TRAINED_ON, convert=True)
    assert (len(first.time), len(second.time), first.trial, second.trial) == (300, 300, "1/s1", "1/s2")


def test_a_model_that_does_not_say_had_all_units_scaled_together():
    old = {**TRAINED_ON, "steps": {"scale": {"low": 0.0, "high": 100.0}, "dtype": "float32"}}
    values = slow(np.arange(600) / 10.0) * np.array([1, 10], np.float32)
    (together,) = sequences(values, old, rate=10.0, convert=True)
    assert np.ptp(together.neural[:, 0]) == pytest.approx(0.1, abs=0.01)
    new = {**old, "steps": {**old["steps"], "scale": {**old["steps"]["scale"], "per": "unit"}}}
    (apart,) = sequences(values, new, rate=10.0, convert=True)
    assert np.ptp(apart.neural, axis=0) == pytest.approx(1)
