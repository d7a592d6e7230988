"""Clips: in one trial, over no gap, with poses and labels of the same moment."""

from dataclasses import replace

import numpy as np
import pytest

from neural_action.config.settings import ClipSettings
from neural_action.errors import InputError
from neural_action.recordings.clips import clip_table

SETTINGS = ClipSettings(frames=32, poses=8)


def trial_of(cohort, frame):
    return next(k for k, span in enumerate(cohort.trials) if span.frames.start <= frame < span.frames.stop)


def test_clips_against_a_slow_loop(cohort):
    clips = clip_table(cohort, SETTINGS, stride=1)
    assert len(clips) == 12 * (120 - 32 + 1)
    for k in range(0, len(clips), 37):
        first = clips.start[k]
        span = cohort.trials[trial_of(cohort, first)]
        assert trial_of(cohort, first + 31) == trial_of(cohort, first) == clips.trial[k]
        assert (cohort.animals[clips.animal[k]], clips.fold[k], clips.visible[k]) == (
            span.animal,
            span.fold,
            span.visible,
        )
        # The centre of the clip is half way between its first and last frame.
        centre = (cohort.neural_time[first] + cohort.neural_time[first + 31]) / 2
        own = np.arange(span.samples.start, span.samples.stop)
        nearest = own[np.argmin(np.abs(cohort.pose_time[own] - centre))]
        assert clips.label[k] == cohort.labels[nearest]
        for part, row in enumerate(clips.pose[k]):
            moment = cohort.neural_time[first + 4 * part : first + 4 * part + 4].mean()
            assert row in own
            assert abs(cohort.pose_time[row] - moment) <= np.abs(cohort.pose_time[own] - moment).min() + 1e-9


def test_no_clip_bridges_a_gap(cohort):
    time = cohort.neural_time.copy()
    time[60:120] += 5.0  # a pause in the first trial
    pose_time = cohort.pose_time.copy()
    samples = cohort.trials[0].samples
    pose_time[samples] += 5.0 * (pose_time[samples] >= 60 / 16)
    clips = clip_table(replace(cohort, neural_time=time, pose_time=pose_time), SETTINGS, stride=1)
    first = clips.start[clips.trial == 0]
    assert set(first) == set(range(0, 60 - 32 + 1)) | set(range(60, 120 - 32 + 1))


def test_frames_without_behaviour_make_no_clip(cohort):
    pose_time = cohort.pose_time.copy()
    pose_time[cohort.trials[0].samples] += 3.0  # behaviour begins 3 s after imaging
    clips = clip_table(replace(cohort, pose_time=pose_time), SETTINGS, stride=1)
    assert cohort.neural_time[clips.start[clips.trial == 0].min()] > 2.5


def test_no_clip_at_all_is_an_error(cohort):
    with pytest.raises(InputError, match="no trial has 200 consecutive neural frames"):
        clip_table(cohort, ClipSettings(frames=200), stride=1)
