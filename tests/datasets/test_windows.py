"""Windows: in one trial, over no gap, with poses and labels of the same moment."""

from dataclasses import replace

import numpy as np
import pytest

from neural_action.config.settings import WindowSettings
from neural_action.datasets.windows import window_table
from neural_action.errors import InputError

SETTINGS = WindowSettings(frames=32, poses=8)


def trial_of(dataset, frame):
    return next(
        k for k, trial in enumerate(dataset.trials) if trial.frames.start <= frame < trial.frames.stop
    )


def test_windows_against_a_slow_loop(dataset):
    windows = window_table(dataset, SETTINGS, stride=1)
    assert len(windows) == 12 * (120 - 32 + 1)
    for k in range(0, len(windows), 37):
        first = windows.start[k]
        trial = dataset.trials[trial_of(dataset, first)]
        assert trial_of(dataset, first + 31) == trial_of(dataset, first) == windows.trial[k]
        found = (
            dataset.animals[windows.animal[k]],
            windows.role[k],
            windows.sees_input[k],
            windows.sees_label[k],
        )
        assert found == (trial.animal, trial.role, trial.sees_input, trial.sees_label)
        # The centre of the window is half way between its first and last frame.
        centre = (dataset.neural_time[first] + dataset.neural_time[first + 31]) / 2
        own = np.arange(trial.samples.start, trial.samples.stop)
        nearest = own[np.argmin(np.abs(dataset.pose_time[own] - centre))]
        assert windows.label[k] == dataset.labels[nearest]
        for part, row in enumerate(windows.pose[k]):
            moment = dataset.neural_time[first + 4 * part : first + 4 * part + 4].mean()
            assert row in own
            assert (
                abs(dataset.pose_time[row] - moment) <= np.abs(dataset.pose_time[own] - moment).min() + 1e-9
            )


def test_no_window_bridges_a_gap(dataset):
    time = dataset.neural_time.copy()
    time[60:120] += 5.0  # a pause in the first trial
    pose_time = dataset.pose_time.copy()
    samples = dataset.trials[0].samples
    pose_time[samples] += 5.0 * (pose_time[samples] >= 60 / 16)
    windows = window_table(replace(dataset, neural_time=time, pose_time=pose_time), SETTINGS, stride=1)
    first = windows.start[windows.trial == 0]
    assert set(first) == set(range(0, 60 - 32 + 1)) | set(range(60, 120 - 32 + 1))


def test_frames_without_behaviour_make_no_window(dataset):
    pose_time = dataset.pose_time.copy()
    pose_time[dataset.trials[0].samples] += 3.0  # behaviour begins 3 s after imaging
    windows = window_table(replace(dataset, pose_time=pose_time), SETTINGS, stride=1)
    assert dataset.neural_time[windows.start[windows.trial == 0].min()] > 2.5


def test_no_window_at_all_is_an_error(dataset):
    with pytest.raises(InputError, match="no trial has 200 consecutive neural frames"):
        window_table(dataset, WindowSettings(frames=200), stride=1)
