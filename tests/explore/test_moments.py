"""What the page shows of behaviour, and skeletons from names."""

from dataclasses import replace

import numpy as np
import pytest

from neural_action.config.output_settings import ExploreSettings
from neural_action.explore.moments import LINES, moments, traces
from neural_action.recordings.skeleton import skeleton


def test_bytes_give_behaviour_back(dataset):
    found = moments(dataset, ExploreSettings(pose_rate=25))
    assert (found.kind, found.columns) == ("features", tuple("abcdef"))
    assert np.array_equal(
        found.first, [trial.samples.start for trial in dataset.trials] + [len(dataset.pose)]
    )
    back = found.low + found.values / 255 * (found.high - found.low)
    inside = (dataset.pose_raw > found.low) & (dataset.pose_raw < found.high)
    assert inside.mean() > 0.99
    assert np.abs(back - dataset.pose_raw)[inside].max() <= (found.high - found.low).max() / 255


def test_thinned_to_the_rate_and_to_the_size_allowed(dataset):
    each = [trial.samples.stop - trial.samples.start for trial in dataset.trials]
    by_rate = moments(dataset, ExploreSettings(pose_rate=5))
    assert len(by_rate.values) == sum(-(-count // 5) for count in each)
    assert by_rate.rate == pytest.approx(np.full(12, 5.0))
    tight = moments(dataset, ExploreSettings(pose_rate=25, megabytes=0.003))
    assert tight.values.nbytes <= 0.0035 * 2**20


def test_many_features_are_the_most_variable(dataset):
    rng = np.random.default_rng(0)
    wide = rng.standard_normal((len(dataset.pose), 20)).astype(np.float32) * np.arange(1, 21)
    names = tuple(f"f{at}" for at in range(20))
    found = moments(
        replace(dataset, pose_raw=wide, behavior_names=names, behavior_shape=(20,)), ExploreSettings()
    )
    assert found.columns == names[-LINES:]


def keypoints(dataset, names, axes):
    rng = np.random.default_rng(0)
    shape = (len(dataset.pose), len(names) * axes)
    pose = rng.standard_normal(shape).astype(np.float32)
    return replace(dataset, pose_raw=pose, behavior_names=tuple(names), behavior_shape=(len(names), axes))


def test_keypoints_are_a_skeleton(dataset):
    fly = moments(keypoints(dataset, [f"keypoint_{k}" for k in range(38)], 2), ExploreSettings())
    assert (fly.kind, len(fly.parts), len(fly.views)) == ("skeleton", 8, 2)
    solid = moments(keypoints(dataset, ["nose", "neck", "tail"], 3), ExploreSettings())
    assert [view.axes for view in solid.views] == [(0, 1), (0, 2)]
    assert solid.parts == ()
    told = moments(
        keypoints(dataset, ["nose", "neck", "tail"], 2), ExploreSettings(skeleton=[["nose", "tail"]])
    )
    assert [part.keypoints for part in told.parts] == [(0, 2)]


def test_without_behaviour_nothing_is_kept(dataset):
    bare = replace(dataset, pose_raw=np.empty((len(dataset.pose), 0), np.float32), behavior_shape=(0,))
    assert moments(bare, ExploreSettings()).kind == "none"
    assert not traces(bare, "positions", 50)["movement"].any()


def test_skeletons_follow_from_names():
    legs = skeleton(
        [f"{leg}_leg_{j}" for leg in ("LF", "RH") for j in ("Coxa", "Femur", "Tibia", "Tarsus", "Claw")]
    )
    assert [(part.name, part.keypoints) for part in legs] == [
        ("LF_leg", (0, 1, 2, 3, 4)),
        ("RH_leg", (5, 6, 7, 8, 9)),
    ]
    (tail,) = skeleton(["nose", "tail_2", "tail_1", "tail_10"])
    assert (tail.name, tail.keypoints) == ("tail", (2, 1, 3))
    assert skeleton(["nose", "left ear", "tail"]) == ()


def test_traces_are_of_their_trial(dataset):
    found = traces(dataset, "positions", 80)
    trial = dataset.trials[5]
    clock = dataset.pose_time[trial.samples]
    frames = dataset.neural_time[trial.frames]
    for at, moment in enumerate(np.linspace(frames[0], frames[-1], 80)):
        if moment <= clock[-1]:
            label = dataset.labels[trial.samples][np.searchsorted(clock, moment)]
            assert found["action"][5, at] == label
    mean = dataset.neural[trial.frames].mean((1, 2))
    assert (
        np.corrcoef(found["activity"][5], np.interp(np.linspace(0, 1, 80), np.linspace(0, 1, 120), mean))[
            0, 1
        ]
        > 0.97
    )


def test_directions_of_segments_are_a_midline(dataset):
    rng = np.random.default_rng(0)
    names = ("velocity", *(f"body_angle_{at}" for at in range(1, 9)))
    pose = rng.standard_normal((len(dataset.pose), 9)).astype(np.float32)
    found = moments(
        replace(dataset, pose_raw=pose, behavior_names=names, behavior_shape=(9,)),
        ExploreSettings(pose_rate=25),
    )
    assert (found.kind, found.columns[0], found.columns[-1]) == ("skeleton", "head", "tail")
    assert [part.name for part in found.parts] == ["midline", "head"]
    # As in pictures: angles count counter-clockwise.
    assert [view.flip for view in found.views] == [False]
    drawn = (found.low + found.values / 255 * (found.high - found.low)).reshape(-1, 9, 2)
    steps = np.diff(drawn, axis=1)
    wrong = np.angle(np.exp(1j * (np.arctan2(steps[..., 1], steps[..., 0]) - pose[:, 1:])))
    # Points have the resolution of a byte.
    assert np.median(np.abs(wrong)) < 0.05
