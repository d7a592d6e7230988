"""Frames as plain arrays, against a look at each frame."""

from dataclasses import replace

import numpy as np

from neural_action.recordings.frames import frame_arrays


def test_every_frame_has_the_behaviour_of_its_moment(cohort):
    arrays = frame_arrays(cohort)
    for number in (0, 5, 11):
        span = cohort.trials[number]
        clock = cohort.pose_time[span.samples]
        for frame in range(span.frames.start, span.frames.stop, 17):
            nearest = np.abs(clock - cohort.neural_time[frame]).argmin()
            assert np.array_equal(arrays["behavior"][frame], cohort.pose[span.samples][nearest])
            assert np.array_equal(arrays["neural"][frame], cohort.neural[frame].ravel())
            assert arrays["animal"][frame] == "ABC".index(span.animal)
            assert arrays["trial"][frame] == number
            assert arrays["visible"][frame] == span.visible
    assert arrays["covered"].all()


def test_frames_without_behaviour_are_not_covered(cohort):
    # The behaviour of the first trial begins a second late.
    late = cohort.pose_time.copy()
    late[cohort.trials[0].samples] += 1.0
    arrays = frame_arrays(replace(cohort, pose_time=late))
    assert not arrays["covered"][:14].any()
    assert arrays["covered"][16:].all()
