"""Frames as plain arrays, against a look at each frame."""

from dataclasses import replace

import numpy as np

from neural_action.datasets.frames import frame_arrays
from neural_action.datasets.ragged import RaggedFrames


def test_every_frame_has_the_behaviour_of_its_moment(dataset):
    arrays = frame_arrays(dataset)
    for number in (0, 5, 11):
        trial = dataset.trials[number]
        clock = dataset.pose_time[trial.samples]
        for frame in range(trial.frames.start, trial.frames.stop, 17):
            nearest = np.abs(clock - dataset.neural_time[frame]).argmin()
            assert np.array_equal(arrays["behavior"][frame], dataset.pose[trial.samples][nearest])
            assert np.array_equal(arrays["neural"][frame], dataset.neural[frame].ravel())
            assert arrays["animal"][frame] == "ABC".index(trial.animal)
            assert arrays["trial"][frame] == number
            assert arrays["visible"][frame] == trial.sees_input
    assert arrays["covered"].all()


def test_animals_with_their_own_units_have_an_array_each(dataset):
    frames = [4 * 120] * 3
    parts = [np.full((count, 3 + at), at, np.float32) for at, count in enumerate(frames)]
    arrays = frame_arrays(replace(dataset, neural=RaggedFrames(parts)))
    assert "neural" not in arrays
    for number, part in enumerate(parts):
        assert np.array_equal(arrays[f"neural-{number}"], part)
        # The frames of an animal are consecutive, in the order of its array.
        assert np.array_equal(
            np.flatnonzero(arrays["animal"] == number), sum(frames[:number]) + np.arange(frames[number])
        )


def test_a_closed_form_may_be_fitted_to_what_is_seen_or_not_tested(dataset):
    assert np.array_equal(frame_arrays(dataset)["fitted"], frame_arrays(dataset)["visible"])
    hidden = [replace(trial, sees_input=trial.sees_input and trial.animal != "B") for trial in dataset.trials]
    arrays = frame_arrays(replace(dataset, trials=tuple(hidden)))
    assert np.array_equal(arrays["fitted"], frame_arrays(dataset)["visible"])
    assert not arrays["visible"][arrays["animal"] == 1].any()


def test_frames_without_behaviour_are_not_covered(dataset):
    # The behaviour of the first trial begins a second late.
    late = dataset.pose_time.copy()
    late[dataset.trials[0].samples] += 1.0
    arrays = frame_arrays(replace(dataset, pose_time=late))
    assert not arrays["covered"][:14].any()
    assert arrays["covered"][16:].all()
