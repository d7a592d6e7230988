"""Which of several files, series or animals init takes: it says which, and asks where it can't know."""

from __future__ import annotations

import numpy as np
import pytest

from neural_action.errors import InputError
from neural_action.preflight.folder import look, unrecognised
from neural_action.preflight.proposal import propose
from neural_action.stages.init import _option


def suite2p(folder, seed=0):
    plane = folder / "suite2p"
    plane.mkdir(parents=True)
    np.save(plane / "F.npy", 100 + np.random.default_rng(seed).random((3, 1000), dtype=np.float32))
    np.save(plane / "iscell.npy", np.ones((3, 2)))
    return folder


def poses(path, offset=0.0):
    """A DeepLabCut CSV at 20 /s whose first x is ``offset``."""
    points = np.cumsum(np.random.default_rng(1).standard_normal((2000, 2)), 0)
    lines = ["scorer,D,D,D", "bodyparts,nose,nose,nose", "coords,x,y,likelihood", f"0,{offset},0,1"]
    lines += [f"{at},{x:.3f},{y:.3f},1" for at, (x, y) in enumerate(points[1:], 1)]
    path.write_text("\n".join(lines) + "\n")


def made(folder, **given):
    given = {key.replace("__", "."): value for key, value in given.items()}
    return propose(folder, look(folder), 4, 10, 20, given)


def test_two_files_of_poses_are_asked_about(tmp_path):
    folder = suite2p(tmp_path / "m1/001")
    poses(folder / "cam1DLC_x.csv", 1.0)
    poses(folder / "cam2DLC_x.csv", 2.0)
    with pytest.raises(
        InputError,
        match=r"2 files of behaviour \(cam1DLC_x\.csv, cam2DLC_x\.csv\), expected one .*--option 'behavior\.path=",
    ):
        made(tmp_path)
    key, value = _option("behavior.path={path}/cam2*.csv")
    proposal = propose(tmp_path, look(tmp_path), 4, 10, 20, {key: value})
    assert proposal.sample.behavior[0, 0, 0] == 2.0
    assert proposal.options["behavior"]["path"] == "{path}/cam2*.csv"


def test_two_forms_of_one_file_are_one(tmp_path):
    folder = suite2p(tmp_path / "m1/001")
    poses(folder / "vDLC.csv", 1.0)
    poses(folder / "vDLC_filtered.csv", 2.0)
    (folder / "CollectedData_AB.csv").write_text(
        "scorer,AB,AB\nbodyparts,nose,nose\ncoords,x,y\nlabeled-data/v/img0.png,1,2\n"
    )
    proposal = made(tmp_path)
    assert proposal.sample.behavior[0, 0, 0] == 2.0
    assert "m1/001/vDLC.csv: vDLC_filtered.csv is its filtered version and is read instead." in proposal.notes


def test_files_of_another_format_are_said(tmp_path):
    import h5py

    folder = suite2p(tmp_path / "m1/001")
    poses(folder / "vDLC.csv")
    with h5py.File(folder / "v.analysis.h5", "w") as file:
        file["tracks"] = np.cumsum(np.random.default_rng(0).standard_normal((1, 2, 2, 2000)), 3)
        file["node_names"] = [b"a", b"b"]
        file["track_names"] = np.empty(0)
    assert any(
        note
        == "Behaviour is read from deeplabcut; not read: 1 x sleap (--option behavior.format=sleap reads these)."
        for note in made(tmp_path).notes
    )
    assert made(tmp_path, behavior__format="sleap").sample.behavior_names == ("a", "b")


def test_a_file_that_no_format_recognises_can_be_given(tmp_path):
    folder = suite2p(tmp_path / "m1/001")
    rows = np.cumsum(np.random.default_rng(0).standard_normal((2000, 2)), 0)
    np.savetxt(folder / "wheel.csv", rows, delimiter=",", header="x,y", comments="")
    with pytest.raises(InputError, match="no behaviour recognised"):
        made(tmp_path)
    proposal = made(tmp_path, behavior__format="arrays", behavior__path="{path}/wheel.csv")
    assert proposal.sample.behavior_names == ("x", "y")
    assert {(row.animal, row.path) for row in proposal.rows} == {("m1", "m1/001")}


def test_two_files_of_labels_are_asked_about(tmp_path):
    folder = suite2p(tmp_path / "m1/001")
    poses(folder / "vDLC.csv")
    for who in ("ann", "bob"):
        (folder / f"{who}_labels.csv").write_text("walk,rest\n" + "1,0\n0,1\n" * 1000)
    with pytest.raises(
        InputError, match=r"2 files of labels \(ann_labels\.csv, bob_labels\.csv\).*'labels\.path="
    ):
        made(tmp_path)
    assert made(tmp_path, labels__path="{path}/bob_labels.csv").class_names == ["walk", "rest"]


def test_labels_of_some_recordings_alone_are_said(tmp_path):
    for trial in ("001", "002"):
        poses(suite2p(tmp_path / "m1" / trial) / "vDLC.csv")
    (tmp_path / "m1/001/ann_labels.csv").write_text("walk,rest\n" + "1,0\n0,1\n" * 1000)
    notes = made(tmp_path).notes
    assert "Labels are not read, because 1 of 2 recordings have none, such as m1/002." in notes


def test_names_are_honoured(tmp_path):
    folder = suite2p(tmp_path / "2024/mouse_a/s1")
    poses(folder / "vDLC.csv")
    key, value = _option(r"names=mouse_(?P<animal>\w)/s(?P<trial>\d)")
    proposal = propose(tmp_path, look(tmp_path), 4, 10, 20, {key: value})
    assert {row.animal for row in proposal.rows} == {"a"}
    assert any(note.startswith("Animals and trials are named as given") for note in proposal.notes)
    with pytest.raises(InputError, match=r"does not match .*names"):
        made(tmp_path, names="(?P<animal>zebra)(?P<trial>.)")
    with pytest.raises(InputError, match="expected a regular expression"):
        made(tmp_path, names="(?P<animal>")


def test_what_says_who_is_who_is_noted(tmp_path):
    for day in ("20240301", "20240302"):
        poses(suite2p(tmp_path / day / "m1") / "vDLC.csv")
    proposal = made(tmp_path)
    assert {row.animal for row in proposal.rows} == {"m1"}
    assert any(
        note.startswith("Animals (recordings of each) by the name in a folder of a date: m1 (2).")
        for note in proposal.notes
    )


def nwb(path, subject="m1", poses=("pose",), series=(), keypoints=None):
    """dF/F at 10 /s and, at 20 /s, poses of two keypoints and behaviour series of those names."""
    from ndx_pose import PoseEstimation, PoseEstimationSeries
    from pynwb import NWBHDF5IO, TimeSeries
    from pynwb.behavior import BehavioralTimeSeries
    from pynwb.testing.mock.file import mock_NWBFile, mock_Subject
    from pynwb.testing.mock.ophys import mock_DfOverF, mock_PlaneSegmentation, mock_RoiResponseSeries

    rng = np.random.default_rng(0)
    file = mock_NWBFile(subject=mock_Subject(subject_id=subject))
    rois = mock_PlaneSegmentation(n_rois=2, nwbfile=file)
    traces = mock_RoiResponseSeries(
        name="traces", data=rng.random((1000, 2)), rate=10.0, n_rois=2, plane_segmentation=rois
    )
    mock_DfOverF(name="dff", roi_response_series=[traces], nwbfile=file)
    module = file.create_processing_module("behavior", "b")
    for name in poses:
        points = [
            PoseEstimationSeries(
                name=part, description="d", unit="pixels", reference_frame="r", confidence=np.ones(count),
                data=np.cumsum(rng.standard_normal((count, 2)), 0), rate=20.0, starting_time=start,
            )
            for part, start, count in keypoints or (("nose", 0.0, 2000), ("tail", 0.0, 2000))
        ]  # fmt: skip
        module.add(PoseEstimation(name=name, pose_estimation_series=points, description="d"))
    made_up = [
        TimeSeries(name=name, data=np.cumsum(rng.standard_normal(2000)), unit="u", rate=20.0)
        for name in series
    ]
    if made_up:
        module.add(BehavioralTimeSeries(name="BehavioralTimeSeries", time_series=made_up))
    path.parent.mkdir(parents=True, exist_ok=True)
    with NWBHDF5IO(path, "w") as io:
        io.write(file)


def test_several_poses_in_an_nwb_are_asked_about(tmp_path):
    nwb(tmp_path / "m1/1.nwb", poses=("mouse_a", "mouse_b"))
    with pytest.raises(
        InputError,
        match=r"2 series of PoseEstimation \(mouse_a, mouse_b\).*'behavior\.options\.series=\[mouse_a\]'",
    ):
        made(tmp_path)
    key, value = _option("behavior.options.series=[mouse_b]")
    assert made(tmp_path, **{key: value}).sample.behavior.shape[1:] == (2, 2)
    with pytest.raises(InputError, match="2 series of PoseEstimation"):
        made(tmp_path, behavior__options__series=["mouse_*"])


def test_movement_stands_before_ambient_light(tmp_path):
    nwb(tmp_path / "m1/1.nwb", poses=(), series=("ambient_light", "running_speed", "reward"))
    proposal = made(tmp_path)
    assert proposal.sample.behavior_names == ("running_speed",)
    assert any("Other series: " in note and "ambient_light" in note for note in proposal.notes)


def test_series_alike_are_asked_about(tmp_path):
    nwb(tmp_path / "m1/1.nwb", poses=(), series=("left_wheel", "right_wheel"))
    with pytest.raises(InputError, match=r"2 series of TimeSeries \(left_wheel, right_wheel\)"):
        made(tmp_path)
    both = made(tmp_path, behavior__options__series=["left_wheel", "right_wheel"])
    assert both.sample.behavior_names == ("left_wheel", "right_wheel")


def test_keypoints_that_start_apart_go_by_their_own_clocks(tmp_path):
    nwb(tmp_path / "m1/1.nwb", keypoints=(("nose", 0.0, 2000), ("tail", 10.0, 1800)))
    proposal = made(tmp_path)
    assert proposal.sample.behavior_time[0] == pytest.approx(10.0)
    stream = proposal.sample.streams[1]
    assert "nose, tail have different clocks" in stream.how
    assert "1800 of 2000 samples are complete" in stream.how


def test_subjects_of_files_are_the_animals(tmp_path):
    for day, subject in (("20240301", "m1"), ("20240302", "m1"), ("20240303", "m2")):
        nwb(tmp_path / f"{day}.nwb", subject)
    proposal = made(tmp_path)
    assert {row.animal for row in proposal.rows} == {"m1", "m2"}
    assert any("by subject_id of the file: m1 (2), m2 (1)." in note for note in proposal.notes)


def test_what_is_not_recognised_is_listed_and_says_what_to_do(tmp_path):
    folder = suite2p(tmp_path / "m1/s1")
    (folder / "v.analysis.csv").write_text("track,frame_idx,instance.score,a.x,a.y,a.score\n,0,1,1,1,1\n")
    (folder / "clock.npy").write_bytes(b"")
    left = unrecognised(tmp_path, look(tmp_path))
    assert {suffix: [path.name for path in paths] for suffix, paths in left.items()} == {
        ".csv": ["v.analysis.csv"], ".npy": ["clock.npy"],
    }  # fmt: skip
    with pytest.raises(
        InputError, match=r"no behaviour recognised.*; v\.analysis\.csv: SLEAP's analysis CSV"
    ):
        made(tmp_path)
    poses(folder / "vDLC.csv")
    assert ".csv" in unrecognised(tmp_path, look(tmp_path))
    assert "vDLC.csv" not in str(unrecognised(tmp_path, look(tmp_path)))


def test_without_neuropil_the_fluorescence_is_read_as_it_is(tmp_path):
    poses(suite2p(tmp_path / "m1/s1") / "vDLC.csv")
    proposal = made(tmp_path)
    assert "There is no Fneu.npy, so raw fluorescence is read without subtracting neuropil." in proposal.notes
    traces = np.load(tmp_path / "m1/s1/suite2p/F.npy")
    np.testing.assert_allclose(proposal.sample.neural, traces.T)
