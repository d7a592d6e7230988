"""Layouts that only real files or fuzzers covered: made here, and read with the right numbers."""

from __future__ import annotations

import pickle

import h5py
import numpy as np
import pytest
from pynwb import NWBHDF5IO
from pynwb.ophys import OnePhotonSeries, TwoPhotonSeries
from pynwb.testing.mock.file import mock_NWBFile
from pynwb.testing.mock.ophys import mock_ImagingPlane

from neural_action.errors import InputError
from neural_action.preflight.folder import recognise
from neural_action.preflight.signals import UNREAD, unread
from neural_action.recordings.formats import module_of, thorsync

RNG = np.random.default_rng(0)


def read(name, role, path, **options):
    module = module_of(name)
    parsed = module.Options.parse(options, "test")
    return module.labels(path, parsed, None) if role == "labels" else getattr(module, role)(path, parsed)


def test_thorimage_with_planes_flyback_and_averaging(tmp_path):
    """The rate of the XML is that of scans: 30 /s, 3 steps a volume, each averaged over 2."""
    (tmp_path / "Experiment.xml").write_text(
        '<ThorImageExperiment><LSM pixelX="4" pixelY="3" frameRate="30" averageMode="0" averageNum="1"/>'
        '<ZStage enable="1" steps="2"/><Streaming enable="1" zFastEnable="1" flybackFrames="1" frames="18"/>'
        '<Wavelengths><Wavelength name="ChanA"/></Wavelengths><Timelapse timepoints="6"/></ThorImageExperiment>'
    )
    scans = RNG.integers(0, 4000, (6, 3, 3, 4)).astype("<u2")
    scans.tofile(tmp_path / "Image_001_001.raw")
    found = read("thorimage", "neural", tmp_path)
    np.testing.assert_allclose(found.data, scans[:, :2].mean(1))
    np.testing.assert_array_equal(read("thorimage", "neural", tmp_path, plane=1).data, scans[:, 1])
    assert found.rate == 10
    assert found.source == "channel A of A, mean of 2 planes"


def test_thorsync_lines_and_counters(tmp_path):
    line, counter = np.zeros(700, np.uint32), np.zeros(700, np.uint32)
    for frame in range(6):
        line[frame * 100 + 20 : frame * 100 + 60] = 2
    counter[10:] = np.arange(690) // 100 + 1
    path = tmp_path / "Episode001.h5"
    with h5py.File(path, "w") as file:
        file["DI/Frame Out"], file["CI/Frame Counter"] = line[:, None], counter[:, None]
    np.testing.assert_allclose(thorsync.edge_times(path, "Frame Out", 1000.0, 1), 0.02 + 0.1 * np.arange(6))
    np.testing.assert_allclose(thorsync.edge_times(path, "Frame Out", 1000.0, 3), [0.02, 0.32])
    np.testing.assert_allclose(
        thorsync.edge_times(path, "Frame Counter", 1000.0, 1), 0.01 + 0.1 * np.arange(7)
    )
    with pytest.raises(InputError, match="ThorRealTimeDataSettings"):
        thorsync.edge_times(path, "Frame Out", None, 1)


@pytest.mark.parametrize("name", ["df3d_result.pkl", "pose_result.pkl"])
def test_results_of_deepfly3d(tmp_path, name):
    result = {"points3d": RNG.random((9, 38, 3)), "points2d": RNG.random((2, 9, 38, 2))}
    path = tmp_path / name
    path.write_bytes(pickle.dumps(result))
    assert recognise(path).phrase == "a DeepFly3D result in 3D"
    found = read("deepfly3d", "behavior", path)
    np.testing.assert_allclose(found.data, result["points3d"], rtol=1e-6)
    assert (found.names[0], found.time, found.rate) == ("LF_ThC", None, None)
    image = read("deepfly3d", "behavior", path, points="points2d", camera=1)
    np.testing.assert_allclose(image.data, result["points2d"][1], rtol=1e-6)
    with pytest.raises(InputError, match="camera None"):
        read("deepfly3d", "behavior", path, points="points2d")


def test_aligned_poses_and_angles_of_flies(tmp_path):
    """df3dPostProcessing has joints in legs, seqikpy arrays of legs, and both have vectors of angles."""
    leg = RNG.random((9, 2, 3))
    joints = {
        name: {"raw_pos_aligned": leg[:, at], "fixed_pos_aligned": leg[:, at] + 1}
        for at, name in enumerate(("Coxa", "Femur"))
    }
    forms = {"aligned_pose.pkl": {"LF_leg": joints}, "pose3d_aligned.pkl": {"LF_leg": leg}}
    for name, content in forms.items():
        path = tmp_path / name
        path.write_bytes(pickle.dumps(content))
        assert recognise(path).format == "deepfly3d"
        np.testing.assert_allclose(read("deepfly3d", "behavior", path).data, leg, rtol=1e-6)
    fixed = read("deepfly3d", "behavior", tmp_path / "aligned_pose.pkl", position="fixed_pos_aligned")
    np.testing.assert_allclose(fixed.data, leg + 1, rtol=1e-6)
    angles = {"Angle_LF_ThC_yaw": RNG.random(9), "Angle_LF_ThC_pitch": RNG.random(9)}
    (tmp_path / "joint_angles.pkl").write_bytes(pickle.dumps(angles))
    found = read("deepfly3d", "behavior", tmp_path / "joint_angles.pkl")
    np.testing.assert_allclose(found.data, np.stack(list(angles.values()), 1), rtol=1e-6)
    assert (found.names, found.unit) == (tuple(angles), "rad")


def test_annotations_that_refer_to_another_tier_are_left_out(tmp_path):
    path = tmp_path / "a.eaf"
    path.write_text(
        '<ANNOTATION_DOCUMENT><TIME_ORDER><TIME_SLOT TIME_SLOT_ID="a" TIME_VALUE="1000"/>'
        '<TIME_SLOT TIME_SLOT_ID="b" TIME_VALUE="3000"/></TIME_ORDER><TIER TIER_ID="action"><ANNOTATION>'
        '<ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="a" TIME_SLOT_REF2="b"><ANNOTATION_VALUE>walk'
        '</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION></TIER><TIER TIER_ID="note"><ANNOTATION>'
        '<REF_ANNOTATION ANNOTATION_REF="a1"><ANNOTATION_VALUE>fast</ANNOTATION_VALUE></REF_ANNOTATION>'
        "</ANNOTATION></TIER></ANNOTATION_DOCUMENT>"
    )
    found = read("events", "labels", path)
    assert found.names == ("walk",)
    np.testing.assert_array_equal(found.intervals, [[1, 3]])


@pytest.mark.parametrize("kind", [OnePhotonSeries, TwoPhotonSeries])
def test_movies_in_nwb_are_raw_fluorescence(tmp_path, kind):
    file, data = mock_NWBFile(), RNG.integers(0, 99, (6, 4, 5)).astype(np.uint16)
    plane = mock_ImagingPlane(nwbfile=file)
    file.add_acquisition(kind(name="movie", data=data, imaging_plane=plane, rate=5.0, unit="n.a."))
    with NWBHDF5IO(tmp_path / "a.nwb", "w") as io:
        io.write(file)
    found = read("nwb", "neural", tmp_path / "a.nwb")
    np.testing.assert_array_equal(found.data, data.transpose(0, 2, 1))
    assert (found.unit, found.rate) == ("raw fluorescence (n.a.)", 5)


@pytest.mark.parametrize("pattern", UNREAD)
def test_files_that_are_not_read_have_a_hint(tmp_path, pattern):
    (tmp_path / pattern.replace("*", "m1")).write_bytes(b"\0")
    assert unread(tmp_path).endswith(UNREAD[pattern])


@pytest.mark.parametrize("name", ["F_m1_proc.mat", "cnmf_results.npz"])
def test_older_results_are_not_taken_for_others(tmp_path, name):
    (tmp_path / name).write_bytes(
        b"MATLAB 5.0 MAT-file" if name.endswith("mat") else b"PK\x05\x06" + bytes(18)
    )
    assert recognise(tmp_path / name) is None


@pytest.mark.parametrize("axes", [2, 3])
def test_a_pose_of_ndx_pose_in_2d_and_3d(tmp_path, axes):
    from ndx_pose import PoseEstimation, PoseEstimationSeries

    file, points = mock_NWBFile(), RNG.random((9, 2, axes))
    series = [
        PoseEstimationSeries(
            name=name, data=points[:, at], unit="px", reference_frame="r", confidence=np.ones(9), rate=20.0
        )
        for at, name in enumerate(("nose", "tail"))
    ]
    pose = PoseEstimation(name="pose", pose_estimation_series=series, description="d")
    file.create_processing_module("behavior", "d").add(pose)
    with NWBHDF5IO(tmp_path / "a.nwb", "w") as io:
        io.write(file)
    found = read("nwb", "behavior", tmp_path / "a.nwb")
    np.testing.assert_allclose(found.data, points, rtol=1e-6)
    assert (found.names, found.rate) == (("nose", "tail"), 20)
