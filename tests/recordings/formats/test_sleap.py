"""SLEAP as its releases and sleap-io write it: analysis HDF5 in either order, without tracks, and projects."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest

from neural_action.errors import InputError
from neural_action.preflight.folder import recognise
from neural_action.recordings.formats import sleap

NODES, FRAMES = ["head", "tail"], 6
RNG = np.random.default_rng(0)
POINT = np.dtype([("x", "f8"), ("y", "f8"), ("visible", "?"), ("complete", "?")])
SCORED = np.dtype([*POINT.descr, ("score", "f8")])
INSTANCE = np.dtype(
    [("instance_id", "i8"), ("instance_type", "u1"), ("frame_id", "u8"), ("skeleton", "u4"), ("track", "i4"),
     ("from_predicted", "i8"), ("score", "f4"), ("point_id_start", "u8"), ("point_id_end", "u8")]
)  # fmt: skip
FRAME = np.dtype(
    [
        ("frame_id", "u8"),
        ("video", "u4"),
        ("frame_idx", "u8"),
        ("instance_id_start", "u8"),
        ("instance_id_end", "u8"),
    ]
)


def give(path, **options):
    return sleap.behavior(path, sleap.Options.parse(options, "test"))


def analysis(path, tracks, names, dims=None, **attributes):
    """tracks (track, 2, node, frame) and their scores; with ``dims`` in that order and said so."""
    order = ["track", "xy", "node", "frame"]
    scores = np.ones((len(tracks), *tracks.shape[2:]))
    scores[0, 0, 3] = 0.1
    with h5py.File(path, "w") as file:
        for name, array, own in (("tracks", tracks, order), ("point_scores", scores, [order[0], *order[2:]])):
            axes = [axis for axis in dims or order if axis in own]
            file[name] = array.transpose([own.index(axis) for axis in axes])
            if dims and not attributes:
                file[name].attrs["dims"] = json.dumps(axes)
        file["node_names"] = np.array([name.encode() for name in NODES])
        file["track_names"] = np.array([name.encode() for name in names]) if names else np.empty(0)
        file.attrs.update(attributes)
    return path


def test_without_tracks_there_is_one_animal(tmp_path):
    tracks = RNG.random((1, 2, 2, FRAMES))
    path = analysis(tmp_path / "v.analysis.h5", tracks, [])
    assert recognise(path).phrase == "SLEAP poses"
    np.testing.assert_allclose(give(path).data, tracks[0].T, rtol=1e-6)
    assert np.isnan(give(path, min_score=0.2).data[3, 0]).all()
    two = analysis(tmp_path / "w.analysis.h5", RNG.random((2, 2, 2, FRAMES)), [])
    with pytest.raises(
        InputError, match=r"track None of 2, .*without tracking, the animal of a number may change"
    ):
        give(two)


@pytest.mark.parametrize(
    ("dims", "attributes"),
    [
        (["frame", "track", "node", "xy"], {}),
        (["track", "xy", "node", "frame"], {}),
        (["frame", "node", "xy", "track"], {"transpose": False}),
    ],
)
def test_axes_are_those_that_the_file_says(tmp_path, dims, attributes):
    tracks = RNG.random((2, 2, 2, FRAMES))
    path = analysis(tmp_path / "v.h5", tracks, ["a", "b"], dims, **attributes)
    np.testing.assert_allclose(give(path, track="b").data, tracks[1].T, rtol=1e-6)
    with pytest.raises(InputError, match=r"expected one of a, b \(--option behavior\.options\.track=a\)"):
        give(path)


def test_scores_that_are_not_there_are_not_asked_for(tmp_path):
    path = analysis(tmp_path / "v.h5", RNG.random((1, 2, 2, FRAMES)), [])
    with h5py.File(path, "a") as file:
        del file["point_scores"]
    assert not sleap.scored(path)
    with pytest.raises(InputError, match="has no point_scores, expected min_score: 0"):
        give(path, min_score=0.2)


def project(path, instances, tracks=(), version=1.2, videos=None):
    """A .slp of (frame, track, predicted, first x) instances of two nodes; y = x + 100, node 1 ten further."""
    frames = sorted({frame for frame, *_ in instances})
    instances = sorted(instances, key=lambda one: one[0])
    table = np.zeros(len(instances), INSTANCE)
    points, predicted = [], []
    for at, (frame, track, is_predicted, x) in enumerate(instances):
        own = predicted if is_predicted else points
        table[at] = (at, is_predicted, frames.index(frame), 0, track, -1, 1, len(own), len(own) + 2)
        for node in range(2):
            row = (x + 10 * node, x + 100 + 10 * node, True, True)
            own.append((*row, 0.9) if is_predicted else row)
    rows = np.zeros(len(frames), FRAME)
    for at, frame in enumerate(frames):
        own = [number for number, one in enumerate(instances) if one[0] == frame]
        rows[at] = (at, 0 if videos is None else videos[at], frame, own[0], own[-1] + 1)
    nodes = [{"name": "tail", "weight": 1}, {"name": "head", "weight": 1}]
    with h5py.File(path, "w") as file:
        metadata = file.create_group("metadata")
        metadata.attrs["format_id"] = version
        metadata.attrs["json"] = json.dumps(
            {"nodes": nodes, "skeletons": [{"nodes": [{"id": 1}, {"id": 0}]}]}
        )
        file["tracks_json"] = [json.dumps([0, name]) for name in tracks] or np.empty(0)
        file["frames"], file["instances"] = rows, table
        file["points"], file["pred_points"] = np.array(points, POINT), np.array(predicted, SCORED)
    return path


def test_a_project_is_read_as_it_is(tmp_path):
    path = project(tmp_path / "v.slp", [(at, -1, 1, at) for at in (3, 4, 9)])
    assert recognise(path).phrase == "SLEAP project"
    found = give(path)
    assert found.names == ("head", "tail")
    assert found.frames.tolist() == [3, 4, 9]
    np.testing.assert_array_equal(found.data[2], [[9, 109], [19, 119]])
    # Coordinates of format 1.0 are of pixel corners.
    old = project(tmp_path / "old.slp", [(0, -1, 1, 5), (1, -1, 1, 5)], version=1.0)
    np.testing.assert_array_equal(give(old).data[0, 0], [4.5, 104.5])


def test_tracks_of_a_project_and_what_was_corrected_by_hand(tmp_path):
    both = [(at, track, 1, 10 * at + 1000 * track) for at in range(4) for track in (0, 1)]
    path = project(tmp_path / "v.slp", [*both, (2, 1, 0, 5)], ["a", "b"])
    assert give(path, track="b").data[:, 0, 0].tolist() == [1000, 1010, 5, 1030]
    assert give(path, track=0).data[:, 0, 0].tolist() == [0, 10, 20, 30]
    with pytest.raises(InputError, match="track None of 2, expected one of a, b"):
        give(path)
    with pytest.raises(InputError, match="frame 0 has 2 animals but the project has no tracks"):
        give(project(tmp_path / "w.slp", [(0, -1, 1, 0), (0, -1, 1, 1)]))
    with pytest.raises(InputError, match="an animal without a track"):
        give(project(tmp_path / "x.slp", [(0, -1, 1, 0)], ["a"]))


def test_projects_of_hand_labels_or_of_several_videos(tmp_path):
    hand = project(tmp_path / "v.slp", [(0, -1, 0, 0), (5, -1, 0, 1)])
    assert recognise(hand).roles == ()
    with pytest.raises(InputError, match="hand labels and no predictions"):
        give(hand)
    two = project(tmp_path / "w.slp", [(0, -1, 1, 0), (1, -1, 1, 7)], videos=[0, 1])
    with pytest.raises(InputError, match=r"has 2 videos, .* 0, 1 \(--option behavior\.options\.video=0"):
        give(two)
    assert give(two, video=1).data[0, 0, 0] == 7
