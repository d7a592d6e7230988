"""Clips: in one trial, over no gap, with poses and labels of the same moment."""

from dataclasses import replace

import numpy as np
import pytest

from neural_action.config.settings import ClipSettings
from neural_action.errors import InputError
from neural_action.datasets.windows import window_table

SETTINGS = ClipSettings(frames=32, poses=8)


def trial_of(dataset, frame):
    return next(k for k, span in enumerate(dataset.trials) if span.frames.start <= frame < span.frames.stop)


def test_clips_against_a_slow_loop(dataset):
    clips = window_table(dataset, SETTINGS, stride=1)
    assert len(clips) == 12 * (120 - 32 + 1)
    for k in range(0, len(clips), 37):
        first = clips.start[k]
        span = dataset.trials[trial_of(dataset, first)]
        assert trial_of(dataset, first + 31) == trial_of(dataset, first) == clips.trial[k]
        assert (dataset.animals[clips.animal[k]], clips.fold[k], clips.sees_input[k]) == (
            span.animal,
            span.fold,
            span.sees_input,
        )
        # The centre of the clip is half way between its first and last frame.
        centre = (dataset.neural_time[first] + dataset.neural_time[first + 31]) / 2
        own = np.arange(span.samples.start, span.samples.stop)
        nearest = own[np.argmin(np.abs(dataset.pose_time[own] - centre))]
        assert clips.label[k] == dataset.labels[nearest]
        for part, row in enumerate(clips.pose[k]):
            moment = dataset.neural_time[first + 4 * part : first + 4 * part + 4].mean()
            assert row in own
            assert abs(dataset.pose_time[row] - moment) <= np.abs(dataset.pose_time[own] - moment).min() + 1e-9


def test_no_clip_bridges_a_gap(dataset):
    time = dataset.neural_time.copy()
    time[60:120] += 5.0  # a pause in the first trial
    pose_time = dataset.pose_time.copy()
    samples = dataset.trials[0].samples
    pose_time[samples] += 5.0 * (pose_time[samples] >= 60 / 16)
    clips = window_table(replace(dataset, neural_time=time, pose_time=pose_time), SETTINGS, stride=1)
    first = clips.start[clips.trial == 0]
    assert set(first) == set(range(0, 60 - 32 + 1)) | set(range(60, 120 - 32 + 1))


def test_frames_without_behaviour_make_no_clip(dataset):
    pose_time = dataset.pose_time.copy()
    pose_time[dataset.trials[0].samples] += 3.0  # behaviour begins 3 s after imaging
    clips = window_table(replace(dataset, pose_time=pose_time), SETTINGS, stride=1)
    assert dataset.neural_time[clips.start[clips.trial == 0].min()] > 2.5


def test_no_clip_at_all_is_an_error(dataset):
    with pytest.raises(InputError, match="no trial has 200 consecutive neural frames"):
        window_table(dataset, ClipSettings(frames=200), stride=1)
