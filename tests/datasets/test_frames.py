"""Frames as plain arrays, against a look at each frame."""

from dataclasses import replace

import numpy as np

from neural_action.datasets.frames import frame_arrays


def test_every_frame_has_the_behaviour_of_its_moment(dataset):
    arrays = frame_arrays(dataset)
    for number in (0, 5, 11):
        span = dataset.trials[number]
        clock = dataset.pose_time[span.samples]
        for frame in range(span.frames.start, span.frames.stop, 17):
            nearest = np.abs(clock - dataset.neural_time[frame]).argmin()
            assert np.array_equal(arrays["behavior"][frame], dataset.pose[span.samples][nearest])
            assert np.array_equal(arrays["neural"][frame], dataset.neural[frame].ravel())
            assert arrays["animal"][frame] == "ABC".index(span.animal)
            assert arrays["trial"][frame] == number
            assert arrays["visible"][frame] == span.sees_input
    assert arrays["covered"].all()


def test_frames_without_behaviour_are_not_covered(dataset):
    # The behaviour of the first trial begins a second late.
    late = dataset.pose_time.copy()
    late[dataset.trials[0].samples] += 1.0
    arrays = frame_arrays(replace(dataset, pose_time=late))
    assert not arrays["covered"][:14].any()
    assert arrays["covered"][16:].all()
